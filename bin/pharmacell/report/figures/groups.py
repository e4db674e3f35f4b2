"""The probabilities of the cells of each group."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import BLACK, BLUE, GREY, panels
from pharmacell.response.columns import PROBABILITY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

GROUPS_AT_MOST = 30  # the largest ones are drawn


def draw_groups(cells: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw a box for each group, the most sensitive first, with its number of cells.

    Parameters
    ----------
    cells
        ``group, probability``, one row a cell.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    largest = cells["group"].value_counts().index[:GROUPS_AT_MOST]
    values = {name: cells.loc[cells["group"] == name, PROBABILITY].to_numpy() for name in largest}
    names = sorted(values, key=lambda name: -values[name].mean())
    figure, (axis,) = panels(1, 1, title, simulated, size=(4.6, 0.7 + 0.22 * len(names)))
    places = np.arange(len(names))[::-1]
    axis.boxplot(
        [values[name] for name in names],
        positions=places,
        orientation="horizontal",
        widths=0.6,
        showfliers=False,
        patch_artist=True,
        boxprops={"facecolor": BLUE, "alpha": 0.35, "linewidth": 0.6},
        medianprops={"color": BLACK},
        whiskerprops={"linewidth": 0.6},
        capprops={"linewidth": 0.6},
    )
    axis.axvline(0.5, color=GREY, linestyle="--", linewidth=1)
    axis.set_yticks(places, [f"{name} ({len(values[name]):,})" for name in names])
    axis.set(xlim=(0, 1), xlabel="probability of being sensitive")
    return figure
