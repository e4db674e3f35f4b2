"""Means of the scores over folds and repeats."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.benchmark.columns import FIT, MEANS, SETTING, WHOLE_OR_MISSING
from pharmacell.benchmark.protocols import Protocol
from pharmacell.evaluate.fold_scores import FOLD_METRICS
from pharmacell.evaluate.resampled_tests import corrected_interval

if TYPE_CHECKING:
    import pandas as pd


def mean_scores(wide: "pd.DataFrame", expected: "pd.DataFrame") -> "pd.DataFrame":
    """Average each score over the folds of a repeat, and those over the repeats.

    Parameters
    ----------
    wide
        Scores of the folds, columns ``FIT`` and ``FOLD_METRICS``.
    expected
        The fits of the table, from :meth:`pharmacell.benchmark.fit_files.FoldPlan.with_ratios`.

    Returns
    -------
    DataFrame
        One row for each setting and metric: ``SETTING``, ``metric``, ``mean`` and ``sd`` over the repeat means, ``low``
        and ``high`` (95 % interval of the mean, corrected for the overlap of the training parts; where all repeats have
        the same folds, each fold counts once, with its mean over the repeats), ``n_repeats``,
        ``n_expected`` folds, ``n_missing`` folds without a fit and ``n_undefined`` folds where the score does not
        exist. Undefined folds are left out of the mean; with a missing fold there is no mean, but NaN.
    """
    import pandas as pd

    table = expected.merge(wide, on=FIT, how="left")
    rows = []
    for setting, folds in table.groupby(SETTING, dropna=False, sort=False):
        named = dict(zip(SETTING, setting, strict=True))
        missing = int(folds["prevalence"].isna().sum())  # the one score that every fit has
        ratio, repeats_folds = float(folds["ratio"].mean()), Protocol.parse(named["protocol"]).repeats_folds
        for metric in FOLD_METRICS:
            defined = folds.dropna(subset=metric)
            values = defined[metric].to_numpy()
            independent = defined.groupby("fold")[metric].mean().to_numpy() if repeats_folds else values
            repeats = folds.groupby("repeat")[metric].mean().dropna()
            row = {
                **named,
                "metric": metric,
                "mean": np.nan,
                "sd": np.nan,
                "low": np.nan,
                "high": np.nan,
                "n_repeats": len(repeats),
                "n_expected": len(folds),
                "n_missing": missing,
                "n_undefined": len(folds) - missing - len(values),
            }
            if not missing and len(values):
                row |= {"mean": repeats.mean(), "sd": repeats.std()}
                row["low"], row["high"] = corrected_interval(independent, ratio)
            rows.append(row)
    return pd.DataFrame(rows, columns=MEANS).astype(WHOLE_OR_MISSING)
