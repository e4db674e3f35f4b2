"""Where a list's correlation stands among those of random lists of matched expression."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.style import BLACK, GREY, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

BINS = 40


def draw_score_null(null: "pd.DataFrame", tests: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw a histogram for each class, with the observed correlation as a line and its interval as a band.

    Parameters
    ----------
    null
        ``class, pearson``: of random lists.
    tests
        ``class, pearson, low, high, p``: of the real lists.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    figure, axes = panels(len(tests), 2, title, simulated, size=(3.4, 2.5))
    for axis, row in zip(axes, tests.to_dict("records"), strict=True):
        values = null.loc[null["class"] == row["class"], "pearson"]
        axis.hist(values, bins=BINS, color=GREY, label="random lists")
        axis.axvspan(row["low"], row["high"], color=BLACK, alpha=0.15, linewidth=0)
        axis.axvline(row["pearson"], color=BLACK, linewidth=1.6, label="DEGs of predicted labels")
        axis.set(
            title=f"{row['class']} genes: r = {row['pearson']:.2f}, p = {row['p']:.2g}",
            xlabel="Pearson's r",
            ylabel="random lists",
        )
        axis.set_xlim(min(-0.05, values.min() - 0.05), max(1.0, values.max()) + 0.02)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2)
    return figure
