"""The gene sets that key genes fall into most clearly."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import GREY, RESPONSE_COLOURS, RESPONSE_NAMES, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST = 8  # of each method and class
LONGEST = 42  # letters of a set's name
SMALLEST_FDR = 1e-4  # GSEA's permutations resolve no smaller one


def draw_pathways(pathways: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw a panel for each method with the sets of the smallest false discovery rate, coloured by class.

    Parameters
    ----------
    pathways
        ``method, class, set, score, p, fdr``.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    from matplotlib.patches import Patch

    colours = {RESPONSE_NAMES[label]: RESPONSE_COLOURS[label] for label in (1, 0)}
    methods = list(dict.fromkeys(pathways["method"]))
    best = {
        method: pathways[pathways["method"] == method]
        .sort_values("p")
        .groupby("class")
        .head(MOST)
        .sort_values(["class", "p"], ascending=[False, True])
        for method in methods
    }
    height = 1.0 + 0.17 * max(len(rows) for rows in best.values())
    figure, axes = panels(len(methods), 1, title, simulated, size=(7.0, height))
    for axis, (method, rows) in zip(axes, best.items(), strict=True):
        axis.barh(
            range(len(rows)),
            -np.log10(rows["fdr"].clip(lower=SMALLEST_FDR)),
            color=rows["class"].map(colours),
            height=0.7,
        )
        axis.axvline(-np.log10(0.05), color=GREY, linestyle=":", linewidth=1)
        axis.set_yticks(
            range(len(rows)),
            [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in rows["set"]],
            fontsize=6,
        )
        axis.set(title=method, xlabel="-log10 of the false discovery rate (dotted: 5 %)", ylim=(len(rows) - 0.4, -0.6))
    handles = [Patch(color=colour, label=f"{name} key genes") for name, colour in colours.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure
