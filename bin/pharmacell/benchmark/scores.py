"""Scores of every fit of a benchmark, and what is missing or undefined among them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.benchmark.columns import (
    COSTS,
    FIT,
    FOLD,
    MISSING,
    PREDICTIONS,
    SCORES,
    SETTING,
    UNDEFINED,
    WHOLE_OR_MISSING,
)
from pharmacell.benchmark.fit_files import FoldPlan
from pharmacell.core.files import whole_file
from pharmacell.evaluate.fold_curves import fold_curves
from pharmacell.evaluate.fold_scores import FOLD_METRICS, score_folds, why_undefined

if TYPE_CHECKING:
    import pandas as pd


class SliceScorer:
    """Scores slices of predictions one after another, so that only one is in memory.

    Parameters
    ----------
    plan
        Which cells each fold tests.
    main
        The settings whose curves are kept, columns ``SETTING``.

    Attributes
    ----------
    rows
        Scores of the folds, a list of tables with ``FIT`` and ``FOLD_METRICS``.
    found
        What was there of each fold, a list of tables with ``FIT``, ``n_cells`` and ``n_bad``.
    curves
        Setting (see :func:`name_of`) to the ROC and precision-recall curves of its folds.
    """

    def __init__(self, plan: FoldPlan, main: "pd.DataFrame"):
        self.plan = plan
        self.rows: list[pd.DataFrame] = []
        self.found: list[pd.DataFrame] = []
        self.curves: dict[tuple[str, ...], list[tuple[np.ndarray, np.ndarray]]] = {
            name_of(setting): [] for setting in main[SETTING].itertuples(index=False)
        }

    def add(self, table: "pd.DataFrame") -> None:
        """Score the predictions of one slice, columns as in the predictions' file.

        Parameters
        ----------
        table
            Columns ``PREDICTIONS``; a fold is whole in it.
        """
        bad = ~table["probability"].between(0, 1)
        fits = table.assign(bad=bad).groupby(FIT, dropna=False, sort=False)["bad"]
        found = fits.agg(n_cells="size", n_bad="sum").reset_index()
        self.found.append(found)
        sizes = found.merge(self.plan.sizes, on=FOLD)
        whole = sizes[(sizes["n_bad"] == 0) & (sizes["n_cells"] == sizes["n_test"])]
        usable = table.merge(whole[FIT], on=FIT)
        for key, rows in usable.groupby([*SETTING, "repeat"], dropna=False, sort=False):
            truth, probability, fold = (rows[name].to_numpy() for name in ("truth", "probability", "fold"))
            scores = score_folds(truth, probability.astype(float), fold).reset_index()
            self.rows.append(scores.assign(**dict(zip([*SETTING, "repeat"], key, strict=True)))[[*FIT, *FOLD_METRICS]])
            if (kept := self.curves.get(name_of(key[:-1]))) is not None:
                found_curves = (fold_curves(truth[fold == name], probability[fold == name]) for name in scores["fold"])
                kept.extend(curves for curves in found_curves if curves is not None)

    def wide(self) -> "pd.DataFrame":
        """Return the scores of all folds, columns ``FIT`` and ``FOLD_METRICS``."""
        return concatenated(self.rows, [*FIT, *FOLD_METRICS]).sort_values(FIT, ignore_index=True)

    def missing(self, expected: "pd.DataFrame") -> "pd.DataFrame":
        """Return the fits of the table that have no score, columns ``FIT`` and ``reason``.

        Parameters
        ----------
        expected
            The fits of the table, columns ``FIT``.
        """
        found = concatenated(self.found, [*FIT, "n_cells", "n_bad"])
        table = expected.merge(found, on=FIT, how="left").merge(self.plan.sizes, on=FOLD)
        table[["n_cells", "n_bad"]] = table[["n_cells", "n_bad"]].fillna(0).astype(int)
        of = " of " + table["n_test"].astype(str) + " cells "
        table["reason"] = np.select(
            [table["n_cells"] == 0, table["n_bad"] > 0, table["n_cells"] < table["n_test"]],
            [
                "no predictions: the fit failed or was not run",
                table["n_bad"].astype(str) + of + "have a probability that is no number from 0 to 1",
                table["n_cells"].astype(str) + of + "are predicted",
            ],
            "",
        )
        return table.loc[table["reason"] != "", MISSING].sort_values(FIT, ignore_index=True)


def name_of(setting: Iterable) -> tuple[str, ...]:
    """Return the values of ``SETTING`` as text, which unlike a missing number of heads can be compared.

    Parameters
    ----------
    setting
        Its values, in the order of ``SETTING``.
    """
    return tuple(map(str, setting))


def concatenated(tables: list["pd.DataFrame"], columns: list[str]) -> "pd.DataFrame":
    """Return tables below one another, typed alike even when there is none.

    Parameters
    ----------
    tables
        With the same columns; may be none.
    columns
        These columns.
    """
    import pandas as pd

    if not tables:
        words = {name: str for name in SETTING if name not in WHOLE_OR_MISSING}
        return pd.DataFrame({name: [] for name in columns}).astype(
            WHOLE_OR_MISSING | words | {"repeat": int, "fold": int}
        )
    return pd.concat(tables, ignore_index=True).astype(WHOLE_OR_MISSING)


def write_scored(slices: Iterable["pd.DataFrame"], scorer: SliceScorer, path: Path) -> None:
    """Score each slice and append it to one parquet file, whole or not at all.

    Parameters
    ----------
    slices
        Predictions, columns ``PREDICTIONS``.
    scorer
        Scores them.
    path
        The parquet file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "heads": pa.int16(),
        "repeat": pa.int16(),
        "fold": pa.int32(),
        "cell_id": pa.string(),
        "probability": pa.float32(),
        "truth": pa.int8(),
    }
    word = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([(name, types.get(name, word)) for name in PREDICTIONS])
    with whole_file(path) as partial, pq.ParquetWriter(partial, schema) as writer:
        for table in slices:
            scorer.add(table)
            writer.write_table(pa.Table.from_pandas(table, schema, preserve_index=False))


