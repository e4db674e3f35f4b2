"""The part of the report on perturbation models."""

import html
import math
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.perturbation.comparison import RANKED_BY, Comparison
from pharmacell.perturbation.models.registry import NO_ENCODING, title_of
from pharmacell.report.figure_table import write_figures
from pharmacell.report.figures.perturbation_scores import METRIC_TITLES
from pharmacell.report.perturbation_figures import PERTURBATION_FIGURES
from pharmacell.report.writer import Writer

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.report.figures.style import Drawn

NAME = "perturbation"
MEANING = (
    "Scores of rows (a compound in a cell type) that a model had not learned from, averaged over rows and seeds; p is "
    "that of the differential expression. The gain is over the best baseline, with its 95 % interval (bootstrap over "
    "compounds, the same draws for all models); above 0 is better. gains.csv has the gains in every score."
)
PROTOCOLS = {
    "random": "rows held out at random: compound and cell type are known, only their pair is new",
    "leave_compound_out": "new compounds",
    "leave_scaffold_out": "new compounds with scaffolds that were never seen",
    "leave_cell_type_out": "a new cell type",
    "kaggle": "a cell type of which at most 17 compounds are known, with compounds known from other cell types",
    "predefined": "the split that the table names",
}


def write_comparison(comparison: Comparison, drawn: dict[str, dict[str, "Drawn"]], folder: Path) -> None:
    """Write tables, texts and pictures for the report.

    Parameters
    ----------
    comparison
        What was found.
    drawn
        As :func:`pharmacell.report.perturbation_figures.draw_comparison` returns it.
    folder
        Where the files go.
    """
    for protocol in comparison.protocols:
        write = Writer(f"{NAME}_{protocol}", protocol, folder)
        gains = comparison.of(comparison.gains, protocol)
        content = f"<p>{html.escape(verdict(gains, comparison.simulated))}</p>{score_table(gains)}"
        write.text(
            "perturbation", protocol, content, f"To predict: {PROTOCOLS.get(protocol, protocol)}. {MEANING}", "1 scores"
        )
        write_figures(write, PERTURBATION_FIGURES, drawn[protocol], comparison)


def verdict(gains: "pd.DataFrame", simulated: bool) -> str:
    """Say which models beat the best baseline by MRRMSE, and which do not.

    Parameters
    ----------
    gains
        Rows of one protocol of ``gains.csv``, with ``name`` and ``kind``.
    simulated
        Whether the values were simulated.
    """
    rows = gains[(gains["metric"] == RANKED_BY) & (gains["kind"] != "baseline")]
    better, worse = rows[rows["low"] > 0], rows[rows["high"] < 0]
    unclear = rows.drop(index=[*better.index, *worse.index])
    baseline = gains.loc[gains["metric"] == RANKED_BY, "baseline"].iloc[0]
    named = title_of(baseline, NO_ENCODING) if baseline else "none was run"
    said = [f"By MRRMSE the best baseline is {named}."]
    for words, group in (("Better than it: ", better), ("Worse: ", worse), ("Not to be told apart from it: ", unclear)):
        if len(group):
            said.append(f"{words}{'; '.join(group['name'])}.")
    return " ".join([*said, "All values are simulated." if simulated else ""]).strip()


def score_table(gains: "pd.DataFrame") -> str:
    """Return a row for each model, a column for each score and the gain in MRRMSE, as html.

    Parameters
    ----------
    gains
        Rows of one protocol of ``gains.csv``, with ``name`` and ``kind``.
    """
    wide = gains.pivot(index="name", columns="metric", values="value")[list(METRIC_TITLES)]
    wide = wide.map(lambda value: f"{value:.3f}" if math.isfinite(value) else "not defined")
    ranked = gains[gains["metric"] == RANKED_BY].set_index("name")
    wide.insert(1, "gain in MRRMSE", [gain(ranked.loc[name]) for name in wide.index])
    wide = wide.loc[list(dict.fromkeys(gains["name"]))].rename(columns=METRIC_TITLES)
    wide.index.name = wide.columns.name = None
    return wide.to_html(border=0)


def gain(row: "pd.Series") -> str:
    """Return the gain over the best baseline with its interval; nothing for a baseline.

    Parameters
    ----------
    row
        Of ``gains.csv``, with ``kind``.
    """
    if row["kind"] == "baseline" or not math.isfinite(row["low"]):
        return ""
    return f"{row['gain']:+.3f} ({row['low']:+.3f}\u00a0to\u00a0{row['high']:+.3f})"
