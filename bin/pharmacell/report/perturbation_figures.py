"""The figures of a comparison of perturbation models, as a table; each is drawn for every protocol."""

from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.perturbation.comparison import Comparison
from pharmacell.report.figure_table import FigureEntry, by_name, draw_all
from pharmacell.report.figures.perturbation_fit import draw_learning, draw_row
from pharmacell.report.figures.perturbation_scores import (
    TOP_COLOURS,
    draw_accuracy,
    draw_cell_types,
    draw_compounds,
    draw_sign_right,
    draw_signs,
    metric_titles,
)
from pharmacell.report.figures.style import Drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_comparison(comparison: Comparison, folder: Path) -> dict[str, dict[str, Drawn]]:
    """Draw every figure of every protocol as png and svg.

    Parameters
    ----------
    comparison
        What was found.
    folder
        Where the files go, as ``<protocol>_<figure>``.

    Returns
    -------
    dict
        Protocol to name of the figure to what was written.
    """
    return {
        protocol: draw_all(PERTURBATION_FIGURES, folder, comparison, protocol, prefix=f"{protocol}_")
        for protocol in comparison.protocols
    }


def title(what: str, comparison: Comparison, protocol: str) -> str:
    """Return the title of a figure.

    Parameters
    ----------
    what
        Is shown.
    comparison
        Says whether the values were simulated, and of which layer they are.
    protocol
        How rows were held out.
    """
    return f"{what}: {comparison.label(protocol)}{' (simulated values)' if comparison.simulated else ''}"


def _accuracy(comparison: Comparison, protocol: str) -> "Figure":
    titles = metric_titles(comparison.p_values)
    name = title("Accuracy by model", comparison, protocol)
    return draw_accuracy(comparison.of(comparison.gains, protocol), titles, name)


def _signs(comparison: Comparison, protocol: str) -> "Figure":
    name = title("Error by sign", comparison, protocol)
    return draw_signs(comparison.of(comparison.gains, protocol), comparison.unit, name)


def _sign_right(comparison: Comparison, protocol: str) -> "Figure":
    models = comparison.top(protocol, len(TOP_COLOURS))
    rows = comparison.of(comparison.per_compound, protocol)
    return draw_sign_right(rows, models, title("Error where the sign is right", comparison, protocol))


def _cell_types(comparison: Comparison, protocol: str) -> "Figure":
    rows = comparison.of(comparison.per_cell_type, protocol)
    return draw_cell_types(rows, title("Cell types", comparison, protocol))


def _compounds(comparison: Comparison, protocol: str) -> "Figure":
    model, baseline = comparison.best(protocol)
    rows = comparison.of(comparison.per_compound, protocol)
    return draw_compounds(rows, model, baseline, title(f"Compounds, {model}", comparison, protocol))


def _row(comparison: Comparison, protocol: str) -> "Figure | None":
    example = comparison.examples.get(protocol)
    if example is None:
        return None
    name = title(f"{example.sm_name} in {example.cell_type}, {example.name}", comparison, protocol)
    scores = {"Pearson": example.pearson, "RMSE": example.rmse}
    return draw_row(example.truth, example.prediction, scores, comparison.unit, name)


def _learning(comparison: Comparison, protocol: str) -> "Figure | None":
    history = comparison.of(comparison.history, protocol)
    return draw_learning(history, title("Learning curves", comparison, protocol)) if len(history) else None


PERTURBATION_FIGURES = by_name(
    (
        FigureEntry(
            "accuracy",
            _accuracy,
            "perturbation",
            "2 figure",
            "A model whose bar touches the dotted line has not been shown to beat the best baseline.",
            note="Each dot is a model's score on rows that it had not learned from, averaged over seeds. The dotted "
            "line is the best baseline; a bar is the 95 % interval of the gain over it (bootstrap over compounds), "
            "drawn around the dot. Grey: baselines, green: classical models, purple: networks.",
        ),
        FigureEntry(
            "signs",
            _signs,
            "perturbation",
            "3 error by sign",
            "See how large the error is where the sign was predicted right, and where it was wrong.",
            note="Mean absolute error over all genes, over those whose sign was predicted right and over those whose "
            "sign was predicted wrong. The last is not to be made small by itself: a model that predicts values near 0 "
            "does so.",
        ),
        FigureEntry(
            "sign_right",
            _sign_right,
            "perturbation",
            "4 error where the sign is right",
            "See for which compounds the error stays low where the sign is right; strong compounds lie at the right.",
            note="The three models (no baselines) with the least MRRMSE, as Fig. 2 of the study. Each model has its "
            "own set of genes whose sign is right, so a lower line need not be a better model.",
        ),
        FigureEntry(
            "cell_types",
            _cell_types,
            "perturbation_rows",
            "cell types",
            "See in which cell types a model does well; each line runs from the best row to the worst.",
            note="The dot is the mean over the cell type's rows.",
        ),
        FigureEntry(
            "compounds",
            _compounds,
            "perturbation_rows",
            "compounds",
            "Compare each dot with its tick, the best baseline, for the compounds that are predicted best and worst.",
            note="Ordered by the mean over cell types; the line runs from the best to the worst row. Weak compounds "
            "lie at the best end whatever the model: there is little to be wrong about.",
        ),
        FigureEntry(
            "row",
            _row,
            "perturbation_rows",
            "one row",
            "On the dotted line a prediction is right; a flat cloud means that the model predicts less than there is.",
            note="One row: the one with the median Pearson correlation of the model, so neither flattering nor the "
            "worst. Colour counts genes.",
        ),
        FigureEntry(
            "learning",
            _learning,
            "perturbation_training",
            "learning curves",
            "Each loss should fall and then level off, for training and validation alike.",
            note="Thin lines are folds and seeds, thick lines their mean. Validation rows belong to the training part "
            "and say when to stop; they were never tested on. Their loss is that of the best share of what a network "
            "puts out, unless shrinking is off.",
        ),
    )
)
