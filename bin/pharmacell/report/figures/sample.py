"""All figures of one sample."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.curves import draw_curves
from pharmacell.report.figures.embedding import draw_embedding
from pharmacell.report.figures.explained import EXPLAINED_CAPTIONS, explained
from pharmacell.report.figures.intervals import draw_intervals
from pharmacell.report.figures.losses import draw_losses
from pharmacell.report.figures.members import draw_members
from pharmacell.report.figures.null_spread import draw_null_spread
from pharmacell.report.figures.probabilities import draw_probabilities
from pharmacell.report.figures.quality import draw_quality
from pharmacell.report.figures.reliability import draw_reliability
from pharmacell.report.figures.significance import draw_significance
from pharmacell.report.figures.style import Drawn, caption_of_points, save
from pharmacell.report.figures.trajectory_curves import draw_trajectory_curves
from pharmacell.report.figures.trajectory_heatmap import draw_trajectory_heatmap
from pharmacell.report.figures.trajectory_map import draw_trajectory_map
from pharmacell.report.figures.trajectory_scatter import draw_trajectory_scatter
from pharmacell.report.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTIONS = EXPLAINED_CAPTIONS | {
    "quality": "Each cell's measures before and after filtering; dashed lines are the limits, white dots the medians. "
    "Removed cells are shown in orange-red.",
    "numbers": "Cells that were read and kept.",
    "losses": "Every term of the loss over training, stage by stage; thin lines are replicas, thick lines their mean.",
    "embedding": "Cells with similar expression lie close together. Look whether the prediction follows the condition "
    "and, where it is known, the truth.",
    "probabilities": "Two separate peaks mean that the model tells two kinds of cells apart; one peak means that it "
    "sees little difference. The dashed line is the threshold.",
    "curves": "How well the ranking of the cells separates sensitive from resistant ones, for the model and for simple "
    "baselines on the same cells and genes. Further to the upper left (ROC) or upper right "
    "(precision-recall) is better.",
    "scores": "Scores on these cells with 95 % bootstrap intervals; dotted lines are what guessing reaches.",
    "source": "Scores on bulk cell lines that no model was trained on, with 95 % bootstrap intervals. This says how "
    "well the drug can be predicted at all; cells are harder than bulk lines.",
    "reliability": "Look whether the black dots lie on the dotted line: of all that get 0.8, four fifths should be "
    "sensitive. A curve steeper than the line means that the probabilities are too cautious, a flatter "
    "one that they are too bold; a dot with few predictions behind it is uncertain. Predicted are bulk "
    "lines that no member was trained on, made into simulated cells; each counts several times, and "
    "both classes weigh the same. Weights and calibration were fitted on them, so this flatters "
    "somewhat, and real cells are harder.",
    "members": "AUROC of each member by itself on simulated cells of bulk lines that it was not trained on; the bar at "
    "the last dot is the 95 % bootstrap interval, the dotted line guessing. Look whether the interval stays "
    "clear of guessing, and whether one member carries all the weight: then the others confirm little. A "
    "member that knows only what another knows too gets little weight without being bad.",
    "null_spread": "The same training with the bulk lines' responses shuffled (permuted) gives scores that mean "
    "nothing; each dot is how widely such scores spread among these cells. Look whether the black line "
    "lies to the right of nearly all dots. If it stands among them, the cells differ, but not more "
    "along the drug's response than along any other direction.",
    "significance": "A cell is called when its score is further from the mean of all cells than scores under shuffled "
    "responses are; sensitive and resistant are relative to that mean. Look for a heap at the left of "
    "the histogram that rises above the dashed line. Cells vary together, so trust the calls only if "
    "the scores as a whole also spread wider than under shuffled responses.",
    "trajectory_map": "Neighbours here can be reached from each other in small steps of expression. Look whether "
    "pseudotime and probability change together and gradually; only ordered cells are drawn.",
    "trajectory_scatter": "One dot a cell; the line is the smoothed mean. A slope shows that the probability changes "
    "along the path of largest change in expression, a flat line that it changes across it. The "
    "most sensitive group comes first by choice unless a root was named, so it begins high "
    "by construction. Pseudotime is an order, not time.",
    "trajectory_heatmap": "Means of successive bins of equally many cells, each row in its own standard deviations. "
    "Names in blue speak for sensitive, in orange-red for resistant cells. Genes that explain "
    "the prediction follow it by construction; look where along the path they change.",
    "trajectory_curves": "Smoothed means of the same genes; the band holds the mean with 95 % certainty if cells are "
    "independent. Cells of one origin are not, so take it for the least uncertainty.",
}


def draw_sample(results: Results, folder: Path, seed: int) -> dict[str, Drawn]:
    """Draw every figure that the results allow, as png and svg.

    Parameters
    ----------
    results
        One sample's results.
    folder
        Where the files go.
    seed
        Seed of the choice of points in large samples.

    Returns
    -------
    dict
        Figure name to what was written.
    """
    drawn = {}
    for name, figure in figures(results, seed):
        png, _svg = save(figure, folder, name)
        drawn[name] = Drawn(png, caption(name, results))
    return drawn


def figures(results: Results, seed: int) -> Iterator[tuple[str, "Figure"]]:
    """Yield name and figure, one at a time so that only one is held in memory."""
    name, simulated = f"{results.sample}, {results.drug}", results.simulated
    truth = results.predictions["truth"].to_numpy() if "truth" in results.predictions else None
    probability = results.predictions["probability"].to_numpy()
    yield (
        "quality",
        draw_quality(results.qc_metrics, thresholds(results.qc_summary), f"Quality control: {name}", simulated, seed),
    )
    yield "losses", draw_losses(results.history, f"Training: {name}", simulated)
    if results.umap is not None and np.isfinite(results.umap).all(axis=1).any():
        yield "embedding", draw_embedding(results.obs, results.umap, f"Cells: {name}", simulated, seed)
    yield "probabilities", draw_probabilities(probability, truth, f"Predictions: {name}", simulated)
    if truth is not None and len(np.unique(truth)) == 2:
        models = {"atsdp": probability, **baselines(results)}
        yield "curves", draw_curves(truth, models, f"Ranking of cells: {name}", simulated)
    if results.model_metrics is not None:
        yield "scores", draw_intervals(results.model_metrics, f"Scores on cells: {name}", simulated)
    yield "source", draw_intervals(results.source_metrics, f"Held-out bulk lines: {name}", simulated)
    yield from evidence(results, name)
    yield from explained(results, name, seed)
    yield from trajectory(results, name, seed)


def evidence(results: Results, name: str) -> Iterator[tuple[str, "Figure"]]:
    """Yield what stands behind the verdict; nothing when the network stands alone."""
    card, found, simulated = results.card, results.diagnostics, results.simulated
    if "reliability" in card:
        yield (
            "reliability",
            draw_reliability(card["reliability"], card["calibration_error"], f"Calibration: {name}", simulated),
        )
        yield (
            "members",
            draw_members(
                card["ensemble_weights"],
                card["shifted_auroc_members"],
                card["shifted_auroc"],
                f"Members of the ensemble: {name}",
                simulated,
            ),
        )
    if "separation_null" in found:
        yield (
            "null_spread",
            draw_null_spread(
                found["separation_spread"],
                found["separation_null"],
                found["separation_p"],
                f"Spread of the scores: {name}",
                simulated,
            ),
        )
    if results.significance is not None:
        yield "significance", draw_significance(results.significance, f"Cells that stand out: {name}", simulated)


def trajectory(results: Results, name: str, seed: int) -> Iterator[tuple[str, "Figure"]]:
    """Yield the pseudotime; nothing when there is none."""
    found, simulated = results.trajectory, results.simulated
    if found is None or not found.facts["computed"]:
        return
    cells = found.pseudotime.merge(results.predictions[["cell_id", "probability"]], on="cell_id")
    if "group" in results.obs:
        cells["group"] = results.obs["group"].astype(str).loc[cells["cell_id"]].to_numpy()
    cells = cells[cells["used"]]
    unit = "z-score" if results.qc_summary.get("scale") == "zscore" else "log expression"
    yield "trajectory_map", draw_trajectory_map(cells, f"Diffusion map: {name}", simulated, seed)
    curve = found.curves[found.curves["feature"] == "probability"]
    yield "trajectory_scatter", draw_trajectory_scatter(cells, curve, f"Pseudotime: {name}", simulated, seed)
    if (found.curves["class"] != "prediction").any():
        yield "trajectory_heatmap", draw_trajectory_heatmap(found.bins, f"Key genes: {name}", simulated)
        yield "trajectory_curves", draw_trajectory_curves(found.curves, unit, f"Key genes: {name}", simulated)


def thresholds(summary: dict) -> dict[str, float]:
    """Return the limits of quality control by the metric that they bound."""
    limits = summary.get("limits", {})
    return {
        metric: limits[name]
        for metric, name in (("n_genes", "min_genes"), ("pct_mt", "max_mt_percent"))
        if limits.get(name) is not None
    }


def baselines(results: Results) -> dict[str, np.ndarray]:
    """Return each baseline's probabilities in the order of the predictions."""
    table = results.baselines.set_index("cell_id").loc[results.predictions["cell_id"]]
    return {name: table[name].to_numpy() for name in table.columns}


def caption(name: str, results: Results) -> str:
    """Return what to say below a figure, and that not every cell is drawn where that is so."""
    if name == "quality" and results.qc_metrics["n_genes"].isna().all():
        return CAPTIONS["numbers"]
    shown = {"quality": len(results.qc_metrics), "embedding": len(results.obs)}  # lists are scored on fewer cells
    return CAPTIONS[name] + caption_of_points(shown.get(name, 0))
