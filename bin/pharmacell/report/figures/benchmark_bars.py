"""Every score of every model as bars."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.benchmark_style import CHANCE, METRIC_NAMES, Look
from pharmacell.report.figures.style import BLACK, GREY, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_bars(means: "pd.DataFrame", look: dict[str, Look], title: str) -> "Figure":
    """Draw one panel for each score, one bar for each model, with the standard deviation over repeats.

    Parameters
    ----------
    means
        Mean scores of one dataset and protocol, one setting a model: ``model, metric, mean, sd, n_missing``.
    look
        Model to its look, in the order of the bars.
    title
        Title of the figure.
    """
    models = [name for name in look if name in set(means["model"])]
    figure, axes = panels(len(METRIC_NAMES), 4, title, False, size=(1.9, 0.7 + 0.15 * len(models)))
    prevalence = means.loc[means["metric"] == "prevalence", "mean"].max()
    for position, (axis, (metric, name)) in enumerate(zip(axes, METRIC_NAMES.items(), strict=True)):
        rows = means[means["metric"] == metric].set_index("model").reindex(models)
        heights = range(len(models))
        axis.barh(heights, rows["mean"], color=[look[model].colour for model in models], height=0.7)
        axis.errorbar(rows["mean"], heights, xerr=rows["sd"].fillna(0), fmt="none", ecolor="#444444", elinewidth=0.8)
        say_what_is_not_there(axis, rows)
        level = prevalence if metric == "average_precision" else CHANCE.get(metric)
        if level is not None and np.isfinite(level):
            axis.axvline(level, color=BLACK, linestyle=":", linewidth=0.8)
        axis.set_yticks(heights, [look[model].title for model in models] if position % 4 == 0 else [])
        least = min(0.0, (rows["mean"] - rows["sd"].fillna(0)).min()) if rows["mean"].notna().any() else 0.0
        axis.set_xticks([0, 0.5, 1])
        axis.set(xlim=(1.05 * least, 1.02), ylim=(len(models) - 0.4, -0.6), title=name)
        axis.tick_params(axis="y", length=0)
    return figure


def say_what_is_not_there(axis: "Axes", rows: "pd.DataFrame") -> None:
    """Write ``missing`` or ``undefined`` where a bar would stand.

    Parameters
    ----------
    axis
        Where to draw.
    rows
        Mean scores of the models in the order of the bars.
    """
    for height, row in enumerate(rows.itertuples()):
        if not np.isfinite(row.mean):
            axis.text(0.02, height, "missing" if row.n_missing else "undefined", fontsize=6, va="center", color=GREY)
