"""What a compared model is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

    from pharmacell.benchmark.fold import Fold


BULK_LINES = 1000  # that predictions of memory reckon with; GDSC has 975


class ComparedModel(ABC):
    """What the benchmark asks of a model.

    Parameters
    ----------
    config
        Its settings, a frozen dataclass whose every field has a default; the class's own by default.
    """

    config: Any

    def __init__(self, config: Any = None) -> None:
        self.config = config

    @abstractmethod
    def fit_predict(self, folds: Sequence["Fold"], device: "torch.device") -> list[np.ndarray]:
        """Fit one model for each fold and return its probabilities of being sensitive, float32 [n_test] each.

        The probabilities of a fold do not depend on the folds that stand beside it.

        Parameters
        ----------
        folds
            What each fit may see.
        device
            Where to train.
        """

    @abstractmethod
    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        """Return the predicted peak memory in bytes that one more fold of a stack takes.

        Parameters
        ----------
        n_genes
            Genes that bulk and cells share.
        n_train, n_test
            Training and test cells of the fold.
        """
