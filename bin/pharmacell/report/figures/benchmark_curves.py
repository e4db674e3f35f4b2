"""ROC and precision-recall curves of all models, averaged over folds."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.evaluate.fold_curves import GRID
from pharmacell.report.figures.benchmark_style import Look
from pharmacell.report.figures.style import BLACK, BLUE, GREY, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 5
KINDS = (("AUROC", "false positive rate", "true positive rate"), ("AP", "recall", "precision"))


def draw_fold_curves(
    curves: dict[str, list[tuple[np.ndarray, np.ndarray]]],
    look: dict[str, Look],
    areas: dict[str, tuple[float, float]],
    prevalence: float,
    reference: str,
    title: str,
) -> "Figure":
    """Draw one panel for each model and kind of curve: mean over the folds, a band of one standard deviation.

    Panels of their own, because the bands of many models in one panel hide one another.

    Parameters
    ----------
    curves
        Model to the ROC and precision-recall curves of its folds on ``GRID``.
    look
        Model to its look, in the order of the panels.
    areas
        Model to its mean AUROC and mean average precision, as in the tables.
    prevalence
        Share of sensitive cells.
    reference
        The model whose mean stands in every panel.
    title
        Title of the figure.
    """
    models = [model for model in look if curves.get(model)]
    columns = min(COLUMNS, len(models))
    rows = -(-len(models) // columns)
    figure, axes = panels(2 * rows * columns, columns, title, False, size=(1.5, 1.5))
    for kind, (name, x_name, y_name) in enumerate(KINDS):
        block = axes[kind * rows * columns :][: rows * columns]
        means = {model: np.stack([curve[kind] for curve in curves[model]]) for model in models}
        for position, (axis, model) in enumerate(zip(block, models, strict=False)):
            mean, sd = means[model].mean(0), means[model].std(0)
            axis.plot([0, 1], [0, 1] if kind == 0 else [prevalence] * 2, color=GREY, linestyle=":", linewidth=1)
            axis.fill_between(
                GRID, np.clip(mean - sd, 0, 1), np.clip(mean + sd, 0, 1), color=BLUE, alpha=0.2, linewidth=0
            )
            if reference in means:
                axis.plot(GRID, means[reference].mean(0), color=BLACK, linewidth=0.8)
            axis.plot(GRID, mean, color=BLACK if model == reference else BLUE)
            axis.set(
                xlim=(-0.02, 1.02),
                ylim=(-0.02, 1.03),
                xticks=[0, 0.5, 1],
                yticks=[0, 0.5, 1],
                title=f"{look[model].title}\n{name} {areas[model][kind]:.2f}",
            )
            axis.set_ylabel(y_name if position % columns == 0 else "")
            axis.set_xlabel(x_name if position + columns >= len(models) else "")
        for axis in block[len(models) :]:
            axis.set_axis_off()
    return figure
