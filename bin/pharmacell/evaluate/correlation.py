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
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]) if len(x) else []
    rng = generator(seed, "correlation")
    draws = []
    for _ in range(n if len(x) >= FEWEST else 0):
        drawn = np.concatenate([members[unit] for unit in rng.integers(0, len(members), len(members))])
        draws.append(spearman_and_pearson(x[drawn], y[drawn]))
    values = dict(zip(("spearman", "pearson"), spearman_and_pearson(x, y), strict=True))
    rows = [
        (method, value, *interval([np.array([draw[place] for draw in draws])], level))
        for place, (method, value) in enumerate(values.items())
    ]
    table = pd.DataFrame(rows, columns=["method", "value", "low", "high"])
    return table.assign(n_cells=len(x), resampled="groups" if by_group else "cells", n_units=len(members))


def spearman_and_pearson(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return Spearman's and Pearson's correlation; NaN for fewer than three pairs or a constant measure.

    Parameters
    ----------
    x, y
        Finite values, [n].
    """
    from scipy.stats import rankdata

    if len(x) < FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan"), float("nan")
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1]), float(np.corrcoef(x, y)[0, 1])
