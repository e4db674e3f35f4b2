"""Whether key genes or differentially expressed genes separate the classes better."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import BLACK, GREY, RESPONSE_COLOURS, RESPONSE_NAMES, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_separation(
    scores: dict[str, np.ndarray], labels: np.ndarray, tests: "pd.DataFrame", title: str, simulated: bool
) -> "Figure":
    """Draw both scores by class, then their AUROC and the difference with 95 % intervals.

    Parameters
    ----------
    scores
        Two scores by name, each [n_cells].
    labels
        1 or 0, [n_cells].
    tests
        ``score, auroc, low, high, p``: a row for each score and ``difference``.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    figure, axes = panels(3, 3, title, simulated, size=(2.4, 2.5))
    for axis, (name, values) in zip(axes[:2], scores.items(), strict=True):
        draw_classes(axis, values, labels)
        axis.set(title=f"score of {name}", ylabel="sensitive minus resistant list")
    rows = tests.set_index("score")
    axis = axes[2]
    for height, name in enumerate(scores):
        row = rows.loc[name]
        axis.plot([row["low"], row["high"]], [height, height], color=BLACK, linewidth=2, solid_capstyle="butt")
        axis.plot(row["auroc"], height, "o", color=BLACK, markersize=5)
        axis.annotate(
            f"{row['auroc']:.2f}",
            (row["auroc"], height),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    axis.axvline(0.5, color=GREY, linestyle=":", linewidth=1)
    axis.set_yticks(range(len(scores)), list(scores))
    difference = rows.loc["difference"]
    axis.set(
        xlabel="AUROC",
        ylim=(len(scores) - 0.4, -0.6),
        xlim=(min(0.45, rows["low"].iloc[:2].min() - 0.05), 1.05),
        title=f"difference {difference['auroc']:+.3f}\n({difference['low']:+.3f} to {difference['high']:+.3f})",
    )
    return figure


def draw_classes(axis: "Axes", values: np.ndarray, labels: np.ndarray) -> None:
    """Draw a violin with its median for each class, [n_cells].

    Parameters
    ----------
    axis
        Where to draw.
    values
        Score of each cell, [n_cells].
    labels
        1 sensitive, 0 resistant, [n_cells].
    """
    for position, label in enumerate((1, 0)):
        own = values[labels == label]
        body = axis.violinplot(own, [position], widths=0.8, showextrema=False)["bodies"][0]
        body.set(facecolor=RESPONSE_COLOURS[label], edgecolor="none", alpha=0.8)
        axis.plot(position, np.median(own), "o", color="white", markeredgecolor=BLACK, markersize=4)
    axis.set_xticks([0, 1], [RESPONSE_NAMES[1], RESPONSE_NAMES[0]])
