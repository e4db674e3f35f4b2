"""Baselines and classical models as the registry knows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from pharmacell.perturbation.models.base import FitResult, PerturbationModel
from pharmacell.perturbation.models.baselines import BASELINE_FUNCTIONS
from pharmacell.perturbation.models.knn import knn
from pharmacell.perturbation.models.regression import extra_trees, gradient_boosting, ridge
from pharmacell.perturbation.models.scaled_additive import scaled_additive

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from pharmacell.perturbation.table import PerturbationTable


@dataclass(frozen=True)
class SimpleModel(PerturbationModel):
    """A model that is one function of the training rows.

    Attributes
    ----------
    function
        Takes training rows of one layer, keys to predict and a seed; returns float32 [n_test, n_genes].
    random
        Whether the seed makes a difference; if not, one fit stands for all seeds.
    """

    function: Callable[["PerturbationTable", "pd.DataFrame", int], np.ndarray]
    random: bool = False

    def predict(self, train: "PerturbationTable", test_keys: "pd.DataFrame", seed: int) -> np.ndarray:
        """Fit each layer by itself, and predict: float32 [n_test, n_layers * n_genes].

        Parameters
        ----------
        train
            The training rows.
        test_keys
            Keys of the rows to predict.
        seed
            Of a model that is random.
        """
        return np.concatenate([self.function(one, test_keys, seed) for one in train.layers], axis=1)

    @override
    def fit_predict(
        self, train: "PerturbationTable", test_keys: "pd.DataFrame", seeds: Sequence[int], device: "torch.device | None"
    ) -> FitResult:
        predictions = np.stack([self.predict(train, test_keys, seed) for seed in (seeds if self.random else seeds[:1])])
        return FitResult(np.broadcast_to(predictions, (len(seeds), *predictions.shape[1:])))


SIMPLE = {
    **{name: SimpleModel(function) for name, function in BASELINE_FUNCTIONS.items()},
    "scaled_additive": SimpleModel(scaled_additive),
    "knn": SimpleModel(knn),
    "ridge": SimpleModel(ridge),
    "extra_trees": SimpleModel(extra_trees, random=True),
    "gradient_boosting": SimpleModel(gradient_boosting, random=True),
}
