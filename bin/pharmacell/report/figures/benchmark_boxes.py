"""How widely each model's scores differ between folds."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.benchmark_style import CHANCE, METRIC_NAMES, Look
from pharmacell.report.figures.style import BLACK, GREY, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

THIN = {"linewidth": 0.6}
SHOWN = ("auroc", "average_precision", "f1_weighted", "mcc")


def draw_boxes(scores: "pd.DataFrame", look: dict[str, Look], title: str) -> "Figure":
    """Draw a box over the folds for each model, and a dot for the mean of each repeat.

    Parameters
    ----------
    scores
        Scores of the folds of one dataset and protocol, one setting a model: ``model, repeat`` and a column a score.
    look
        Model to its look, in the order of the boxes.
    title
        Title of the figure.
    """
    models = [name for name in look if name in set(scores["model"])]
    figure, axes = panels(len(SHOWN), 4, title, False, size=(1.9, 0.8 + 0.17 * len(models)))
    for position, (axis, metric) in enumerate(zip(axes, SHOWN, strict=True)):
        for height, model in enumerate(models):
            rows = scores[scores["model"] == model]
            if not len(values := rows[metric].dropna()):
                axis.text(0.02, height, "undefined", fontsize=6, va="center", color=GREY)
                continue
            axis.boxplot(
                values,
                positions=[height],
                orientation="horizontal",
                widths=0.6,
                showfliers=False,
                manage_ticks=False,
                patch_artist=True,
                medianprops={"color": BLACK},
                whiskerprops=THIN,
                capprops=THIN,
                boxprops=THIN | {"facecolor": look[model].colour, "alpha": 0.35},
            )
            repeats = rows.groupby("repeat")[metric].mean()
            axis.plot(repeats, np.full(len(repeats), height), ".", color=BLACK, markersize=3)
        if metric in CHANCE:
            axis.axvline(CHANCE[metric], color=GREY, linestyle=":", linewidth=1)
        axis.set_yticks(range(len(models)), [look[model].title for model in models] if position == 0 else [])
        least = scores[metric].min()
        axis.set(
            ylim=(len(models) - 0.4, -0.6),
            title=METRIC_NAMES[metric],
            xlim=(min(0.0, least if np.isfinite(least) else 0.0) - 0.03, 1.03),
        )
    return figure
