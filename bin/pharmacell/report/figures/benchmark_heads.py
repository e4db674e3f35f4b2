"""Scores against the number of attention heads."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.benchmark_style import METRIC_NAMES, title_of
from pharmacell.report.figures.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILION, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SHOWN = ("auroc", "average_precision", "f1_weighted", "mcc")
COLOURS = (BLACK, VERMILION, BLUE, GREEN, ORANGE, PURPLE)
MARKERS = ("o", "s", "^", "D", "v", "P")


def draw_heads(means: "pd.DataFrame", title: str) -> "Figure | None":
    """Draw one panel for each score and one line for each model and sampling, with the deviation over repeats.

    Parameters
    ----------
    means
        Mean scores of all settings of one dataset and protocol: ``model, heads, sampling, metric, mean, sd``; rows
        without heads are left out.
    title
        Title of the figure.

    Returns
    -------
    Figure
        None when no model was run with two or more numbers of heads.
    """
    swept = means[means["heads"].notna() & means["metric"].isin(SHOWN)]
    several = swept.groupby(["model", "sampling"])["heads"].transform("nunique") > 1
    lines = list(swept[several].groupby(["model", "sampling"], sort=False))
    if not lines:
        return None
    heads = sorted(swept.loc[several, "heads"].unique())
    place = {number: position for position, number in enumerate(heads)}
    figure, axes = panels(len(SHOWN), 4, title, False, size=(1.9, 2.1))
    for axis, metric in zip(axes, SHOWN, strict=True):
        for number, ((model, sampling), rows) in enumerate(lines):
            rows = rows[rows["metric"] == metric].sort_values("heads")
            x, mean, sd = rows["heads"].map(place).to_numpy(float), rows["mean"].to_numpy(), rows["sd"].to_numpy()
            colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
            axis.plot(
                x, mean, color=colour, marker=marker, markersize=4, label=f"{title_of(model)}, sampling {sampling}"
            )
            axis.fill_between(
                x, mean - np.nan_to_num(sd), mean + np.nan_to_num(sd), color=colour, alpha=0.15, linewidth=0
            )
        axis.set_xticks(range(len(heads)), [str(number) for number in heads])
        axis.set(xlabel="attention heads", title=METRIC_NAMES[metric], xlim=(-0.3, len(heads) - 0.7))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
