"""How networks see the targets: as the table has them, or signed p-values as z-scores."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pharmacell.perturbation.table import split_layers

LARGEST_Z = 38.0  # of a prediction; its p-value, 6e-316, is about the smallest that a table's float64 can hold
ROWS_AT_ONCE = 64  # bounds the memory in float64


class TargetSpace(NamedTuple):
    """A map of targets and its inverse, both float32 [..., n_genes] to the same shape.

    Parameters
    ----------
    to, back
        From the table's units, and to them.
    """

    to: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]


def z_score(y: np.ndarray) -> np.ndarray:
    """Return the z-score of each signed p-value.

    With the two-sided p = 10^-abs(y) and the standard normal distribution function F::

        z = -sign(y) F^-1(p / 2)

    which is the t-score of a test with many degrees of freedom; a table of p-values does not tell their number. It is
    about ``sqrt(2 ln(10) abs(y))`` for large y, so strong effects weigh less than in y. All is computed from ln p, so
    no p-value is too small.

    Parameters
    ----------
    y
        Signed -log10 p, [..., n_genes].
    """
    from scipy.special import ndtri_exp

    return _in_blocks(lambda size: -ndtri_exp(-np.log(10) * size - np.log(2)), y)


def signed_log10_p(z: np.ndarray) -> np.ndarray:
    """Return signed -log10 p of z-scores, the inverse of :func:`z_score`.

    With the standard normal distribution function F::

        y = -sign(z) log10(2 F(-abs(z)))

    Parameters
    ----------
    z
        z-scores, [..., n_genes]; beyond 38 either way they count as 38 (y = 315), so that a stray prediction stays
        within what a table can hold.
    """
    from scipy.special import log_ndtr

    return _in_blocks(lambda size: -(log_ndtr(-size.clip(max=LARGEST_Z)) + np.log(2)) / np.log(10), z)


def of_first_layer(change: Callable[[np.ndarray], np.ndarray], values: np.ndarray, n_genes: int) -> np.ndarray:
    """Return values whose first layer is mapped; a second one stays in the table's units.

    Parameters
    ----------
    change
        From the table's units, or back.
    values
        [..., n_layers * n_genes].
    n_genes
        Genes of a layer.
    """
    first, *others = split_layers(values, n_genes)
    return np.concatenate([change(first), *others], axis=-1) if others else change(first)


def _in_blocks(of_size: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
    """Map sizes and keep signs, some rows at a time in float64; returns float32 of the same shape."""
    rows = values.reshape(-1, values.shape[-1])
    found = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        block = rows[start : start + ROWS_AT_ONCE].astype(np.float64)
        found[start : start + ROWS_AT_ONCE] = np.copysign(of_size(np.abs(block)), block)
    return found.reshape(values.shape)


def unchanged(y: np.ndarray) -> np.ndarray:
    """Return the targets as they are.

    Parameters
    ----------
    y
        Targets, [..., n_genes].
    """
    return y


TARGET_SPACES = {"original": TargetSpace(unchanged, unchanged), "z_score": TargetSpace(z_score, signed_log10_p)}
