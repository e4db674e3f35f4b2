"""One sample's part of the report, as MultiQC custom content (https://docs.seqera.io/multiqc/custom_content)."""

import html
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.report import words
from pharmacell.report.figures.style import MODEL_NAMES
from pharmacell.report.key_genes import write_key_genes
from pharmacell.report.results import Results
from pharmacell.report.trajectory import write_trajectory
from pharmacell.report.writer import VERDICT_COLOURS, Writer, definitions

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.report.figures.style import Drawn

# Figures of the chapter "Evidence" and what each is about; MultiQC sorts a chapter's sections by name
EVIDENCE = {
    "reliability": "calibration",
    "members": "members of the ensemble",
    "null_spread": "spread of the scores",
    "significance": "which cells stand out",
}
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
        Figure name to picture and caption, as :func:`pharmacell.report.figures.sample.draw_sample` returns it.
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
    evidence(write, results, drawn)
    write.picture("prediction", drawn.get("probabilities"), words.prediction(results))
    if results.model_metrics is not None:
        write.table(
            "scores",
            "All models",
            score_rows(results, results.model_metrics),
            "Values with 95 % bootstrap intervals. Compare average precision with prevalence, which guessing "
            "reaches; for the Brier score, lower is better.",
        )
    write.picture("scores", drawn.get("scores"), part="scores")
    write.picture("scores", drawn.get("curves"), part="ROC and precision-recall")
    write.picture("cells", drawn.get("embedding"))
    write_key_genes(write, results, drawn)
    write_trajectory(write, results, drawn)
    write.table(
        "bulk",
        "All models",
        score_rows(results, results.source_metrics),
        "Cell lines that no model was trained on. Values with 95 % bootstrap intervals.",
    )
    write.picture("bulk", drawn.get("source"))
    write.picture("quality", drawn.get("quality"), words.quality(results))
    write.picture("training", drawn.get("losses"))
    write.text("run", results.label, definitions(words.settings(results)))


def evidence(write: "Writer", results: Results, drawn: dict[str, "Drawn"]) -> None:
    """Write the chapter of what stands behind the verdict, or why there is nothing to draw."""
    if not any(name in drawn for name in EVIDENCE):
        write.text("evidence", results.label, f"<p>{html.escape(words.NETWORK_ALONE)}</p>")
    for name, part in EVIDENCE.items():
        told = words.significance(results) if name == "significance" else ""
        write.picture("evidence", drawn.get(name), told, part)


def verdict(results: Results) -> str:
    """Return the verdict of a sample as html: the word, what it means, the reasons."""
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
    """Return a row for each model with each score and its interval as text."""
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
