"""The ordered cells in diffusion space."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.embedding import NAMES_AT_MOST, draw_groups, draw_probability, point_style
from pharmacell.report.figures.style import panels, thin

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_trajectory_map(cells: "pd.DataFrame", title: str, simulated: bool, seed: int) -> "Figure":
    """Draw a UMAP of the diffusion map by pseudotime and by probability, and by condition where there are several.

    Parameters
    ----------
    cells
        One row an ordered cell: ``umap_1, umap_2, pseudotime, probability`` and ``group`` where it is known. The root
        has pseudotime 0 and is marked by a star.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    seed
        Seed of the order of the points.
    """
    root = cells.loc[cells["pseudotime"].idxmin(), ["umap_1", "umap_2"]].to_numpy(float)
    cells = cells.iloc[thin(len(cells), seed)]
    place = cells[["umap_1", "umap_2"]].to_numpy(float)
    grouped = "group" in cells and 1 < cells["group"].nunique() <= NAMES_AT_MOST
    figure, axes = panels(3 if grouped else 2, 3, title, simulated, size=(2.4, 2.6))
    draw_time(axes[0], cells["pseudotime"].to_numpy(), place)
    draw_probability(axes[1], cells["probability"].to_numpy(), place)
    if grouped:
        draw_groups(axes[2], cells["group"].astype(str).to_numpy(), place)
    for axis in axes:
        axis.plot(*root, marker="*", markersize=9, color="white", markeredgecolor="black", markeredgewidth=0.7)
        axis.set(xticks=[], yticks=[], xlabel="diffusion UMAP 1", ylabel="diffusion UMAP 2")
    return figure


def draw_time(axis: "Axes", time: np.ndarray, place: np.ndarray) -> None:
    """Colour the cells by pseudotime, [n_cells].

    Parameters
    ----------
    axis
        Where to draw.
    time
        Pseudotime, [n_cells].
    place
        Coordinates, [n_cells, 2].
    """
    points = axis.scatter(*place.T, c=time, vmin=0, vmax=1, cmap="viridis", **point_style(len(place)))
    axis.figure.colorbar(points, ax=axis, orientation="horizontal", shrink=0.6, aspect=25, pad=0.02)
    axis.set_title("pseudotime (root: star)")
