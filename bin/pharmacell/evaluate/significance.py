"""Which cells stand out more than they would if the bulk responses meant nothing."""

import numpy as np


def cell_significance(score: np.ndarray, null: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an empirical two-sided p-value and the false discovery rate of each cell.

    Each cell's score, as a deviation from the mean of all cells, is divided by the root mean square of its own null
    scores, so that a cell which any response would move far is not called for it. With the statistics t and those of
    the null, pooled over permutations and cells::

        p = (1 + number of null |t'| >= |t|) / (1 + number of null t')

    Each null statistic is divided by the root mean square of the *other* permutations, as the real one is, so both
    have heavy tails alike.

    Parameters
    ----------
    score
        Combined score of each cell, mean over replicas, [n_cells].
    null
        Scores under permuted bulk responses, [n_permutations, n_cells].

    Returns
    -------
    p, fdr
        Each [n_cells]; FDR after Benjamini and Hochberg (1995).
    """
    from scipy.stats import false_discovery_control

    centred = null - null.mean(1, keepdims=True)
    squares = centred.astype(np.float64) ** 2
    total, permutations = squares.sum(0), len(null)
    statistic = np.abs(score - score.mean()) / np.sqrt(np.maximum(total / permutations, 1e-12))
    others = np.sqrt(np.maximum((total - squares) / (permutations - 1), 1e-12))
    pooled = np.sort((np.abs(centred) / others).ravel())
    at_least = len(pooled) - np.searchsorted(pooled, statistic, side="left")
    p = (1 + at_least) / (1 + len(pooled))
    return p, false_discovery_control(p, method="bh")


def separation(score: np.ndarray, null: np.ndarray) -> tuple[float, float]:
    """Compare the spread of the scores among the cells with the null's.

    Parameters
    ----------
    score, null
        As in :func:`cell_significance`.

    Returns
    -------
    ratio
        Standard deviation of the scores over the median of the null's.
    p
        ``(1 + permutations whose spread is at least as wide) / (1 + permutations)``.
    """
    spread, of_null = spreads(score, null)
    return float(spread / max(np.median(of_null), 1e-12)), float((1 + (of_null >= spread).sum()) / (1 + len(null)))


def spreads(score: np.ndarray, null: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the standard deviation of the scores among the cells, and that of each permutation, [n_permutations].

    Parameters
    ----------
    score, null
        As in :func:`cell_significance`.
    """
    return float(score.std()), null.std(1)
