"""All figures of a comparison of perturbation models."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.perturbation.comparison import Comparison, ExampleRow
from pharmacell.report.figures.perturbation_fit import draw_learning, draw_row
from pharmacell.report.figures.perturbation_scores import draw_accuracy, draw_cell_types, draw_compounds, draw_signs
from pharmacell.report.figures.style import Drawn, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTIONS = {
    "accuracy": "Each dot is a model's score on rows that it had not learned from, averaged over seeds. The dotted "
    "line is the best baseline; a bar is the 95 % interval of the gain over it (bootstrap over compounds), "
    "drawn around the dot. A model whose bar touches the dotted line has not been shown to beat the "
    "baseline. Grey: baselines, green: classical models, purple: networks.",
    "signs": "Mean absolute error over all genes, over those whose sign was predicted right and over those whose "
    "sign was predicted wrong. The last is not to be made small by itself: a model that predicts values "
    "near 0 does so.",
    "cell_types": "The dot is the mean over the cell type's rows, the line runs from its best to its worst row.",
    "compounds": "The compounds that the model predicts best and worst, ordered by the mean over cell types; the "
    "line runs from the best to the worst row, the tick is the best baseline. Weak compounds lie at the "
    "best end whatever the model: there is little to be wrong about.",
    "row": "One row: the one with the median Pearson correlation of the model, so neither flattering nor the worst. "
    "Colour counts genes. On the dotted line a prediction is right; a flat cloud means that the model "
    "predicts less than there is.",
    "learning": "Thin lines are folds and seeds, thick lines their mean. Validation rows belong to the training part "
    "and say when to stop; they were never tested on.",
}


def draw_comparison(comparison: Comparison, folder: Path) -> dict[tuple[str, str], Drawn]:
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
        Protocol and name of the figure to what was written.
    """
    drawn = {}
    for protocol in comparison.protocols:
        for name, figure in figures(comparison, protocol):
            png, _svg = save(figure, folder, f"{protocol}_{name}")
            drawn[protocol, name] = Drawn(png, CAPTIONS[name])
    return drawn


def figures(comparison: Comparison, protocol: str) -> Iterator[tuple[str, "Figure"]]:
    """Yield name and figure of one protocol, one at a time so that only one is held in memory."""
    gains = comparison.of(comparison.gains, protocol)
    mark = f"{protocol}{' (simulated values)' if comparison.simulated else ''}"
    model, baseline = comparison.best(protocol)
    yield "accuracy", draw_accuracy(gains, f"Accuracy by model: {mark}")
    yield "signs", draw_signs(gains, f"Error by sign: {mark}")
    yield "cell_types", draw_cell_types(comparison.of(comparison.per_cell_type, protocol), f"Cell types: {mark}")
    yield (
        "compounds",
        draw_compounds(
            comparison.of(comparison.per_compound, protocol), model, baseline, f"Compounds, {model}: {mark}"
        ),
    )
    yield "row", one_row(comparison.examples[protocol], mark)
    history = comparison.of(comparison.history, protocol)
    if len(history):
        yield "learning", draw_learning(history, f"Learning curves: {mark}")


def one_row(example: ExampleRow, mark: str) -> "Figure":
    """Draw the example row."""
    title = f"{example.sm_name} in {example.cell_type}, {example.name}: {mark}"
    return draw_row(example.truth, example.prediction, {"Pearson": example.pearson, "RMSE": example.rmse}, title)
