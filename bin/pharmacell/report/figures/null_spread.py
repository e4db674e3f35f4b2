"""Whether the scores spread wider among the cells than scores that mean nothing."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import BLACK, COLUMN, GREY, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


MANY = 100  # dots that would cover each other


def draw_null_spread(spread: float, null: list[float], p: float, title: str, simulated: bool) -> "Figure":
    """Draw the spread under each permutation, sorted, and the real one as a line.

    Parameters
    ----------
    spread
        Standard deviation of the scores among the cells.
    null
        The same under each permutation of the bulk responses.
    p
        Share of spreads at least as wide, the real one counted among them.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    figure, (axis,) = panels(1, 1, title, simulated, size=(1.5 * COLUMN, 2.7))
    ordered = np.sort(null)
    size = 4.5 if len(ordered) < MANY else 1.5
    axis.plot(ordered, np.arange(1, len(ordered) + 1), "o", color=GREY, markersize=size, label="permuted responses")
    median = float(np.median(ordered))
    axis.axvline(median, color=GREY, linestyle=":", linewidth=1, label=f"their median, {median:.2f}")
    axis.axvline(spread, color=BLACK, linewidth=1.6, label=f"real responses, {spread:.2f}")
    wider = int((ordered >= spread).sum())
    axis.set(
        xlim=(0, 1.08 * max(spread, ordered[-1])),
        ylim=(0, len(ordered) + 1),
        title=f"{wider:,} of {len(ordered):,} permutations spread the cells as wide (p = {p:.2f})",
        xlabel="standard deviation of the scores among the cells",
        ylabel="permutation, sorted",
    )
    axis.yaxis.get_major_locator().set_params(integer=True)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3)
    return figure
