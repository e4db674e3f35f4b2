"""Correlation of two measures of the cells, with bootstrap intervals."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.seeds import generator
from pharmacell.evaluate.bootstrap import interval

if TYPE_CHECKING:
    import pandas as pd

CORRELATIONS = ("method", "value", "low", "high", "n_cells", "resampled", "n_units")
FEWEST = 3  # pairs; through two points any line fits


def correlations(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray | None, seed: int, n: int = 1000, level: float = 0.95
) -> "pd.DataFrame":
    """Return Spearman's and Pearson's correlation with percentile bootstrap intervals (Efron and Tibshirani 1993).

    Parameters
    ----------
    x, y
        Finite values, [n_cells].
    groups
        Origin of each cell, [n_cells], or None. Whole groups are drawn where there are at least two, because cells of
        one origin are not independent.
    seed
        The user's seed.
    n
        Number of resamples; those in which a measure is constant are left out.
    level
        Coverage that is aimed at.

    Returns
    -------
    DataFrame
        Columns ``method, value, low, high, n_cells, resampled, n_units``; NaN where undefined.
    """
    import pandas as pd

    codes = np.arange(len(x)) if groups is None else np.unique(groups, return_inverse=True)[1]
    by_group = groups is not None and len(x) > 0 and codes.max() > 0
    if not by_group:
        codes = np.arange(len(x))
    n_units = int(codes.max()) + 1 if len(x) else 0
    rng = generator(seed, "correlation")
    # the place of each value among the distinct ones, found once; a resample only counts a cell more or less often
    places = [np.unique(values, return_inverse=True)[1] for values in (x, y)]
    draws = np.full((n if len(x) >= FEWEST else 0, 2), np.nan)
    for draw in draws:
        counts = np.bincount(rng.integers(0, n_units, n_units), minlength=n_units)
        draw[:] = spearman_and_pearson(x, y, places, counts[codes])
    values = spearman_and_pearson(x, y, places, np.ones(len(x)))
    rows = [
        (method, value, *interval([of_method], level))
        for method, value, of_method in zip(("spearman", "pearson"), values, draws.T, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["method", "value", "low", "high"])
    return table.assign(n_cells=len(x), resampled="groups" if by_group else "cells", n_units=n_units)


def spearman_and_pearson(
    x: np.ndarray, y: np.ndarray, places: list[np.ndarray], counts: np.ndarray
) -> tuple[float, float]:
    """Return Spearman's and Pearson's correlation; NaN for fewer than three cells or a constant measure.

    Parameters
    ----------
    x, y
        Finite values, [n].
    places
        Places of the values of ``x`` and of ``y`` among their distinct values, int64 [n] each.
    counts
        How often each cell counts, [n].
    """
    if counts.sum() < FEWEST or any(np.ptp(values[counts > 0]) == 0 for values in (x, y)):
        return float("nan"), float("nan")
    ranks_x, ranks_y = (mean_ranks(own, counts) for own in places)
    return weighted_pearson(ranks_x, ranks_y, counts), weighted_pearson(x, y, counts)


def mean_ranks(places: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return ranks, with the mean rank where values are equal, of cells that count several times, [n].

    Parameters
    ----------
    places
        Places of the values among their distinct values, int64 [n].
    counts
        How often each cell counts, [n].
    """
    of_value = np.bincount(places, counts)
    return (np.cumsum(of_value) - (of_value - 1) / 2)[places]


def weighted_pearson(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> float:
    """Return Pearson's correlation of cells that count several times.

    Parameters
    ----------
    x, y
        Values, [n].
    counts
        How often each cell counts, [n].
    """
    weights = counts / counts.sum()
    x, y = x - weights @ x, y - weights @ y
    return float((weights * x) @ y / np.sqrt((weights @ x**2) * (weights @ y**2)))
