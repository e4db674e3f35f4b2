"""Which differences between models are more than chance."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.benchmark.columns import COMPARED, FIT, FRIEDMAN, RANKS, SETTING, STATISTICS
from pharmacell.benchmark.main_settings import REFERENCE
from pharmacell.benchmark.protocols import Protocol
from pharmacell.evaluate.fold_scores import FOLD_METRICS, LOWER_IS_BETTER
from pharmacell.evaluate.rank_tests import Ranking, rank_models
from pharmacell.evaluate.resampled_tests import (
    corrected_interval,
    corrected_t_test,
    effect_size,
    holm,
    superiority,
    wilcoxon_test,
)

if TYPE_CHECKING:
    import pandas as pd

TESTED = tuple(name for name in FOLD_METRICS if name != "prevalence")
RANKED = ("auroc", "average_precision", "f1_weighted", "mcc")
LEVEL = 0.05


def compare_with_reference(wide: "pd.DataFrame", expected: "pd.DataFrame", main: "pd.DataFrame") -> "pd.DataFrame":
    """Test every model against the reference, fold by fold on the same test cells.

    Where all repeats have the same folds (``leave_group_out``), a fold's repeats are averaged first: they differ by
    the seed of training alone and are no further tests.

    Parameters
    ----------
    wide
        Scores of the folds, columns ``FIT`` and ``FOLD_METRICS``.
    expected
        The fits of the table, from :meth:`pharmacell.benchmark.fit_files.FoldPlan.with_ratios`.
    main
        The setting of each model that is compared, columns ``SETTING``.

    Returns
    -------
    DataFrame
        Columns ``STATISTICS``. ``difference`` is model minus reference. p-values are adjusted (Holm) over the models of
        one dataset, protocol and metric. ``better`` names who wins at an adjusted p of the corrected t-test below 0.05,
        or ``neither``; it is empty where there is no test, and ``note`` says why.
    """
    import pandas as pd

    table = expected.merge(main, on=SETTING).merge(wide, on=FIT, how="left")
    parts = []
    for key, group in table.groupby(COMPARED, sort=False):
        settings = group[SETTING].drop_duplicates().set_index("model")
        if REFERENCE not in settings.index:
            continue
        ratios = group.groupby("model")["ratio"].mean()
        for metric in TESTED:
            values = group.pivot_table(metric, ["repeat", "fold"], "model", dropna=False)
            missing = why_missing(group)
            if Protocol.parse(key[2]).repeats_folds:
                values = values.groupby("fold").mean()
            rows = pd.DataFrame(
                [
                    {
                        **dict(zip(COMPARED, key, strict=True)),
                        "metric": metric,
                        "model": model,
                        **settings.loc[model, ["heads", "sampling"]],
                        "reference": REFERENCE,
                        **settings.loc[REFERENCE, ["heads", "sampling"]].add_prefix("reference_"),
                        **paired(values, model, missing, max(ratios[model], ratios[REFERENCE])),
                    }
                    for model in settings.index.drop(REFERENCE)
                ]
            )
            if len(rows):
                parts.append(adjusted(rows, metric))
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=STATISTICS)
    return found[STATISTICS].astype({"heads": "Int64", "reference_heads": "Int64"})


def why_missing(fits: "pd.DataFrame") -> dict[str, str]:
    """Return the models that lack fits, with the words for it.

    Parameters
    ----------
    fits
        The fits of one dataset and protocol, with their scores.
    """
    lacking = fits["prevalence"].isna().groupby(fits["model"]).agg(["sum", "size"])
    return {model: f"{model} lacks {number} of {size} folds" for model, number, size in lacking.itertuples() if number}


def paired(values: "pd.DataFrame", model: str, missing: dict[str, str], ratio: float) -> dict:
    """Return the tests of one model against the reference; with a missing fit there is none.

    Parameters
    ----------
    values
        Scores, [n_folds, n_models]; NaN where missing or undefined.
    model
        Name of the model.
    missing
        From :func:`why_missing`.
    ratio
        Cells tested for each cell learnt from; that of the model which learnt from fewer.
    """
    if absent := [missing[name] for name in (model, REFERENCE) if name in missing]:
        return {"n_folds": 0, "note": f"not tested: {'; '.join(absent)}"}
    differences = (
        (values[model] - values[REFERENCE]).dropna().to_numpy() if {model, REFERENCE} <= set(values) else (np.empty(0))
    )
    if differences.size < 2:
        return {"n_folds": differences.size, "note": "not tested: fewer than two folds have the score for both"}
    t, p = corrected_t_test(differences, ratio)
    low, high = corrected_interval(differences, ratio)
    notes = []
    if differences.size < len(values):
        notes.append(f"undefined in {len(values) - differences.size} of {len(values)} folds for one or both")
    if not np.isfinite(p):
        notes.append("no t-test: the difference is the same in every fold")
    return {
        "n_folds": differences.size,
        "difference": differences.mean(),
        "low": low,
        "high": high,
        "t": float(t),
        "p": float(p),
        "wilcoxon_p": wilcoxon_test(differences),
        "effect_size": effect_size(differences),
        "superiority": superiority(differences),
        "note": "; ".join(notes),
    }


def adjusted(rows: "pd.DataFrame", metric: str) -> "pd.DataFrame":
    """Add p-values adjusted over the models, and who is better.

    Parameters
    ----------
    rows
        Tests of all models on one dataset, protocol and metric.
    metric
        Of the test.
    """
    rows = rows.reindex(columns=STATISTICS)
    rows["p_holm"], rows["wilcoxon_p_holm"] = (holm(rows[name].to_numpy(float)) for name in ("p", "wilcoxon_p"))
    ahead = (rows["difference"] > 0) != (metric in LOWER_IS_BETTER)
    winner = np.where(ahead, rows["model"], rows["reference"])
    rows["better"] = np.where(rows["p_holm"].isna(), "", np.where(rows["p_holm"] < LEVEL, winner, "neither"))
    return rows


def rankings(means: "pd.DataFrame", main: "pd.DataFrame") -> dict[tuple[str, str], Ranking]:
    """Rank the models over the datasets of each protocol.

    Parameters
    ----------
    means
        Mean scores, columns ``MEANS``.
    main
        The setting that stands for each model, columns ``SETTING``.

    Returns
    -------
    dict
        ``(protocol, metric)`` to the ranking, whose note names the models that are left out for want of a score.
    """
    import dataclasses

    table = means.merge(main, on=SETTING)
    found = {}
    for protocol, rows in table.groupby("protocol", sort=False):
        for metric in RANKED:
            scores = rows[rows["metric"] == metric].pivot(index=["dataset", "drug"], columns="model", values="mean")
            gaps = sorted(scores.columns[scores.isna().any()])
            ranking = rank_models(scores.drop(columns=gaps), metric not in LOWER_IS_BETTER)
            left_out = f"left out because a dataset is missing or undefined: {', '.join(gaps)}" if gaps else ""
            note = "; ".join(filter(None, (ranking.note, left_out)))
            found[protocol, metric] = dataclasses.replace(ranking, note=note)
    return found


def ranking_tables(found: dict[tuple[str, str], Ranking]) -> tuple["pd.DataFrame", "pd.DataFrame"]:
    """Return Friedman's test of each protocol and metric, and the mean rank of each model.

    Parameters
    ----------
    found
        As :func:`rankings` returns it.
    """
    import pandas as pd

    tests = pd.DataFrame(
        [
            {
                "protocol": protocol,
                "metric": metric,
                "n_datasets": ranking.n_datasets,
                "n_models": len(ranking.ranks),
                "chi_square": ranking.statistic,
                "p": ranking.p,
                "critical_difference": ranking.critical_difference,
                "note": ranking.note,
            }
            for (protocol, metric), ranking in found.items()
        ],
        columns=FRIEDMAN,
    )
    ranks = pd.DataFrame(
        [
            {"protocol": protocol, "metric": metric, "model": model, "mean_rank": rank}
            for (protocol, metric), ranking in found.items()
            for model, rank in ranking.ranks.items()
        ],
        columns=RANKS,
    )
    return tests, ranks
