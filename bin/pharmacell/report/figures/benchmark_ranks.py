"""Mean ranks over datasets, and which of them cannot be told apart."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.evaluate.rank_tests import Ranking
from pharmacell.report.figures.benchmark_style import Look
from pharmacell.report.figures.style import BLACK, PAGE, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_ranks(ranking: Ranking, look: dict[str, Look], title: str) -> "Figure":
    """Draw a critical-difference diagram (Demsar 2006): bars join models whose mean ranks cannot be told apart.

    Without a test the ranks stand alone and the figure says why.

    Parameters
    ----------
    ranking
        Mean ranks, with Nemenyi's p of each pair where there was a test.
    look
        Model to its look.
    title
        Title of the figure.
    """
    from scikit_posthocs import critical_difference_diagram

    n = len(ranking.ranks)
    figure, (axis,) = panels(1, 1, title, False, size=(PAGE, 1.6 + 0.13 * n))
    names = {model: look[model].title for model in ranking.ranks.index}
    tested = ranking.pairwise is not None
    # p of 0 for all pairs draws no bar: nothing was shown to be alike either
    pairwise = pd.DataFrame(np.eye(n), ranking.ranks.index, ranking.ranks.index)
    if ranking.pairwise is not None:
        pairwise = ranking.pairwise
    if n > 1:
        critical_difference_diagram(
            ranking.ranks.rename(names),
            pairwise.rename(names, axis=0).rename(names, axis=1),
            ax=axis,
            label_fmt_left="{label} ({rank:.1f})",
            label_fmt_right="({rank:.1f}) {label}",
            label_props={"fontsize": 7},
            marker_props={"s": 12},
            elbow_props={"color": BLACK, "linewidth": 0.6},
            text_h_margin=0.02 * n,
        )
    else:
        axis.set_axis_off()
    axis.spines["top"].set_visible(n > 1)  # the axis of the ranks, which the style of other figures leaves out
    axis.set_xlabel("mean rank (1 is best)")
    axis.xaxis.set_label_position("top")
    said = (
        (
            f"Friedman: chi-square {ranking.statistic:.2f}, p = {ranking.p:.3g}; critical difference "
            f"{ranking.critical_difference:.1f}. "
        )
        if tested
        else ""
    )
    figure.supxlabel("\n".join(textwrap.wrap(said + ranking.note, 120)), fontsize=7)
    return figure