def undefined(wide: "pd.DataFrame") -> "pd.DataFrame":
    """Return how many folds of each setting lack a score and why; columns ``SETTING, metric, reason, n_folds``.

    Parameters
    ----------
    wide
        Scores of the folds, columns ``FIT`` and ``FOLD_METRICS``.
    """
    long = wide.melt([*FIT, "prevalence"], [name for name in FOLD_METRICS if name != "prevalence"], "metric")
    long = long[long["value"].isna()]
    reasons = [why_undefined(*pair) for pair in zip(long["metric"], long["prevalence"], strict=True)]
    return (
        long.assign(reason=reasons)
        .groupby([*SETTING, "metric", "reason"], dropna=False)
        .size()
        .rename("n_folds")
        .reset_index()[UNDEFINED]
    )


def long_scores(wide: "pd.DataFrame", fits: "pd.DataFrame", expected: "pd.DataFrame") -> "pd.DataFrame":
    """Return the scores and the costs of the fits of the table, columns ``FIT, metric, value``.

    Parameters
    ----------
    wide
        Scores of the folds, columns ``FIT`` and ``FOLD_METRICS``.
    fits
        Costs of every fit, columns ``FITS``.
    expected
        The fits of the table, columns ``FIT``.
    """
    import pandas as pd

    # a cost that was not measured has no row; a score that does not exist has one, with NaN
    costs = expected.merge(fits[[*FIT, *COSTS]], on=FIT).melt(FIT, COSTS, "metric").dropna(subset="value")
    scores = wide.melt(FIT, list(FOLD_METRICS), "metric")
    long = pd.concat([part for part in (scores, costs) if len(part)] or [scores])
    order = {name: number for number, name in enumerate((*FOLD_METRICS, *COSTS))}
    return long.assign(order=long["metric"].map(order)).sort_values([*FIT, "order"], ignore_index=True)[SCORES]
