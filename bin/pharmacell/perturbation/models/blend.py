"""A weighted mean of simple models and of networks; the weights come from inner folds."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from pharmacell.perturbation.models.base import FitResult, PerturbationModel
from pharmacell.perturbation.models.inner import inner_folds
from pharmacell.perturbation.models.simple import SIMPLE
from pharmacell.perturbation.models.weights import layer_weights
from pharmacell.perturbation.table import split_layers

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable

SIMPLE_MEMBERS = (
    "zeros",
    "mean_per_cell_type",
    "additive",
    "scaled_additive",
    "knn",
    "ridge",
    "extra_trees",
    "gradient_boosting",
)
NETWORK_MEMBERS = ("gru", "transformer")


class Blend(PerturbationModel):
    """The blend as the registry knows it; of a network it holds the mean over the seeds.

    Its weights, of each layer, stand in ``config``; it gives one prediction for all seeds. Without early stopping
    (``patience`` 0) it holds no network.

    Parameters
    ----------
    options
        Of the networks.
    """

    def __init__(self, options: "FitOptions") -> None:
        # zeros is a member, so the blend's own weights shrink; networks shrunk before that lose up to 0.008 of MRRMSE
        self.options = replace(options.complete(), shrink=False)

    @override
    def fit_predict(
        self, train: "PerturbationTable", test_keys: "pd.DataFrame", seeds: Sequence[int], device: "torch.device | None"
    ) -> FitResult:
        parts = inner_folds(train, test_keys)
        inner: dict[str, list[np.ndarray]] = {}
        found: dict[str, np.ndarray] = {}
        if self.options.patience:  # without inner folds of their own, nothing tells the networks' weights
            from pharmacell.perturbation.models.stacked_network import StackedNetwork

            for name in NETWORK_MEMBERS:
                result = StackedNetwork(name, self.options).fit_predict(train, test_keys, seeds, device)
                if result.inner:
                    inner[name], found[name] = result.inner, result.predictions.mean(axis=0)
        for name in SIMPLE_MEMBERS:
            inner[name] = [
                SIMPLE[name].predict(train.take(known), train.keys.iloc[held], seeds[0]) for known, held in parts
            ]
        n_genes = len(train.genes)
        weights = layer_weights(inner, [train.y[held] for _, held in parts], n_genes)
        prediction = np.zeros((len(test_keys), train.y.shape[1]), np.float32)
        for name in (name for name in inner if any(of_layer[name] > 0 for of_layer in weights)):
            if name not in found:
                found[name] = SIMPLE[name].predict(train, test_keys, seeds[0])
            layers = split_layers(prediction, n_genes), split_layers(found[name], n_genes), weights
            for total, own, of_layer in zip(*layers, strict=True):
                total += np.float32(of_layer[name]) * own
        return FitResult(prediction[None], config={"blend_weights": weights})
