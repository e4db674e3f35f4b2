"""A list's score against its reference, cell by cell."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.embedding import point_style
from pharmacell.report.figures.style import BLACK, RESPONSE_COLOURS, RESPONSE_NAMES, panels, thin

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

REFERENCES = {"truth_sensitive": "score of DEGs of true labels", "truth_resistant": "score of DEGs of true labels"}


def draw_score_scatter(
    scores: "pd.DataFrame", tests: "pd.DataFrame", title: str, simulated: bool, seed: int
) -> "Figure":
    """Draw a dot for each cell, coloured by its predicted class, and the regression line.

    Parameters
    ----------
    scores
        One row a cell: ``probability, label``, and the columns that ``tests`` names.
    tests
        ``class, score, reference, pearson, low, high``.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    seed
        Seed of the choice and order of points.
    """
    figure, axes = panels(len(tests), 2, title, simulated, size=(3.0, 2.9))
    chosen = thin(len(scores), seed)
    colours = scores["label"].map(RESPONSE_COLOURS).to_numpy()[chosen]
    for axis, row in zip(axes, tests.to_dict("records"), strict=True):
        x, y = reference_values(scores, row).to_numpy(float), scores[row["score"]].to_numpy(float)
        axis.scatter(x[chosen], y[chosen], c=colours, **point_style(len(chosen)))
        slope, intercept = np.polyfit(x, y, 1)
        ends = np.array([x.min(), x.max()])
        axis.plot(ends, slope * ends + intercept, color=BLACK, linewidth=1.4)
        axis.set(
            title=f"{row['class']} genes: r = {row['pearson']:.2f} ({row['low']:.2f} to {row['high']:.2f})",
            xlabel=REFERENCES.get(row["reference"], row["reference"]),
            ylabel="score of DEGs of predicted labels",
        )
    for label in (1, 0):
        axes[0].plot(
            [], [], "o", color=RESPONSE_COLOURS[label], markersize=4, label=f"predicted {RESPONSE_NAMES[label]}"
        )
    figure.legend(loc="outside lower center", ncols=2, handletextpad=0.1)
    return figure


def reference_values(scores: "pd.DataFrame", test: dict) -> "pd.Series":
    """Return the values that a score was compared with: another score, or the class's probability.

    Parameters
    ----------
    scores
        ``deg_scores`` of key_genes.
    test
        One row of ``deg_score_tests``.
    """
    if test["reference"] in scores:
        return scores[test["reference"]]
    return scores["probability"] if test["class"] == "sensitive" else 1 - scores["probability"]
