"""Bootstrap intervals of all metrics at once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.seeds import generator
from pharmacell.evaluate.metrics import METRICS, Ranked, score

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("metric", "value", "low", "high")
WEIGHTS_AT_ONCE = 1_000_000  # 8 MB for the weights of a chunk, about eight times that with what is derived from them


def bootstrap(
    truth: np.ndarray,
    probability: np.ndarray,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    groups: np.ndarray | None = None,
    threshold: float = 0.5,
) -> "pd.DataFrame":
    """Score a prediction and give each metric a percentile bootstrap interval (Efron and Tibshirani 1993, ch. 13).

    Cells are drawn with replacement from all cells, not within each class, so that the intervals of prevalence,
    precision and average precision include the chance of the classes' shares. Resamples in which a metric is undefined
    (one class only) are left out of that metric's interval.

    Parameters
    ----------
    truth
        0 or 1, shape (n_cells,).
    probability
        Probability of class 1, shape (n_cells,).
    n
        Number of resamples.
    seed
        Seed of the resampling.
    level
        Coverage that is aimed at.
    groups
        Origin of each cell (line, patient), shape (n_cells,). When given, whole groups are drawn: cells of one origin
        are not independent, and an interval over single cells is far too narrow for a statement about new origins.
    threshold
        A cell whose probability is at least this is called sensitive.

    Returns
    -------
    DataFrame
        Columns ``metric, value, low, high``, one row for each metric in ``METRICS``; NaN where undefined.

    Raises
    ------
    ValueError
        If the shapes differ, the truth is not 0 or 1, or a probability is not finite.
    """
    import pandas as pd

    ranked = Ranked(truth, probability, threshold)
    values = score(truth, probability, threshold)
    draws: dict[str, list[np.ndarray]] = {name: [] for name in METRICS}
    for weights in resamples(ranked, n, seed, groups):
        for name, chunk in ranked.scores(weights).items():
            draws[name].append(chunk)
    rows = [(name, values[name], *interval(draws[name], level)) for name in METRICS]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def score_models(
    truth: np.ndarray, probabilities: dict[str, np.ndarray], seed: int, groups: np.ndarray | None = None
) -> "pd.DataFrame":
    """Score several models on the same cells, all with the same resamples.

    Parameters
    ----------
    truth, seed, groups
        As in :func:`bootstrap`.
    probabilities
        Probability of class 1 by model, each of shape (n_cells,).

    Returns
    -------
    DataFrame
        Columns ``model, metric, value, low, high``, the models in the order given.
    """
    import pandas as pd

    tables = [
        bootstrap(truth, probability, seed=seed, groups=groups).assign(model=name)
        for name, probability in probabilities.items()
    ]
    return pd.concat(tables, ignore_index=True)[["model", *COLUMNS]]


def resamples(ranked: Ranked, n: int, seed: int, groups: np.ndarray | None) -> Iterator[np.ndarray]:
    """Yield weights in chunks of rows, shape (<= n, n_cells): how often each cell was drawn, in ranked order.

    Parameters
    ----------
    ranked
        The cells.
    n
        Number of resamples.
    seed
        Seed of the resampling.
    groups
        Origin of each cell, shape (n_cells,); None draws single cells.
    """
    if ranked.n_cells == 0:
        return
    rng = generator(seed, "bootstrap")
    unit = np.arange(ranked.n_cells) if groups is None else np.unique(groups, return_inverse=True)[1][ranked.order]
    n_units = int(unit.max()) + 1
    rows_at_once = max(1, WEIGHTS_AT_ONCE // ranked.n_cells)
    for start in range(0, n, rows_at_once):
        rows = min(rows_at_once, n - start)
        drawn = rng.integers(0, n_units, size=(rows, n_units)) + np.arange(rows)[:, None] * n_units
        counts = np.bincount(drawn.ravel(), minlength=rows * n_units).reshape(rows, n_units).astype(float)
        yield counts if groups is None else counts[:, unit]


def interval(chunks: list[np.ndarray], level: float) -> tuple[float, float]:
    """Return the percentile interval of the defined values; (NaN, NaN) when there are none.

    Parameters
    ----------
    chunks
        Values of the resamples, in pieces of shape (n,); NaN where undefined.
    level
        Coverage that is aimed at.
    """
    values = np.concatenate(chunks) if chunks else np.empty(0)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
