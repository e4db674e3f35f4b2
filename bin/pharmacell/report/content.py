"""One sample's part of the report for one drug."""

import html
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.report import words
from pharmacell.report.answer import answer
from pharmacell.report.figure_table import write_figures
from pharmacell.report.figures.style import MODEL_NAMES
from pharmacell.report.groups import write_groups
from pharmacell.report.key_genes import write_key_genes
from pharmacell.report.results import Results
from pharmacell.report.sample_figures import SAMPLE_FIGURES
from pharmacell.report.trajectory import write_trajectory
from pharmacell.report.writer import Writer, definitions, table

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
GUESSING = "Guessing reaches an AUROC of 0.5 and an average precision as high as the prevalence."


def write_content(results: Results, drawn: dict[str, "Drawn"], folder: Path, seed: int = 0) -> None:
    """Write the sample's row, tables, texts and pictures for the report.

    Parameters
    ----------
    results
        One sample's results.
    drawn
        Figure name to picture and caption, as :func:`pharmacell.report.sample_figures.draw_sample` returns it.
    folder
        Where the files go.
    seed
        Seed of the choice of points of the small map.
    """
    write = Writer(results.sample, results.label, folder, results.drug)
    write.answer(answer(results, seed))
    write_groups(write, results)
    write_key_genes(write, results)
    write_trajectory(write, results)
    write_evidence(write, results)
    write_figures(write, SAMPLE_FIGURES, drawn, results)
    write.text("run", results.label, definitions(words.settings(results)))


def write_evidence(write: Writer, results: Results) -> None:
    """Write what the verdict means, all reasons, and the scores where the truth is known.

    Parameters
    ----------
    write
        Writes the sections.
    results
        One sample's results.
    """
    word = str(results.diagnostics.get("verdict", "uncertain"))
    reasons = "".join(
        f"<li>{html.escape(words.sentence(str(reason)))}</li>" for reason in results.diagnostics.get("reasons", [])
    )
    content = f"<p><b>{html.escape(word.capitalize())}.</b> {html.escape(words.MEANING.get(word, ''))}</p>"
    write.text("evidence", results.label, f"{content}<ul>{reasons}</ul>", part="reasons")
    if results.card is None or results.card.shifted_scores is None:
        write.text("evidence", results.label, f"<p>{html.escape(words.NETWORK_ALONE)}</p>", part="network alone")
    if results.model_metrics is not None:
        rows = score_rows(results.model_metrics)
        write.text(
            "evidence", results.label, table(rows, "model"), f"Scores on these cells. {GUESSING}", "table of scores"
        )
    rows = score_rows(results.source_metrics)
    description = f"Scores on held-out bulk lines. {GUESSING}"
    write.text("evidence", results.label, table(rows, "model"), description, "table of bulk lines")


def score_rows(scores: "pd.DataFrame") -> dict[str, dict[str, str]]:
    """Return a row for each model with each score and its 95 % bootstrap interval as text.

    Parameters
    ----------
    scores
        ``model, metric, value, low, high``.
    """
    rows: dict[str, dict[str, str]] = {}
    for row in scores.itertuples():
        if row.metric in SCORES_SHOWN:
            name = MODEL_NAMES.get(row.model, row.model)
            rows.setdefault(name, {})[row.metric] = words.with_interval(row.value, row.low, row.high)
    order = list(SCORES_SHOWN)
    return {
        name: {SCORES_SHOWN[metric]: row[metric] for metric in sorted(row, key=order.index)}
        for name, row in rows.items()
    }
