"""The benchmark's part of the report."""

import html
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.benchmark.main_settings import REFERENCE
from pharmacell.benchmark.paper_tables import EXPLANATION, METRIC_TITLES
from pharmacell.benchmark.summary import Summary, costs_of
from pharmacell.report.writer import Writer

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.report.figure_table import FigureEntry
    from pharmacell.report.figures.style import Drawn

NAME = "benchmark"
LIMITS = (
    "Folds drawn at random over cells put cells of one origin on both sides, so they score how well a model knows the "
    "origin of a cell as much as its response; leave_group_out holds whole origins out. The folds of a dataset share "
    "their training cells and are not independent: the corrected t-test allows for that, the Wilcoxon test does not."
)
TESTS_SHOWN = ("auroc", "average_precision", "f1_weighted", "mcc")


def write_benchmark(summary: Summary, drawn: dict[str, tuple["FigureEntry", str, "Drawn"]], folder: Path) -> None:
    """Write tables, texts and pictures of a benchmark for the report.

    Parameters
    ----------
    summary
        What the benchmark says.
    drawn
        As :func:`pharmacell.report.benchmark_figures.draw_benchmark` returns it.
    folder
        Where the files go.
    """
    write = Writer(NAME, "All models", folder)
    write.text("benchmark", "1 How complete it is", completeness(summary), LIMITS)
    for number, (name, table) in enumerate(summary.tables.items(), start=2):
        if len(table):
            own = Writer(name, "All models", folder)
            own.text("benchmark", f"{number} Table {name[-1]}", as_html(table), EXPLANATION)
    write.text("benchmark_tests", f"Every model against {REFERENCE}", tests(summary))
    ranks(write, summary)
    for name, (entry, part, picture) in drawn.items():
        Writer(name, f"{part}: {entry.part}", folder).picture(entry.chapter, picture)
    write.text(
        "benchmark_costs",
        "Time and memory of the fits",
        as_html(costs_of(summary.fits)),
        "Mean and total wall time and the highest peak memory over the fits of a setting.",
    )


def completeness(summary: Summary) -> str:
    """Say how many fits there are and name those that are missing, and the scores that do not exist.

    Parameters
    ----------
    summary
        What the benchmark says.
    """
    n, gone = len(summary.expected), summary.missing
    lines = [f"<p>{n - len(gone):,} of {n:,} fits have scores.</p>"]
    if len(gone):
        by_setting = gone.groupby([*gone.columns[:6], "reason"], dropna=False, sort=False).size()
        lines.append("<p><b>Missing; the tables give no mean for these:</b></p>")
        lines.append(as_html(by_setting.rename("folds").reset_index()))
    if len(summary.undefined):
        lines.append("<p>Scores that do not exist in some folds, and why:</p>" + as_html(summary.undefined))
    return "\n".join(lines)


def tests(summary: Summary) -> str:
    """Return the tests of the scores that are told, or why there is none.

    Parameters
    ----------
    summary
        What the benchmark says.
    """
    if not len(summary.statistics):
        run = "was run with no other model" if REFERENCE in set(summary.expected["model"]) else "was not run"
        return f"<p>Nothing to compare: {REFERENCE} {run}.</p>"
    shown = summary.statistics[summary.statistics["metric"].isin(TESTS_SHOWN)]
    columns = [
        "protocol",
        "dataset",
        "metric",
        "model",
        "difference",
        "low",
        "high",
        "p_holm",
        "wilcoxon_p_holm",
        "effect_size",
        "superiority",
        "better",
        "note",
    ]
    return as_html(shown[columns])


def ranks(write: Writer, summary: Summary) -> None:
    """Write Friedman's test of each protocol and score.

    Parameters
    ----------
    write
        Writes the sections.
    summary
        What the benchmark says.
    """
    rows = [
        f"<li>{html.escape(f'{protocol}, {METRIC_TITLES[metric]}')}: "
        + (f"chi-square {found.statistic:.2f}, p = {found.p:.3g}. " if found.pairwise is not None else "")
        + f"{html.escape(found.note)}</li>"
        for (protocol, metric), found in summary.rankings.items()
    ]
    write.text("benchmark_tests", "Ranks over datasets", f"<ul>{''.join(rows)}</ul>", part="Friedman")


def as_html(table: "pd.DataFrame") -> str:
    """Return a table as html that scrolls when it is wide, numbers with four significant digits.

    Parameters
    ----------
    table
        What to show; its column names become titles.
    """
    shown = table.astype(object).where(table.notna(), "")
    shown.columns = [METRIC_TITLES.get(name, name.replace("_", " ")) for name in shown]
    content = shown.to_html(index=False, border=0, justify="left", float_format=lambda value: f"{value:.4g}")
    return f'<div style="overflow-x: auto; white-space: nowrap; font-size: 0.85em">{content}</div>'
