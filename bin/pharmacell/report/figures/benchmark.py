"""All figures of a benchmark."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.benchmark.columns import SETTING
from pharmacell.benchmark.main_settings import REFERENCE
from pharmacell.benchmark.scores import name_of
from pharmacell.benchmark.summary import Summary
from pharmacell.report.figures.benchmark_bars import draw_bars
from pharmacell.report.figures.benchmark_boxes import draw_boxes
from pharmacell.report.figures.benchmark_curves import draw_fold_curves
from pharmacell.report.figures.benchmark_heads import draw_heads
from pharmacell.report.figures.benchmark_radar import draw_radar
from pharmacell.report.figures.benchmark_ranks import draw_ranks
from pharmacell.report.figures.benchmark_style import Look, looks
from pharmacell.report.figures.style import Drawn, save

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTIONS = {
    "fig2_radar": "Mean scores; further out is better. The line is broken where a score does not exist. Colours go to "
    "the seven models with the highest mean AUROC beside ATSDP-NET; the others are grey.",
    "fig2_bars": "Mean over the means of the repeats, and their standard deviation. Dotted lines are what guessing "
    "reaches (for average precision the prevalence). The deviation says how much the split matters, not "
    "how sure the mean is: repeats share all their cells.",
    "fig2_roc_pr": "Blue: mean curve over the folds of one model and one standard deviation between folds; black: "
    "ATSDP-NET; dotted: guessing. Areas are those of the tables. A fold of few cells has few steps, so "
    "single folds lie far from the mean.",
    "fig3_heads": "Mean and standard deviation over the means of the repeats; 0 heads is the network without "
    "attention. Do not pick the best number here: that would choose on test folds.",
    "fig4_radar": "As Fig. 2, with one panel for each dataset.",
    "boxplots": "Box: middle half of the folds, line: median, whiskers: 1.5 times the box; dots: mean of each repeat.",
    "critical_difference": "Mean rank over datasets. A bar joins models that cannot be told apart at level 0.05.",
}
RANKS_SHOWN = "auroc"


@dataclass(frozen=True)
class Picture:
    """A figure before it is written: what it is called, which part of the benchmark it shows, and the figure."""

    name: str
    part: str
    figure: "Figure"


def draw_benchmark(summary: Summary, folder: Path) -> dict[str, tuple[str, Drawn]]:
    """Draw every figure that the results allow, as png and svg.

    Returns
    -------
    dict
        File name without its end to the part of the benchmark that is shown (dataset and protocol) and the picture.
    """
    drawn = {}
    for picture in pictures(summary):
        file = re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{picture.name}_{picture.part}")
        png, _svg = save(picture.figure, folder, file)
        drawn[file] = (picture.part, Drawn(png, caption(picture.name, summary, picture.part)))
    return drawn


def pictures(summary: Summary) -> Iterator[Picture]:
    """Yield the figures one at a time, so that only one is held in memory."""
    means = summary.means.assign(label=summary.means["dataset"].map(summary.choices.label))
    chosen = means.merge(summary.main, on=SETTING)
    look = looks(chosen, REFERENCE)
    for (dataset, protocol), rows in chosen.groupby(["dataset", "protocol"], sort=False):
        part = f"{dataset}, {protocol}"
        title = f"{summary.choices.label(dataset)}, {rows['drug'].iloc[0]}, protocol {protocol}"
        settings = summary.main.query("dataset == @dataset and protocol == @protocol")
        yield Picture("fig2_radar", part, draw_radar(rows, look, f"Scores: {title}"))
        yield Picture("fig2_bars", part, draw_bars(rows, look, f"Scores: {title}"))
        curves = {row.model: summary.curves[name_of(row)] for row in settings[SETTING].itertuples(index=False)}
        if any(curves.values()):
            yield Picture("fig2_roc_pr", part, curves_of(rows, curves, look, f"Curves: {title}"))
        swept = draw_heads(means[(means["dataset"] == dataset) & (means["protocol"] == protocol)], f"Heads: {title}")
        if swept is not None:
            yield Picture("fig3_heads", part, swept)
        folds = summary.wide.merge(settings, on=SETTING)
        yield Picture("boxplots", part, draw_boxes(folds, look, f"Folds: {title}"))
    for protocol, rows in chosen.groupby("protocol", sort=False):
        yield Picture("fig4_radar", protocol, draw_radar(rows, look, f"Scores by dataset, protocol {protocol}"))
        ranking = summary.rankings[protocol, RANKS_SHOWN]
        yield Picture(
            "critical_difference",
            protocol,
            draw_ranks(ranking, look, f"Mean ranks of {RANKS_SHOWN.upper()} over datasets, protocol {protocol}"),
        )


def curves_of(rows: "pd.DataFrame", curves: dict, look: dict[str, Look], title: str) -> "Figure":
    """Draw the curves of the models that have all their folds; a mean of what is left would compare other cells."""
    values = rows.pivot(index="model", columns="metric", values="mean")
    whole = values[values["auroc"].notna()]
    areas = {model: (row["auroc"], row["average_precision"]) for model, row in whole.iterrows()}
    kept = {model: folds for model, folds in curves.items() if model in areas}
    return draw_fold_curves(kept, look, areas, values["prevalence"].max(), REFERENCE, title)


def caption(name: str, summary: Summary, part: str) -> str:
    """Return what to say below a figure, and which models have gaps."""
    missing = summary.missing.merge(summary.main, on=SETTING)
    shown = missing[(missing["dataset"] + ", " + missing["protocol"] == part) | (missing["protocol"] == part)]
    gaps = sorted(shown["model"].unique())
    return CAPTIONS[name] + (f" Missing, not averaged: {', '.join(gaps)}." if gaps else "")
