"""What every model of the perturbation task takes and gives."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import torch

    from pharmacell.perturbation.table import PerturbationTable

HISTORY_COLUMNS = ["seed", "epoch", "part", "loss"]


@dataclass
class FitResult:
    """What a fit gives.

    Parameters
    ----------
    predictions
        float32, [n_seeds, n_test, n_layers * n_genes], as the table's; one for all seeds ([1, ...]) of a model that
        joins them.
    history
        ``seed, epoch, part, loss``; empty for models without epochs.
    weights
        Arrays by name, enough to predict again together with ``config``; empty where a model cannot be stored.
    config
        json values.
    inner
        For each inner fold (see :mod:`pharmacell.perturbation.models.inner`) what is predicted of its held-out rows,
        float32 [n_held, n_layers * n_genes], from the others; empty where a model had no use for inner folds.
    """

    predictions: np.ndarray
    history: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=HISTORY_COLUMNS))
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    config: dict = field(default_factory=dict)
    inner: list[np.ndarray] = field(default_factory=list)


class PerturbationModel(ABC):
    """A model; it is made anew for each fit."""

    @abstractmethod
    def fit_predict(
        self, train: "PerturbationTable", test_keys: pd.DataFrame, seeds: Sequence[int], device: "torch.device | None"
    ) -> FitResult:
        """Learn from the training rows and predict the test keys.

        Parameters
        ----------
        train
            The training rows; nothing else may be learned from.
        test_keys
            ``cell_type, sm_name, sm_lincs_id, SMILES`` of the rows to predict, [n_test].
        seeds
            One for each replica.
        device
            Where tensors live; None: on the CPU.
        """
