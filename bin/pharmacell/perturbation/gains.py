"""How much better a model is than the best baseline, with an interval over compounds."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from pharmacell.core.seeds import generator
from pharmacell.perturbation.metrics import LOWER_IS_BETTER, METRICS, RowScores

N_RESAMPLES = 2000


def gains(
    scores: Mapping[Hashable, RowScores],
    compounds: np.ndarray,
    baselines: Sequence[Hashable],
    seed: int,
    n: int = N_RESAMPLES,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare every model with the best baseline, metric by metric.

    Compounds are drawn with replacement, each with all its rows, because rows of one compound are not independent. All
    models see the same draws, so that what is hard about a compound cancels in a difference (paired bootstrap; Efron
    and Tibshirani 1993, ch. 16). The best baseline is chosen on the data as it is, not anew in each draw.

    Parameters
    ----------
    scores
        Model to its row scores, over the same rows in the same order.
    compounds
        Compound of each row, [n_rows].
    baselines
        Those of the models that are baselines.
    seed
        The user's seed.
    n
        Number of resamples.
    level
        Coverage that is aimed at.

    Returns
    -------
    pandas.DataFrame
        ``model, metric, value, baseline, baseline_value, gain, low, high``. A positive gain is a better model, also for
        metrics of which less is better.
    """
    names, codes = np.unique(compounds, return_inverse=True)
    draws = multiplicities(len(names), n, seed)
    means = {model: _means(one, codes, len(names), draws) for model, one in scores.items()}
    sign = np.array([-1.0 if metric in LOWER_IS_BETTER else 1.0 for metric in METRICS])
    rows = []
    for position, metric in enumerate(METRICS):
        baseline = best_baseline({model: means[model][0][position] for model in baselines}, metric)
        baseline_value, baseline_resampled = _one(means[baseline], position) if baseline else (np.nan, np.nan)
        for model in scores:
            value, resampled = _one(means[model], position)
            low, high = interval(sign[position] * (resampled - baseline_resampled), level)
            rows.append(
                (model, metric, value, baseline, baseline_value, sign[position] * (value - baseline_value), low, high)
            )
    return pd.DataFrame(rows, columns=["model", "metric", "value", "baseline", "baseline_value", "gain", "low", "high"])


def best_baseline(values: dict[Hashable, float], metric: str) -> Hashable | None:
    """Return the baseline with the best defined value; None when no baseline has one.

    Parameters
    ----------
    values
        Mean score of each baseline.
    metric
        Name of the score.
    """
    defined = {model: value for model, value in values.items() if np.isfinite(value)}
    if not defined:
        return None
    return (min if metric in LOWER_IS_BETTER else max)(defined, key=defined.__getitem__)


def multiplicities(n_compounds: int, n: int, seed: int) -> np.ndarray:
    """Return how often each compound is drawn in each resample, float64 [n, n_compounds].

    Parameters
    ----------
    n_compounds
        Compounds to draw from.
    n
        Resamples.
    seed
        Seed of everything random in it.
    """
    shares = np.full(n_compounds, 1 / n_compounds)
    return generator(seed, "bootstrap over compounds").multinomial(n_compounds, shares, size=n).astype(float)


def interval(values: np.ndarray, level: float) -> tuple[float, float]:
    """Return the percentile interval of the finite values; (NaN, NaN) when there are none.

    Parameters
    ----------
    values
        Of the resamples, [n].
    level
        Of the interval, such as 0.95.
    """
    values = values[np.isfinite(values)]
    if not values.size:
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _one(means: tuple[np.ndarray, np.ndarray], position: int) -> tuple[float, np.ndarray]:
    """Return one metric's mean and its resamples, [n]."""
    return means[0][position], means[1][:, position]


def _means(scores: RowScores, codes: np.ndarray, n_compounds: int, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of each metric, [n_metrics], and in each resample, [n, n_metrics]."""
    totals, weights = np.zeros((2, n_compounds, len(METRICS)))
    np.add.at(totals, codes, scores.value * scores.weight)
    np.add.at(weights, codes, scores.weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        return totals.sum(axis=0) / weights.sum(axis=0), (draws @ totals) / (draws @ weights)
