"""Weights of the members of a mean, from what they predict of rows that they had not seen."""

import numpy as np

from pharmacell.perturbation.table import split_layers

NEGLIGIBLE = 1e-6


def blend_weights(inner: dict[str, list[np.ndarray]], truths: list[np.ndarray]) -> dict[str, float]:
    """Return non-negative weights of sum 1, with the least squared error on rows that the members had not seen.

    Each row's squares are divided by the root mean square of its truth, because the score is a mean over rows of roots
    (MRRMSE; this is one step of reweighted least squares towards it). A member of zeros lets a noisy mean shrink to
    nothing.

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


def layer_weights(inner: dict[str, list[np.ndarray]], truths: list[np.ndarray], n_genes: int) -> list[dict[str, float]]:
    """Return the weights of :func:`blend_weights` for each layer by itself.

    Parameters
    ----------
    inner
        What each member predicts of the held-out rows of each inner fold, float32 [n_held, n_layers * n_genes].
    truths
        Their targets.
    n_genes
        Genes of a layer.
    """

    def by_layer(parts: list[np.ndarray]) -> list[list[np.ndarray]]:
        return [list(part) for part in zip(*(split_layers(values, n_genes) for values in parts), strict=True)]

    members = {name: by_layer(parts) for name, parts in inner.items()}
    return [
        blend_weights({name: parts[number] for name, parts in members.items()}, truth)
        for number, truth in enumerate(by_layer(truths))
    ]


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
