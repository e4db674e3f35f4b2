"""ROC and precision-recall curves of the model and of the baselines."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.evaluate.metrics import score
from pharmacell.report.figures.style import GREY, MODEL_COLOURS, MODEL_NAMES, panels
from pharmacell.response.columns import main_model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS_AT_MOST = 2000  # more points of a curve cannot be told apart on paper


def draw_curves(truth: np.ndarray, probabilities: dict[str, np.ndarray], title: str, simulated: bool) -> "Figure":
    """Draw the ROC curve and the precision-recall curve of each model.

    Parameters
    ----------
    truth
        1 sensitive, 0 resistant, both present, shape (n_cells,).
    probabilities
        Model to its probabilities, shape (n_cells,) each.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve

    figure, (roc, precision_recall) = panels(2, 2, title, simulated, size=(3.4, 3.2))
    main = main_model(probabilities)
    for model, probability in probabilities.items():
        scores = score(truth, probability)
        style = {"color": MODEL_COLOURS.get(model, GREY), "linewidth": 2 if model == main else 1}
        name = MODEL_NAMES.get(model, model)
        false_positive, true_positive, _ = roc_curve(truth, probability)
        roc.plot(*few(false_positive, true_positive), label=f"{name}: AUROC {scores['auroc']:.2f}", **style)
        precision, recall, _ = precision_recall_curve(truth, probability)
        precision_recall.step(
            *few(recall, precision), where="post", label=f"{name}: AP {scores['average_precision']:.2f}", **style
        )
    roc.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="chance: AUROC 0.50")
    prevalence = float(np.mean(truth))
    precision_recall.axhline(prevalence, color=GREY, linestyle=":", linewidth=1, label=f"prevalence {prevalence:.2f}")
    roc.set(xlabel="false positive rate", ylabel="true positive rate", title="ROC")
    precision_recall.set(xlabel="recall", ylabel="precision", title="precision-recall")
    for axis in (roc, precision_recall):
        axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02))
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return figure


def few(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most ``STEPS_AT_MOST`` evenly chosen points of a curve, both ends among them.

    Parameters
    ----------
    x
        Of the curve, [n].
    y
        Of the curve, [n].
    """
    if len(x) <= STEPS_AT_MOST:
        return x, y
    chosen = np.linspace(0, len(x) - 1, STEPS_AT_MOST).astype(int)
    return x[chosen], y[chosen]
