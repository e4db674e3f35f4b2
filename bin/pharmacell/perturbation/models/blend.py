"""A weighted mean of simple models; the weights come from inner folds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.perturbation.models.base import FitResult
from pharmacell.perturbation.models.inner import inner_folds
from pharmacell.perturbation.models.simple import SIMPLE

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from pharmacell.perturbation.table import PerturbationTable

MEMBERS = {
    name: SIMPLE[name]
    for name in ("zeros", "mean_per_cell_type", "additive", "knn", "ridge", "extra_trees", "gradient_boosting")
}
NEGLIGIBLE = 1e-6


class Blend:
    """The blend as the registry knows it; its weights are the same for all seeds and stand in ``config``."""

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
        weights = blend_weights(train, test_keys)
        predictions = np.zeros((len(seeds), len(test_keys), train.y.shape[1]), np.float32)
        for name in (name for name, weight in weights.items() if weight > 0):
            predictions += (
                np.float32(weights[name]) * MEMBERS[name].fit_predict(train, test_keys, seeds, device).predictions
            )
        return FitResult(predictions, config={"blend_weights": weights})


def blend_weights(train: "PerturbationTable", keys: "pd.DataFrame") -> dict[str, float]:
    """Return non-negative weights of sum 1, with the least squared error on rows that the members had not seen.

    Each row's squares are divided by the root mean square of its truth, because the score is a mean over rows of roots
    (MRRMSE; this is one step of reweighted least squares towards it). ``zeros`` takes part, so a noisy blend can shrink
    to nothing.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    """
    size = len(MEMBERS)
    gram, product = np.zeros((size, size)), np.zeros(size)
    for known, held in inner_folds(train, keys):
        part, asked, truth = train.take(known), train.keys.iloc[held], train.y[held]
        scale = np.mean(truth**2, axis=1, keepdims=True).clip(1e-12) ** -0.25  # its square is 1 / root mean square
        stacked = np.stack([(model.predict(part, asked, 0) * scale).ravel() for model in MEMBERS.values()])
        gram += stacked @ stacked.T
        product += stacked @ (truth * scale).ravel()
    return dict(zip(MEMBERS, simplex_least_squares(gram, product).tolist(), strict=True))


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
