"""Several scores of several models at a glance, one radar for each dataset."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.benchmark_style import METRIC_NAMES, Look
from pharmacell.report.figures.style import GREY, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# each from 0 to 1 and better when higher, so that they can share one scale
SPOKES = ("auroc", "average_precision", "precision", "recall", "f1", "f1_weighted", "balanced_accuracy")


def draw_radar(means: "pd.DataFrame", look: dict[str, Look], title: str) -> "Figure":
    """Draw one closed line for each model, one spoke for each score, one panel for each dataset.

    Parameters
    ----------
    means
        Mean scores, one setting a model: ``label, model, metric, mean``; ``label`` names the dataset.
    look
        Model to its look, in the order of the legend.
    title
        Title of the figure.
    """
    labels = list(dict.fromkeys(means["label"]))
    # a single panel is wider, so that title and legend fit
    figure, axes = panels(len(labels), 2, title, False, size=(3.6 if len(labels) > 1 else 4.8, 3.4), projection="polar")
    angles = np.linspace(0, 2 * np.pi, len(SPOKES), endpoint=False)
    for axis, label in zip(axes, labels, strict=True):
        values = means[means["label"] == label].pivot(index="model", columns="metric", values="mean")
        values = values.reindex(columns=list(SPOKES))
        for model in reversed([name for name in look if name in values.index]):
            around = np.r_[values.loc[model], values.loc[model].iloc[0]]
            style = look[model]
            axis.plot(
                np.r_[angles, angles[0]],
                around,
                color=style.colour,
                marker=style.marker,
                markersize=3,
                linewidth=1.4 if style.coloured else 0.6,
                label=style.title if style.coloured else "other models",
            )
        axis.set_theta_offset(np.pi / 2)
        axis.set_theta_direction(-1)
        axis.set_xticks(angles, [METRIC_NAMES[name].replace(" ", "\n") for name in SPOKES])
        axis.tick_params(axis="x", pad=6)
        axis.set(ylim=(0, 1), title=label if len(labels) > 1 else "")
        axis.set_yticks([0.25, 0.5, 0.75, 1], ["", "0.5", "", "1"])
        axis.set_rlabel_position(360 / len(SPOKES) / 2)
        axis.grid(color=GREY, linewidth=0.4)
        axis.spines["polar"].set_visible(False)
    shared_legend(figure, axes)
    return figure


def shared_legend(figure: "Figure", axes: list) -> None:
    """Put one legend below all panels, each name once, in the order of the models.

    Parameters
    ----------
    figure
        That gets it.
    axes
        Its panels.
    """
    handles = {
        label: handle
        for axis in axes
        for handle, label in reversed(list(zip(*axis.get_legend_handles_labels(), strict=True)))
    }
    grey = handles.pop("other models", None)
    if grey is not None:
        handles["other models"] = grey
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4 if len(axes) > 1 else 3)
