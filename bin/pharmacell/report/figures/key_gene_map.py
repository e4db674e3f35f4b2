"""Expression of the first key genes on the map of the cells (the paper's Fig. 7b)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.embedding import point_style
from pharmacell.report.figures.style import panels, thin

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

GENES = 3  # of each class, as in the paper
SHOWN = (1, 99)  # percentiles; a few extreme cells would bleach the rest


def draw_key_gene_map(
    cells: "pd.DataFrame", genes: Mapping[str, Sequence[str]], umap: np.ndarray, title: str, simulated: bool, seed: int
) -> "Figure":
    """Draw a panel for each of the first genes of each class.

    Parameters
    ----------
    cells
        One row a cell; a column of expression for each gene.
    genes
        Class to its genes, the most important first.
    umap
        Coordinates of the same cells, [n_cells, 2]; NaN for cells that were not embedded, which are not drawn.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    seed
        Seed of the choice and order of points.
    """
    chosen = np.flatnonzero(np.isfinite(umap).all(axis=1))
    chosen = chosen[thin(chosen.size, seed)]
    shown = [(name, gene) for name, of_class in genes.items() for gene in of_class[:GENES]]
    figure, axes = panels(len(shown), GENES, title, simulated, size=(2.3, 2.4))
    for axis, (name, gene) in zip(axes, shown, strict=True):
        values = cells[gene].to_numpy()
        low, high = np.percentile(values, SHOWN)
        points = axis.scatter(
            *umap[chosen].T, c=values[chosen], vmin=low, vmax=high, cmap="cividis", **point_style(len(chosen))
        )
        figure.colorbar(points, ax=axis, orientation="horizontal", shrink=0.6, aspect=25, pad=0.02)
        axis.set(title=f"{gene} ({name})", xticks=[], yticks=[], xlabel="UMAP 1", ylabel="UMAP 2")
    return figure
