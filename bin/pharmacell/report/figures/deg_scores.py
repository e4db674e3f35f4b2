"""Scores of the sensitive and the resistant DEGs on the map of the cells, from true and from predicted labels."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.embedding import point_style
from pharmacell.report.figures.style import panels, thin

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SOURCES = {"truth": "true labels", "predicted": "predicted labels"}
CLASSES = ("sensitive", "resistant")
SHOWN = (1, 99)  # percentiles; a few extreme cells would bleach the rest


def draw_deg_scores(scores: "pd.DataFrame", umap: np.ndarray, title: str, simulated: bool, seed: int) -> "Figure":
    """Draw a panel for each class and each kind of labels that is there; the panels of a class share a scale.

    Parameters
    ----------
    scores
        One row a cell; columns ``<truth or predicted>_<class>``.
    umap
        Coordinates of the same cells, [n_cells, 2]; NaN for cells that were not embedded, which are not drawn.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    seed
        Seed of the choice and order of points.
    """
    chosen = np.flatnonzero(np.isfinite(umap).all(axis=1))
    chosen = chosen[thin(chosen.size, seed)]
    shown = [(name, source) for name in CLASSES for source in SOURCES if f"{source}_{name}" in scores]
    figure, axes = panels(
        len(shown), max(sum(name == shown[0][0] for name, _ in shown), 1), title, simulated, size=(2.6, 2.6)
    )
    for axis, (name, source) in zip(axes, shown, strict=True):
        of_class = [scores[f"{kind}_{name}"] for kind in SOURCES if f"{kind}_{name}" in scores]
        low, high = np.percentile(np.concatenate(of_class), SHOWN)
        points = axis.scatter(
            *umap[chosen].T,
            c=scores[f"{source}_{name}"].to_numpy()[chosen],
            vmin=low,
            vmax=high,
            cmap="cividis",
            **point_style(len(chosen)),
        )
        figure.colorbar(points, ax=axis, orientation="horizontal", shrink=0.6, aspect=25, pad=0.02)
        axis.set(title=f"{name} DEGs, {SOURCES[source]}", xticks=[], yticks=[], xlabel="UMAP 1", ylabel="UMAP 2")
    return figure
