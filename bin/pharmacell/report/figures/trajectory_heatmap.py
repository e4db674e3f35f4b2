"""Key genes over the ordered cells, as a heatmap."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import BLACK, RESPONSE_COLOURS, RESPONSE_NAMES, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CLASS_COLOURS = {RESPONSE_NAMES[value]: RESPONSE_COLOURS[value] for value in (1, 0)}
WIDEST = 2.5  # standard deviations; colours do not change beyond


def draw_trajectory_heatmap(bins: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw the mean of each feature in successive bins of cells, each row standardised by itself.

    Parameters
    ----------
    bins
        ``feature, class, bin, value``, features in their order from the top; class gives a name its colour.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    names = list(bins["feature"].unique())
    values = bins.pivot(index="feature", columns="bin", values="value").loc[names].to_numpy(float)
    spread = values.std(1, keepdims=True)
    standardised = (values - values.mean(1, keepdims=True)) / np.where(spread > 0, spread, 1)
    figure, (axis,) = panels(1, 1, title, simulated, size=(3.5, 0.9 + 0.19 * len(names)))
    image = axis.imshow(standardised, aspect="auto", cmap="RdBu_r", vmin=-WIDEST, vmax=WIDEST, interpolation="nearest")
    axis.set_yticks(range(len(names)), names)
    kinds = bins.drop_duplicates("feature")["class"]
    for label, kind in zip(axis.get_yticklabels(), kinds, strict=True):
        label.set_color(CLASS_COLOURS.get(kind, BLACK))
    axis.axhline(0.5, color="white", linewidth=2)
    axis.set_xticks([0, values.shape[1] - 1], ["root", "last"])
    axis.set_xlabel(f"cells in order of pseudotime ({values.shape[1]} bins)")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    figure.colorbar(image, ax=axis, shrink=0.8, aspect=15, pad=0.02, label="standard deviations")
    return figure
