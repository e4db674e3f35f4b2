"""One sample's part of the report, as MultiQC custom content (https://docs.seqera.io/multiqc/custom_content)."""

import html
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.report import words
from pharmacell.report.figure_table import write_figures
from pharmacell.report.figures.style import MODEL_NAMES
from pharmacell.report.key_genes import write_key_genes
from pharmacell.report.results import Results
from pharmacell.report.sample_figures import SAMPLE_FIGURES
from pharmacell.report.trajectory import write_trajectory
from pharmacell.report.writer import VERDICT_COLOURS, Writer, definitions

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.report.figures.style import Drawn

SCORES_SHOWN = {
    "auroc": "AUROC",
    "average_precision": "average precision",
    "prevalence": "prevalence",
    "f1": "F1",
    "f1_weighted": "weighted F1",
    "precision": "precision",
    "recall": "recall",
    "mcc": "MCC",
    "brier": "Brier score",
    "balanced_accuracy": "balanced accuracy",
}


def write_content(results: Results, drawn: dict[str, "Drawn"], folder: Path) -> None:
    """Write the sample's tables, texts and pictures for the report.

    Parameters
    ----------
    results
        One sample's results.
    drawn
        Figure name to picture and caption, as :func:`pharmacell.report.sample_figures.draw_sample` returns it.
    folder
        Where the files go; tables of several samples are joined by their identifier when the report is made.
    """
    write = Writer(results.sample, results.label, folder)
    write.table(
        "verdict",
        "All samples",
        {results.label: words.overview(results)},
        "One line a sample. AUROC: 0.5 is guessing, 1 is perfect.",
    )
    write.text("verdict", results.label, verdict(results))
    if not any(SAMPLE_FIGURES[name].chapter == "evidence" for name in drawn):
        write.text("evidence", results.label, f"<p>{html.escape(words.NETWORK_ALONE)}</p>")
    if results.model_metrics is not None:
        write.table(
            "scores",
            "All models",
            score_rows(results, results.model_metrics),
            "Values with 95 % bootstrap intervals. Compare average precision with prevalence, which guessing "
            "reaches; for the Brier score, lower is better.",
        )
    write_key_genes(write, results)
    write_trajectory(write, results)
    write.table(
        "bulk",
        "All models",
        score_rows(results, results.source_metrics),
        "Cell lines that no model was trained on. Values with 95 % bootstrap intervals.",
    )
    write_figures(write, SAMPLE_FIGURES, drawn, results)
    write.text("run", results.label, definitions(words.settings(results)))


def verdict(results: Results) -> str:
    """Return the verdict of a sample as html: the word, what it means, the reasons.

    Parameters
    ----------
    results
        One sample's results.
    """
    word = str(results.diagnostics.get("verdict", "uncertain"))
    reasons = "".join(
        f"<li>{html.escape(words.sentence(str(reason)))}</li>" for reason in results.diagnostics.get("reasons", [])
    )
    colour = VERDICT_COLOURS.get(word, VERDICT_COLOURS["uncertain"])
    return (
        f'<div class="pharmacell-verdict" style="border-color: {colour}">'
        f'<p class="pharmacell-word">{html.escape(results.drug)}: <b>{html.escape(word)}</b></p>'
        f"<p>{html.escape(words.MEANING.get(word, ''))}</p><ul>{reasons}</ul></div>"
    )


def score_rows(results: Results, scores: "pd.DataFrame") -> dict[str, dict[str, str]]:
    """Return a row for each model with each score and its interval as text.

    Parameters
    ----------
    results
        One sample's results.
    scores
        ``model, metric, value, low, high``.
    """
    rows: dict[str, dict[str, str]] = {}
    for row in scores.itertuples():
        if row.metric in SCORES_SHOWN:
            name = f"{results.label}: {MODEL_NAMES.get(row.model, row.model)}"
            rows.setdefault(name, {})[row.metric] = words.with_interval(row.value, row.low, row.high)
    order = list(SCORES_SHOWN)
    return {
        name: {SCORES_SHOWN[metric]: row[metric] for metric in sorted(row, key=order.index)}
        for name, row in rows.items()
    }
