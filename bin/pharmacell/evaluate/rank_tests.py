"""Comparison of many models over many datasets by ranks."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

FEWEST_DATASETS = 3
FEWEST_MODELS = 3
ENOUGH_DATASETS = 10  # from here on the distribution that Friedman's test assumes holds well


@dataclass(frozen=True)
class Ranking:
    """Mean ranks and what can be said about them.

    Attributes
    ----------
    ranks
        Model to its mean rank over datasets, 1 the best, shape (n_models,), best first.
    n_datasets
        How many datasets were ranked.
    statistic, p
        Friedman's chi-square and its p; NaN when not tested.
    critical_difference
        Mean ranks of two models that differ by less cannot be told apart (level 0.05); NaN when not tested.
    pairwise
        p of each pair of models (Nemenyi), shape (n_models, n_models); None when not tested.
    note
        Why there is no test, or how far to trust it.
    """

    ranks: "pd.Series"
    n_datasets: int
    statistic: float
    p: float
    critical_difference: float
    pairwise: "pd.DataFrame | None"
    note: str


def rank_models(scores: "pd.DataFrame", higher_is_better: bool = True) -> Ranking:
    """Rank models within each dataset and test whether their mean ranks differ (Friedman 1937; Demsar 2006).

    Two models differ when their mean ranks differ by at least (Nemenyi 1963)

        CD = q_0.05 sqrt(k (k + 1) / (6 N)),   k models on N datasets

    Parameters
    ----------
    scores
        One mean score for each dataset (row) and model (column). Without gaps: a model that lacks a dataset cannot be
        ranked and has to be left out before.
    higher_is_better
        Whether the highest score gets rank 1; ties get the mean of their ranks.
    """
    import pandas as pd

    n_datasets, n_models = scores.shape
    ranks = scores.rank(axis=1, ascending=not higher_is_better).mean().sort_values(kind="stable")
    nothing = (float("nan"),) * 3
    if n_datasets < FEWEST_DATASETS or n_models < FEWEST_MODELS:
        note = (
            f"not tested: {n_datasets} datasets and {n_models} models without gaps; Friedman's test needs at least "
            f"{FEWEST_DATASETS} of each, because folds of one dataset are not independent datasets"
        )
        return Ranking(ranks, n_datasets, *nothing, None, note)
    if (scores.nunique(axis=1) == 1).all():
        return Ranking(ranks, n_datasets, *nothing, None, "not tested: all models score the same on every dataset")
    from scikit_posthocs import posthoc_nemenyi_friedman
    from scipy.stats import friedmanchisquare, studentized_range

    found = friedmanchisquare(*scores.to_numpy().T)
    pairwise = pd.DataFrame(posthoc_nemenyi_friedman(scores.to_numpy()).to_numpy(), scores.columns, scores.columns)
    quantile = studentized_range.ppf(0.95, n_models, np.inf) / np.sqrt(2)
    note = (
        ""
        if n_datasets >= ENOUGH_DATASETS
        else (
            f"{n_datasets} datasets are few: below {ENOUGH_DATASETS} the test is rough and shows only large differences"
        )
    )
    return Ranking(
        ranks,
        n_datasets,
        float(found.statistic),
        float(found.pvalue),
        float(quantile * np.sqrt(n_models * (n_models + 1) / (6 * n_datasets))),
        pairwise,
        note,
    )
