"""How the predicted probabilities are spread."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import COLUMN, GREY, RESPONSE_COLOURS, RESPONSE_NAMES, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_probabilities(probability: np.ndarray, truth: np.ndarray | None, title: str, simulated: bool) -> "Figure":
    """Draw a histogram of the probabilities, stacked by truth when it is known.

    Parameters
    ----------
    probability
        Probability of being sensitive, shape (n_cells,).
    truth
        1 sensitive, 0 resistant, shape (n_cells,); None when unknown.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    figure, (axis,) = panels(1, 1, title, simulated, size=(COLUMN, 2.3))
    bins = np.linspace(0, 1, 41)
    if truth is None:
        axis.hist(probability, bins=bins, color=GREY)
    else:
        axis.hist(
            [probability[truth == value] for value in (1, 0)],
            bins=bins,
            stacked=True,
            color=[RESPONSE_COLOURS[value] for value in (1, 0)],
            label=[f"truly {RESPONSE_NAMES[value]}" for value in (1, 0)],
        )
        axis.legend()
    axis.axvline(0.5, color="black", linestyle="--", linewidth=0.8)
    axis.set(xlim=(0, 1), xlabel="predicted probability of being sensitive", ylabel="cells")
    return figure
