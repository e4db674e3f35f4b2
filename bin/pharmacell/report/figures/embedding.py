"""The cells in two dimensions, coloured by what is known and what is predicted."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.data.columns import OBS_GROUP, OBS_TRUTH, UNKNOWN
from pharmacell.report.figures.style import RESPONSE_COLOURS, RESPONSE_NAMES, colours, panels, thin
from pharmacell.response.columns import OBS_LABEL, OBS_PROBABILITY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLASSES = {OBS_TRUTH: "truth", OBS_LABEL: "predicted label"}
NAMES_AT_MOST = 12  # more groups than this are coloured without a legend


def draw_embedding(obs: "pd.DataFrame", umap: np.ndarray, title: str, simulated: bool, seed: int) -> "Figure":
    """Draw a UMAP panel for each of condition, truth, predicted label and probability that is there.

    Parameters
    ----------
    obs
        One row a cell; of group, truth, predicted label and probability those that are there.
        Classes are 1 and 0 or ``sensitive`` and ``resistant``.
    umap
        Coordinates, shape (n_cells, 2); NaN for cells that were not embedded, which are not drawn.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    seed
        Seed of the choice of points and of their order.
    """
    chosen = np.flatnonzero(np.isfinite(umap).all(axis=1))
    chosen = chosen[thin(chosen.size, seed)]
    obs, umap = obs.iloc[chosen], umap[chosen]
    shown = [name for name in (OBS_GROUP, *CLASSES, OBS_PROBABILITY) if name in obs]
    figure, axes = panels(len(shown), 2, title, simulated, size=(2.8, 2.8))
    for axis, name in zip(axes, shown, strict=True):
        if name == OBS_GROUP:
            draw_groups(axis, obs[name].astype(str).to_numpy(), umap)
        elif name in CLASSES:
            names = obs[name].astype(str).to_numpy()
            known = names != str(UNKNOWN)
            draw_classes(axis, np.isin(names[known], ("1", "sensitive")).astype(int), umap[known], CLASSES[name])
        else:
            draw_probability(axis, obs[name].to_numpy(dtype=float), umap)
        axis.set(xticks=[], yticks=[], xlabel="UMAP 1", ylabel="UMAP 2")
    return figure


def point_style(n: int) -> dict:
    """Return size and transparency for so many points.

    Parameters
    ----------
    n
        Points that are drawn.
    """
    return {"s": float(np.clip(8000 / max(n, 1), 0.5, 14)), "linewidths": 0, "rasterized": True, "alpha": 0.85}


def draw_groups(axis: "Axes", groups: np.ndarray, umap: np.ndarray) -> None:
    """Colour the cells by their origin, (n_cells,).

    Parameters
    ----------
    axis
        Where to draw.
    groups
        Origin of each cell, [n_cells].
    umap
        Coordinates, [n_cells, 2].
    """
    names = sorted(set(groups))
    colour = colours(names)
    axis.scatter(*umap.T, c=[colour[name] for name in groups], **point_style(len(umap)))
    axis.set_title("condition" if len(names) <= NAMES_AT_MOST else f"condition ({len(names)} groups)")
    if len(names) <= NAMES_AT_MOST:
        legend(axis, colour)


def draw_classes(axis: "Axes", classes: np.ndarray, umap: np.ndarray, name: str) -> None:
    """Colour the cells by a class, 1 sensitive or 0 resistant, (n_cells,).

    Parameters
    ----------
    axis
        Where to draw.
    classes
        1 sensitive, 0 resistant, [n_cells].
    umap
        Coordinates, [n_cells, 2].
    name
        Title of the panel.
    """
    axis.scatter(*umap.T, c=[RESPONSE_COLOURS[value] for value in classes], **point_style(len(umap)))
    axis.set_title(name)
    legend(axis, {RESPONSE_NAMES[value]: RESPONSE_COLOURS[value] for value in (1, 0)})


def draw_probability(axis: "Axes", probability: np.ndarray, umap: np.ndarray) -> None:
    """Colour the cells by the probability of being sensitive, (n_cells,).

    Parameters
    ----------
    axis
        Where to draw.
    probability
        Of being sensitive, [n_cells].
    umap
        Coordinates, [n_cells, 2].
    """
    points = axis.scatter(*umap.T, c=probability, vmin=0, vmax=1, cmap="cividis", **point_style(len(umap)))
    axis.figure.colorbar(points, ax=axis, orientation="horizontal", shrink=0.6, aspect=25, pad=0.02)
    axis.set_title("probability of being sensitive")


def legend(axis: "Axes", colour: dict) -> None:
    """Put a legend of dots below the panel.

    Parameters
    ----------
    axis
        The panel.
    colour
        Name to colour.
    """
    from matplotlib.lines import Line2D

    dots = [Line2D([], [], marker="o", linestyle="", color=value, markersize=4) for value in colour.values()]
    axis.legend(
        dots,
        colour.keys(),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.08),
        handletextpad=0.1,
        ncols=min(3, len(colour)),
        columnspacing=1,
    )
