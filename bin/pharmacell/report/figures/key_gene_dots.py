"""How strongly and in how many cells of each group the first key genes of both classes are expressed."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.key_gene_heatmap import LIMIT, standardised_rows
from pharmacell.report.figures.style import COLUMN, RESPONSE_COLOURS, RESPONSE_NAMES, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LARGEST = 46.0  # square points, a gene that every cell of the group expresses
COLOURS = {RESPONSE_NAMES[label]: RESPONSE_COLOURS[label] for label in (1, 0)}


def draw_key_gene_dots(by_group: "pd.DataFrame", genes: dict[str, list[str]], title: str, simulated: bool) -> "Figure":
    """Draw a dot for each gene and group: the larger, the more cells express it, the darker, the more strongly.

    Parameters
    ----------
    by_group
        ``gene, group, mean, share, probability``, groups in their order.
    genes
        Class to its genes.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    rows = [gene for names in genes.values() for gene in names]
    groups = by_group.drop_duplicates("group").set_index("group")["probability"]
    mean, share = (
        by_group.pivot(index="gene", columns="group", values=name).loc[rows, groups.index].to_numpy()
        for name in ("mean", "share")
    )
    width = max(COLUMN, 1.4 + 0.2 * len(groups))
    figure, (axis,) = panels(1, 1, title, simulated, size=(width, 1.9 + 0.16 * len(rows)))
    y, x = np.indices(mean.shape)
    drawn = axis.scatter(
        x.ravel(),
        y.ravel(),
        s=LARGEST * share.ravel(),
        c=standardised_rows(mean).ravel(),
        cmap="PuOr_r",
        vmin=-LIMIT,
        vmax=LIMIT,
        edgecolors="#666666",
        linewidths=0.3,
    )
    axis.set_yticks(range(len(rows)), rows)
    for label, gene in zip(axis.get_yticklabels(), rows, strict=True):
        label.set_color(next(COLOURS[name] for name, members in genes.items() if gene in members))
    axis.set_xticks(
        range(len(groups)), [f"{group}  {value:.2f}" for group, value in groups.items()], rotation=90, fontsize=6
    )
    axis.set(
        xlim=(-0.7, len(groups) - 0.3),
        ylim=(len(rows) - 0.3, -0.7),
        xlabel="group and its mean probability of being sensitive",
    )
    axis.tick_params(length=0)
    figure.colorbar(
        drawn,
        ax=axis,
        location="top",
        shrink=0.6,
        aspect=30,
        pad=0.01,
        label="mean expression, z-score over the groups",
    )
    sizes = [
        axis.scatter([], [], s=LARGEST * value, color="#666666", label=f"{100 * value:.0f} %")
        for value in (0.25, 0.5, 1.0)
    ]
    figure.legend(
        handles=sizes, loc="outside lower center", ncols=3, title="cells that express the gene", title_fontsize=7
    )
    return figure
