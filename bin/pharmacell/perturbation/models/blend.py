"""A weighted mean of simple models and of networks; the weights come from inner folds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.perturbation.models.base import FitResult
from pharmacell.perturbation.models.inner import inner_folds
from pharmacell.perturbation.models.simple import SIMPLE

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
NEGLIGIBLE = 1e-6


class Blend:
    """The blend as the registry knows it; of a network it holds the mean over the seeds.

    Its weights stand in ``config``; it gives one prediction for all seeds. Without early stopping (``patience`` 0) it
    holds no network.

    Parameters
    ----------
    options
        Of the networks.
    """

    def __init__(self, options: "FitOptions") -> None:
        self.options = options.complete()

    def fit_predict(
        self, train: "PerturbationTable", test_keys: "pd.DataFrame", seeds: Sequence[int], device: "torch.device | None"
    ) -> FitResult:
        """See :class:`pharmacell.perturbation.models.base.PerturbationModel`.

        Parameters
        ----------
        train
            The training rows.
        test_keys
            Keys of the rows to predict.
        seeds
            One for each replica.
        device
            Where to train.
        """
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
        weights = blend_weights(inner, [train.y[held] for _, held in parts])
        prediction = np.zeros((len(test_keys), train.y.shape[1]), np.float32)
        for name in (name for name, weight in weights.items() if weight > 0):
            if name not in found:
                found[name] = SIMPLE[name].predict(train, test_keys, seeds[0])
            prediction += np.float32(weights[name]) * found[name]
        return FitResult(prediction[None], config={"blend_weights": weights})


def blend_weights(inner: dict[str, list[np.ndarray]], truths: list[np.ndarray]) -> dict[str, float]:
    """Return non-negative weights of sum 1, with the least squared error on rows that the members had not seen.

    Each row's squares are divided by the root mean square of its truth, because the score is a mean over rows of roots
    (MRRMSE; this is one step of reweighted least squares towards it). ``zeros`` takes part, so a noisy blend can shrink
    to nothing.

    Parameters
    ----------
    inner
        What each member predicts of the held-out rows of each inner fold, float32 [n_held, n_genes].
    truths
        Their targets.
    """
    size = len(inner)
    gram, product = np.zeros((size, size)), np.zeros(size)
    for fold, truth in enumerate(truths):
        scale = np.mean(truth**2, axis=1, keepdims=True).clip(1e-12) ** -0.25  # its square is 1 / root mean square
        stacked = np.stack([(predictions[fold] * scale).ravel() for predictions in inner.values()])
        gram += stacked @ stacked.T
        product += stacked @ (truth * scale).ravel()
    return dict(zip(inner, simplex_least_squares(gram, product).tolist(), strict=True))


def simplex_least_squares(gram: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Minimise ``w' G w / 2 - b' w`` over ``w >= 0, sum(w) = 1``.

    Parameters
    ----------
    gram
        ``G``, positive semidefinite, [n, n].
    product
        ``b``, [n].

    Returns
    -------
    numpy.ndarray
        The weights, [n].
    """
    from scipy.optimize import minimize

    scale = max(np.trace(gram) / len(gram), 1e-12)
    gram, product = gram / scale, product / scale
    found = minimize(
        lambda w: 0.5 * w @ gram @ w - product @ w,
        np.full(len(gram), 1 / len(gram)),
        method="SLSQP",
        jac=lambda w: gram @ w - product,
        bounds=[(0, 1)] * len(gram),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-12},
    )
    weights = np.where(found.x > NEGLIGIBLE, found.x, 0.0)  # a bound is met up to rounding; such members need no fit
    return weights / weights.sum()
