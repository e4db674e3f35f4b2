"""Whether the attribution methods agree on the genes."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SHORT = {
    "integrated gradients": "integrated\ngradients",
    "DeepLift": "DeepLift",
    "relevance propagation": "relevance\npropagation",
    "whole score": "whole\nscore",
}


def draw_attribution_methods(agreement: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw a square for each class: rank correlation below the diagonal, overlap of the first 100 genes above it.

    Parameters
    ----------
    agreement
        ``class, method, other, spearman, overlap, overlap_by_chance``.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    classes = list(dict.fromkeys(agreement["class"]))
    names = list(dict.fromkeys([*agreement["method"], *agreement["other"]]))
    figure, axes = panels(len(classes), 2, title, simulated, size=(3.5, 3.3))
    for axis, name in zip(axes, classes, strict=True):
        values = np.full((len(names), len(names)), np.nan)
        for row in agreement[agreement["class"] == name].itertuples():
            one, two = names.index(row.method), names.index(row.other)
            values[two, one], values[one, two] = row.spearman, row.overlap
        drawn = axis.imshow(values, vmin=0, vmax=1, cmap="cividis")
        for (y, x), value in np.ndenumerate(values):
            if np.isfinite(value):
                axis.text(x, y, f"{value:.2f}", ha="center", va="center", color="white" if value < 0.6 else "black")
        labels = [SHORT.get(method, method) for method in names]
        axis.set_xticks(range(len(names)), labels, fontsize=6)
        axis.set_yticks(range(len(names)), labels, fontsize=6)
        axis.tick_params(length=0)
        axis.set_title(f"towards {name}")
    chance = agreement["overlap_by_chance"].iloc[0]
    figure.colorbar(
        drawn,
        ax=axes,
        location="bottom",
        shrink=0.5,
        aspect=35,
        pad=0.02,
        label=f"below: Spearman's rho; above: overlap of the first 100 (by chance {chance:.2f})",
    )
    return figure
