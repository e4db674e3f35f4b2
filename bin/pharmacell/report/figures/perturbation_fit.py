"""How perturbation models learned, and what they predict for one row."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import BLACK, BLUE, GREY, VERMILION, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PART_COLOURS = {"train": BLUE, "validation": VERMILION}


def draw_learning(history: "pd.DataFrame", title: str) -> "Figure":
    """Draw the loss over epochs, a panel for each network: thin lines are folds and seeds, the thick one their mean.

    Parameters
    ----------
    history
        ``name, fold, seed, epoch, part, loss`` of one protocol.
    title
        Of the figure.
    """
    names = list(dict.fromkeys(history["name"]))
    figure, axes = panels(len(names), 4, title, False, size=(1.8, 1.6))
    for position, (axis, name) in enumerate(zip(axes, names, strict=True)):
        here = history[history["name"] == name]
        for part, colour in PART_COLOURS.items():
            runs = here[here["part"] == part]
            for _, run in runs.groupby(["fold", "seed"]):
                axis.plot(run["epoch"], run["loss"], color=colour, linewidth=0.4, alpha=0.35)
            mean = runs.groupby("epoch")["loss"].mean()
            axis.plot(mean.index, mean, color=colour, linewidth=1.4, label=part)
        axis.set(title=name, xlabel="epoch", ylabel="loss" if position % 4 == 0 else "")
        if position == 0:
            axis.legend()
    return figure


def draw_row(truth: np.ndarray, prediction: np.ndarray, scores: dict[str, float], unit: str, title: str) -> "Figure":
    """Draw the prediction of one row against the truth, gene by gene.

    A few true values are far from all others; the axes end at the predictions or where all but one in a thousand true
    values are within, and the figure says how many genes lie beyond.

    Parameters
    ----------
    truth, prediction
        [n_genes].
    scores
        Those of the row that the figure names, by their titles.
    unit
        Of the values.
    title
        Of the figure.
    """
    figure, (axis,) = panels(1, 1, title, False, size=(4.2, 3.6))
    limit = 1.05 * max(np.quantile(np.abs(truth), 0.999), np.abs(prediction).max(), 1e-6)
    inside = np.abs(truth) <= limit
    axis.plot([-limit, limit], [-limit, limit], color=GREY, linestyle=":", linewidth=1)
    axis.axhline(0, color=GREY, linewidth=0.5)
    axis.axvline(0, color=GREY, linewidth=0.5)
    drawn = axis.hexbin(
        truth[inside], prediction[inside], gridsize=60, bins="log", mincnt=1, cmap="viridis", linewidths=0.1
    )
    figure.colorbar(drawn, ax=axis, label="genes", shrink=0.8)
    lines = [f"{name} {value:.2f}" for name, value in scores.items()]
    if not inside.all():
        lines.append(f"{(~inside).sum()} of {len(truth):,} genes lie beyond the axis")
    axis.text(0.03, 0.97, "\n".join(lines), va="top", color=BLACK, transform=axis.transAxes, fontsize=7)
    axis.set(xlabel=f"true {unit}", ylabel="predicted", xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    return figure
