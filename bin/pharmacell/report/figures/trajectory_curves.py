"""Key genes along the ordering of the cells, as smooth curves."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.style import BLACK, panels
from pharmacell.report.figures.trajectory_heatmap import CLASS_COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

COLUMNS = 4


def draw_trajectory_curves(curves: "pd.DataFrame", unit: str, title: str, simulated: bool) -> "Figure":
    """Draw a panel for each feature: its smoothed value and the band that holds the mean.

    Parameters
    ----------
    curves
        ``feature, class, position, value, low, high``; class gives a curve its colour.
    unit
        What the values of genes are.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    features = list(curves.groupby("feature", sort=False))
    figure, axes = panels(len(features), COLUMNS, title, simulated, size=(1.8, 1.45))
    for number, (axis, (name, curve)) in enumerate(zip(axes, features, strict=True)):
        colour = CLASS_COLOURS.get(curve["class"].iloc[0], BLACK)
        axis.fill_between(curve["position"], curve["low"], curve["high"], color=colour, alpha=0.25, linewidth=0)
        axis.plot(curve["position"], curve["value"], color=colour)
        axis.set(title=name, xlim=(0, 1), xticks=[0, 1], xticklabels=["root", "last"])
        if number % COLUMNS == 0:
            axis.set_ylabel(unit if number else "probability")
        elif number == 1:
            axis.set_ylabel(unit)
    return figure
