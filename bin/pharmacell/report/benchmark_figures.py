"""The figures of a benchmark, as two tables: those of a dataset under a protocol, and those of a protocol."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.benchmark.columns import SETTING
from pharmacell.benchmark.main_settings import REFERENCE
from pharmacell.benchmark.scores import name_of
from pharmacell.benchmark.summary import Summary
from pharmacell.report.figure_table import FigureEntry, by_name
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

RANKS_SHOWN = "auroc"


@dataclass(frozen=True)
class Shown:
    """What one figure of a benchmark shows.

    Parameters
    ----------
    summary
        Of the whole benchmark.
    rows
        Mean scores of the settings that stand for the models: ``dataset, protocol, model, metric, mean, ...``.
    look
        Colour and marker of each model.
    protocol
        How test cells were held out.
    dataset
        The sample; None: all of the protocol.
    """

    summary: Summary
    rows: "pd.DataFrame"
    look: dict[str, Look]
    protocol: str
    dataset: str | None = None

    @property
    def part(self) -> str:
        """Dataset and protocol, or the protocol alone."""
        return self.protocol if self.dataset is None else f"{self.dataset}, {self.protocol}"

    @property
    def title(self) -> str:
        """Dataset, drug and protocol, as the figures of a dataset are titled."""
        label = self.summary.choices.label(self.dataset or self.protocol)
        return f"{label}, {self.rows['drug'].iloc[0]}, protocol {self.protocol}"

    @property
    def settings(self) -> "pd.DataFrame":
        """The settings that stand for the models on the dataset."""
        main = self.summary.main
        return main[(main["dataset"] == self.dataset) & (main["protocol"] == self.protocol)]


@dataclass(frozen=True)
class Picture:
    """A figure before it is written.

    Parameters
    ----------
    entry
        Its line of the table.
    part
        Of the benchmark: dataset and protocol.
    figure
        What was drawn.
    """

    entry: FigureEntry
    part: str
    figure: "Figure"


def draw_benchmark(summary: Summary, folder: Path) -> dict[str, tuple[FigureEntry, str, Drawn]]:
    """Draw every figure that the results allow, as png and svg.

    Parameters
    ----------
    summary
        What the benchmark says.
    folder
        Where the files go.

    Returns
    -------
    dict
        File name without its end to the figure's line of the table, the part of the benchmark that is shown (dataset
        and protocol) and the picture.
    """
    drawn = {}
    for picture in pictures(summary):
        file = re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{picture.entry.name}_{picture.part}")
        png, _svg = save(picture.figure, folder, file)
        entry = picture.entry
        drawn[file] = (entry, picture.part, Drawn(png, entry.caption + gaps(summary, picture.part), entry.note))
    return drawn


def pictures(summary: Summary) -> Iterator[Picture]:
    """Yield the figures one at a time, so that only one is held in memory.

    Parameters
    ----------
    summary
        What the benchmark says.
    """
    means = summary.means.assign(label=summary.means["dataset"].map(summary.choices.label))
    chosen = means.merge(summary.main, on=SETTING)
    look = looks(chosen, REFERENCE)
    for (dataset, protocol), rows in chosen.groupby(["dataset", "protocol"], sort=False):
        yield from drawn_of(DATASET_FIGURES, Shown(summary, rows, look, protocol, dataset))
    for protocol, rows in chosen.groupby("protocol", sort=False):
        yield from drawn_of(PROTOCOL_FIGURES, Shown(summary, rows, look, protocol))


def drawn_of(entries: dict[str, FigureEntry], shown: Shown) -> Iterator[Picture]:
    """Yield the figures of a table for which there is something to show.

    Parameters
    ----------
    entries
        The table.
    shown
        What they show.
    """
    for entry in entries.values():
        figure = entry.draw(shown)
        if figure is not None:
            yield Picture(entry, shown.part, figure)


def gaps(summary: Summary, part: str) -> str:
    """Say which models have gaps; empty when none has.

    Parameters
    ----------
    summary
        What the benchmark says.
    part
        Dataset and protocol that the figure shows.
    """
    missing = summary.missing.merge(summary.main, on=SETTING)
    shown = missing[(missing["dataset"] + ", " + missing["protocol"] == part) | (missing["protocol"] == part)]
    models = sorted(shown["model"].unique())
    return f" Missing, not averaged: {', '.join(models)}." if models else ""


def _fig2_radar(shown: Shown) -> "Figure":
    return draw_radar(shown.rows, shown.look, f"Scores: {shown.title}")


def _fig2_bars(shown: Shown) -> "Figure":
    return draw_bars(shown.rows, shown.look, f"Scores: {shown.title}")


def _fig2_roc_pr(shown: Shown) -> "Figure | None":
    """Draw the curves of the models that have all their folds; a mean of what is left would compare other cells."""
    curves = {row.model: shown.summary.curves[name_of(row)] for row in shown.settings[SETTING].itertuples(index=False)}
    if not any(curves.values()):
        return None
    values = shown.rows.pivot(index="model", columns="metric", values="mean")
    whole = values[values["auroc"].notna()]
    areas = {str(model): (row["auroc"], row["average_precision"]) for model, row in whole.iterrows()}
    kept = {model: folds for model, folds in curves.items() if model in areas}
    prevalence = values["prevalence"].max()
    return draw_fold_curves(kept, shown.look, areas, prevalence, REFERENCE, f"Curves: {shown.title}")


def _fig3_heads(shown: Shown) -> "Figure | None":
    means = shown.summary.means
    swept = means[(means["dataset"] == shown.dataset) & (means["protocol"] == shown.protocol)]
    return draw_heads(swept, f"Heads: {shown.title}")


def _boxplots(shown: Shown) -> "Figure":
    folds = shown.summary.wide.merge(shown.settings, on=SETTING)
    return draw_boxes(folds, shown.look, f"Folds: {shown.title}")


def _fig4_radar(shown: Shown) -> "Figure":
    return draw_radar(shown.rows, shown.look, f"Scores by dataset, protocol {shown.protocol}")


def _critical_difference(shown: Shown) -> "Figure":
    ranking = shown.summary.rankings[shown.protocol, RANKS_SHOWN]
    title = f"Mean ranks of {RANKS_SHOWN.upper()} over datasets, protocol {shown.protocol}"
    return draw_ranks(ranking, shown.look, title)


DATASET_FIGURES = by_name(
    (
        FigureEntry(
            "fig2_radar",
            _fig2_radar,
            "benchmark_figures",
            "Fig. 2 radar",
            "Further out is better.",
            note="Mean scores. The line is broken where a score does not exist. Colours go to the seven models with "
            "the highest mean AUROC beside ATSDP-NET; the others are grey.",
        ),
        FigureEntry(
            "fig2_bars",
            _fig2_bars,
            "benchmark_figures",
            "Fig. 2 bars",
            "See which models lie clear of the dotted line, which guessing reaches.",
            note="Mean over the means of the repeats, and their standard deviation. For average precision guessing "
            "reaches the prevalence. The deviation says how much the split matters, not how sure the mean is: repeats "
            "share all their cells.",
        ),
        FigureEntry(
            "fig2_roc_pr",
            _fig2_roc_pr,
            "benchmark_figures",
            "Fig. 2 ROC and precision-recall",
            "See whether a model's curve (blue) lies above that of ATSDP-NET (black) and of guessing (dotted).",
            note="Mean curve over the folds and one standard deviation between folds. Areas are those of the tables. A "
            "fold of few cells has few steps, so single folds lie far from the mean.",
        ),
        FigureEntry(
            "fig3_heads",
            _fig3_heads,
            "benchmark_figures",
            "Fig. 3 heads",
            "See whether the number of attention heads matters; do not pick the best one here, on test folds.",
            note="Mean and standard deviation over the means of the repeats; 0 heads is the network without attention.",
        ),
        FigureEntry(
            "boxplots",
            _boxplots,
            "benchmark_figures",
            "boxplots",
            "See how much the scores vary from fold to fold.",
            note="Box: middle half of the folds, line: median, whiskers: 1.5 times the box; dots: mean of each repeat.",
        ),
    )
)
PROTOCOL_FIGURES = by_name(
    (
        FigureEntry(
            "fig4_radar",
            _fig4_radar,
            "benchmark_figures",
            "Fig. 4 radar",
            "Further out is better; one panel a dataset.",
        ),
        FigureEntry(
            "critical_difference",
            _critical_difference,
            "benchmark_figures",
            "ranks",
            "A bar joins models that cannot be told apart at level 0.05.",
            note="Mean rank over datasets.",
        ),
    )
)
