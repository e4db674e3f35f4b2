"""Probability of being sensitive along the pseudotime."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.embedding import NAMES_AT_MOST, legend, point_style
from pharmacell.report.figures.style import BLACK, GREY, colours, panels, thin

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_trajectory_scatter(
    cells: "pd.DataFrame", curve: "pd.DataFrame", title: str, simulated: bool, seed: int
) -> "Figure":
    """Draw each cell's probability against its pseudotime, by condition where there are several, and a smooth curve.

    Parameters
    ----------
    cells
        One row an ordered cell: ``pseudotime, probability`` and ``group`` where it is known.
    curve
        The probability along the ordering: ``pseudotime, value, low, high``.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    seed
        Seed of the order of the points.
    """
    cells = cells.iloc[thin(len(cells), seed)]
    figure, (axis,) = panels(1, 1, title, simulated, size=(3.5, 2.9))
    shade: list[tuple | str] | str = GREY
    if "group" in cells and 1 < cells["group"].nunique() <= NAMES_AT_MOST:
        colour = colours(sorted(set(cells["group"].astype(str))))
        shade = [colour[name] for name in cells["group"].astype(str)]
        legend(axis, colour)
        axis.get_legend().set_bbox_to_anchor((0.5, -0.18))
    axis.scatter(cells["pseudotime"], cells["probability"], c=shade, **point_style(len(cells)))
    axis.fill_between(curve["pseudotime"], curve["low"], curve["high"], color=BLACK, alpha=0.2, linewidth=0)
    axis.plot(curve["pseudotime"], curve["value"], color=BLACK)
    axis.axhline(0.5, color=GREY, linestyle="--", linewidth=0.8)
    axis.set(
        xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="pseudotime (0: root)", ylabel="probability of being sensitive"
    )
    return figure
