"""Expression of the first key genes in groups of cells, from the least to the most sensitive."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import COLUMN, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ROW = 0.083  # inches, a gene
LIMIT = 2.5  # standard deviations


def draw_key_gene_heatmap(
    by_group: "pd.DataFrame", genes: Sequence[str], higher: Sequence[str], title: str, simulated: bool
) -> "Figure":
    """Draw genes as rows and groups as columns, each row in its own standard deviations.

    Parameters
    ----------
    by_group
        ``gene, group, mean, probability``, groups in their order.
    genes
        Rows; those in ``higher`` come first.
    higher
        The genes that are expressed higher in sensitive cells.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    genes = [gene for gene in genes if gene in set(higher)] + [gene for gene in genes if gene not in set(higher)]
    groups = by_group.drop_duplicates("group").set_index("group")["probability"]
    table = by_group.pivot(index="gene", columns="group", values="mean").loc[genes, groups.index]
    z = standardised_rows(table.to_numpy())
    width = max(COLUMN, 1.3 + 0.17 * len(groups))
    figure, (axis,) = panels(1, 1, title, simulated, size=(width, 1.6 + ROW * len(genes)))
    drawn = axis.imshow(z, aspect="auto", cmap="PuOr_r", vmin=-LIMIT, vmax=LIMIT, interpolation="nearest")
    axis.set_yticks(range(len(genes)), genes, fontsize=5)
    names = [f"{group}  {probability:.2f}" for group, probability in groups.items()]
    axis.set_xticks(range(len(groups)), names, rotation=90, fontsize=6)
    axis.tick_params(length=0)
    n_higher = len([gene for gene in genes if gene in set(higher)])
    if 0 < n_higher < len(genes):
        axis.axhline(n_higher - 0.5, color="black", linewidth=1)
    axis.set_xlabel("group and its mean probability of being sensitive")
    figure.colorbar(
        drawn,
        ax=axis,
        location="top",
        shrink=0.6,
        aspect=30,
        pad=0.01,
        label="mean expression, z-score over the groups",
    )
    return figure


def standardised_rows(values: np.ndarray) -> np.ndarray:
    """Return rows [n_genes, n_groups] with mean 0 and standard deviation 1; a row that does not vary becomes 0.

    Parameters
    ----------
    values
        Mean expression, [n_genes, n_groups].
    """
    centred = values - values.mean(1, keepdims=True)
    spread = centred.std(1, keepdims=True)
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-9)
