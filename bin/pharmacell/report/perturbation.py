"""The part of the report on perturbation models."""

import html
import math
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.perturbation.comparison import RANKED_BY, Comparison
from pharmacell.perturbation.models.registry import NO_ENCODING, title_of
from pharmacell.perturbation.published import read_published
from pharmacell.report.figure_table import write_figures
from pharmacell.report.figures.perturbation_scores import metric_titles
from pharmacell.report.perturbation_figures import PERTURBATION_FIGURES
from pharmacell.report.writer import Writer

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.report.figures.style import Drawn

NAME = "perturbation"
MEANING = (
    "Scores of rows (a compound in a cell type) that a model had not learned from, averaged over rows and seeds; {}. "
    "The gain is over the best baseline, with its 95 % interval (bootstrap over "
    "compounds, the same draws for all models); above 0 is better. gains.csv has the gains in every score."
)
SIGNS = (
    "Mean absolute error (MAE) over all genes, over those whose sign was predicted right and over the others, and the "
    "share of genes whose sign is right. {zeros:.1%} of the true values are exactly 0: that is a third sign, which a "
    "network never predicts. Published: as the study prints it; its split is not stated, and its rows and values are "
    "not these, so the two columns tell of different tasks."
)
SIGN_METRICS = ("mae", "mae_sign_right", "mae_sign_wrong", "sign_accuracy")
STUDY_ENCODING = "ordinal"
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
        label = comparison.label(protocol)
        write = Writer(f"{NAME}_{label}", label, folder)
        gains, titles = comparison.of(comparison.gains, protocol), metric_titles(comparison.p_values)
        content = f"<p>{html.escape(verdict(gains, comparison.simulated))}</p>{score_table(gains, titles)}"
        values = (
            "p is that of the differential expression" if comparison.p_values else f"predicted is the {comparison.unit}"
        )
        meaning = MEANING.format(values)
        write.text(
            "perturbation", label, content, f"To predict: {PROTOCOLS.get(protocol, protocol)}. {meaning}", "1 scores"
        )
        caption = SIGNS.format(zeros=comparison.zeros[protocol])
        signs = sign_table(gains, titles, read_published())
        write.text("perturbation", label, signs, caption, "5 signs beside the study's")
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


def score_table(gains: "pd.DataFrame", titles: dict[str, str]) -> str:
    """Return a row for each model, a column for each score and the gain in MRRMSE, as html.

    Parameters
    ----------
    gains
        Rows of one protocol of ``gains.csv``, with ``name`` and ``kind``.
    titles
        Of the scores.
    """
    wide = gains.pivot(index="name", columns="metric", values="value")[list(titles)]
    wide = wide.map(lambda value: f"{value:.3f}" if math.isfinite(value) else "not defined")
    ranked = gains[gains["metric"] == RANKED_BY].set_index("name")
    wide.insert(1, "gain in MRRMSE", [gain(ranked.loc[name]) for name in wide.index])
    wide = wide.loc[list(dict.fromkeys(gains["name"]))].rename(columns=titles)
    wide.index.name = wide.columns.name = None
    return wide.to_html(border=0)


def sign_table(gains: "pd.DataFrame", titles: dict[str, str], published: "pd.Series") -> str:
    """Return errors and sign accuracy of each model, with the study's figures beside its networks, as html.

    Parameters
    ----------
    gains
        Rows of one protocol of ``gains.csv``, with ``name`` and ``kind``.
    titles
        Of the scores.
    published
        From :func:`pharmacell.perturbation.published.read_published`.
    """
    wide = gains.pivot(index="name", columns="metric", values="value")[list(SIGN_METRICS)]
    wide = wide.map(lambda value: f"{value:.3f}" if math.isfinite(value) else "not defined")
    models = gains.drop_duplicates("name").set_index("name")
    for metric in ("mae", "sign_accuracy"):
        column = wide.columns.get_loc(metric) + 1
        values = [
            published.get((models.loc[name, "model"], metric))
            if models.loc[name, "encoding"] == STUDY_ENCODING
            else None
            for name in wide.index
        ]
        printed = ["" if value is None else f"{value:.3f}" for value in values]
        wide.insert(column, f"{titles[metric]}, published", printed)
    wide = wide.loc[list(dict.fromkeys(gains["name"]))].rename(columns=titles)
    wide.index.name = wide.columns.name = None
    return wide.to_html(border=0, classes="table table-sm")


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
