"""Expression of the first key genes in the cells, from the least to the most sensitive (the paper's Fig. 6c)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import COLUMN, RESPONSE_COLOURS, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ROW = 0.083  # inches, a gene
WIDTH = 5.0  # inches
LIMIT = 2.5  # standard deviations
MOST_CELLS = 1000  # columns that a figure can show


def draw_key_gene_heatmap(
    cells: "pd.DataFrame", genes: Sequence[str], higher: Sequence[str], title: str, simulated: bool
) -> "Figure":
    """Draw genes as rows and cells as columns, each row in its own standard deviations.

    Parameters
    ----------
    cells
        ``label, probability`` and the expression of the genes; of more than 1,000, so many at even distances of their
        probability's rank are drawn.
    genes
        Rows; those in ``higher`` come first.
    higher
        The genes that are expressed higher in sensitive cells.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    from matplotlib.colors import ListedColormap

    genes = [gene for gene in genes if gene in set(higher)] + [gene for gene in genes if gene not in set(higher)]
    cells = cells.sort_values("probability", kind="stable")
    drawn = cells.iloc[np.unique(np.linspace(0, len(cells) - 1, min(len(cells), MOST_CELLS)).round().astype(int))]
    z = standardised_rows(drawn[genes].to_numpy(np.float64).T)
    figure, (axis,) = panels(1, 1, title, simulated, size=(max(COLUMN, WIDTH), 1.6 + ROW * len(genes)))
    image = axis.imshow(z, aspect="auto", cmap="PuOr_r", vmin=-LIMIT, vmax=LIMIT, interpolation="nearest")
    axis.set_yticks(range(len(genes)), genes, fontsize=5)
    axis.set_xticks([])
    axis.tick_params(length=0)
    n_higher = len([gene for gene in genes if gene in set(higher)])
    if 0 < n_higher < len(genes):
        axis.axhline(n_higher - 0.5, color="black", linewidth=1)
    low, high = drawn["probability"].iloc[[0, -1]]
    axis.set_xlabel(
        f"{len(drawn):,} cells, the least sensitive first (probability {low:.2f} to {high:.2f})\nstrip: predicted class"
    )
    strip = axis.inset_axes((0, 1.003, 1, max(0.012, 0.6 / len(genes))))
    colours = ListedColormap([RESPONSE_COLOURS[label] for label in (0, 1)])
    strip.imshow(drawn[["label"]].T, aspect="auto", cmap=colours, vmin=0, vmax=1, interpolation="nearest")
    strip.set(xticks=[], yticks=[])
    figure.colorbar(
        image, ax=axis, location="bottom", shrink=0.6, aspect=30, pad=0.02, label="expression, z-score over the cells"
    )
    return figure


def standardised_rows(values: np.ndarray) -> np.ndarray:
    """Return rows [n_genes, n_cells] with mean 0 and standard deviation 1; a row that does not vary becomes 0.

    Parameters
    ----------
    values
        Expression, [n_genes, n_cells].
    """
    centred = values - values.mean(1, keepdims=True)
    spread = centred.std(1, keepdims=True)
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-9)
