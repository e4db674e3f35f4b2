"""The figures of one sample, as a table; each draws what the results allow."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.data.columns import OBS_GROUP
from pharmacell.report import key_genes, trajectory, words
from pharmacell.report.figure_table import FigureEntry, by_name, draw_all
from pharmacell.report.figures.attention import draw_attention
from pharmacell.report.figures.attribution_methods import draw_attribution_methods
from pharmacell.report.figures.curves import draw_curves
from pharmacell.report.figures.deg_scores import draw_deg_scores
from pharmacell.report.figures.embedding import draw_embedding
from pharmacell.report.figures.groups import draw_groups
from pharmacell.report.figures.intervals import draw_intervals
from pharmacell.report.figures.key_gene_dots import draw_key_gene_dots
from pharmacell.report.figures.key_gene_heatmap import draw_key_gene_heatmap
from pharmacell.report.figures.key_gene_map import draw_key_gene_map
from pharmacell.report.figures.losses import draw_losses
from pharmacell.report.figures.members import draw_members
from pharmacell.report.figures.null_spread import draw_null_spread
from pharmacell.report.figures.pathways import draw_pathways
from pharmacell.report.figures.probabilities import draw_probabilities
from pharmacell.report.figures.quality import draw_quality
from pharmacell.report.figures.reliability import draw_reliability
from pharmacell.report.figures.score_null import draw_score_null
from pharmacell.report.figures.score_scatter import draw_score_scatter
from pharmacell.report.figures.separation import draw_separation
from pharmacell.report.figures.significance import draw_significance
from pharmacell.report.figures.style import Drawn, caption_of_points
from pharmacell.report.figures.trajectory_curves import draw_trajectory_curves
from pharmacell.report.figures.trajectory_heatmap import draw_trajectory_heatmap
from pharmacell.report.figures.trajectory_map import draw_trajectory_map
from pharmacell.report.figures.trajectory_scatter import draw_trajectory_scatter
from pharmacell.report.figures.treatment import draw_treatment
from pharmacell.report.groups import cells_with_groups
from pharmacell.report.results import KeyGeneResults, Results, TrajectoryResults
from pharmacell.response.columns import main_model

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

HEATMAP_GENES = 100
NUMBERS_ONLY = "Cells that were read and kept."  # below the figure of quality control where nothing was measured


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
    drawn = draw_all(SAMPLE_FIGURES, folder, results, seed)
    if "quality" in drawn and results.qc_metrics["n_genes"].isna().all():
        drawn["quality"] = replace(drawn["quality"], caption=NUMBERS_ONLY, note="")
    for name, n in {"quality": len(results.qc_metrics), "embedding": len(results.obs)}.items():
        if name in drawn:  # lists are scored on fewer cells, so no other figure has as many
            drawn[name] = replace(drawn[name], note=drawn[name].note + caption_of_points(n))
    return drawn


def title(what: str, results: Results) -> str:
    """Return the title of a figure.

    Parameters
    ----------
    what
        Is shown.
    results
        Whose sample and drug follow.
    """
    return f"{what}: {results.sample}, {results.drug}"


def _quality(results: Results, seed: int) -> "Figure":
    """Draw what was measured on every cell."""
    limits = results.qc_summary.get("limits", {})
    thresholds = {
        metric: limits[name]
        for metric, name in (("n_genes", "min_genes"), ("pct_mt", "max_mt_percent"))
        if limits.get(name) is not None
    }
    return draw_quality(results.qc_metrics, thresholds, title("Quality control", results), results.simulated, seed)


def _losses(results: Results, _seed: int) -> "Figure":
    """Draw the loss of every stage."""
    return draw_losses(results.history, title("Training", results), results.simulated)


def _embedding(results: Results, seed: int) -> "Figure | None":
    """Draw the map of the cells, where there is one."""
    if results.umap is None or not np.isfinite(results.umap).all(axis=1).any():
        return None
    return draw_embedding(results.obs, results.umap, title("Cells", results), results.simulated, seed)


def _probabilities(results: Results, _seed: int) -> "Figure":
    """Draw the histogram of the probabilities."""
    probability, truth = results.predictions["probability"].to_numpy(), results.truth
    if truth is not None:
        known = np.isfinite(truth)
        probability, truth = probability[known], truth[known]
    return draw_probabilities(probability, truth, title("Predictions", results), results.simulated)


def _groups(results: Results, _seed: int) -> "Figure | None":
    """Draw the probabilities of each group, where there are several."""
    cells = cells_with_groups(results)
    if cells is None or cells["group"].nunique() < 2:
        return None
    return draw_groups(cells, title("Groups", results), results.simulated)


def _treatment(results: Results, _seed: int) -> "Figure | None":
    """Draw the prediction before and after treatment, where that is known."""
    if results.treatment is None:
        return None
    return draw_treatment(results.treatment, title("Before and after treatment", results), results.simulated)


def _curves(results: Results, _seed: int) -> "Figure | None":
    """Draw ROC and precision-recall curves, where both classes are known."""
    truth = results.truth
    known = np.zeros(0, bool) if truth is None else np.isfinite(truth)
    if truth is None or len(np.unique(truth[known])) < 2:
        return None
    table = results.baselines.set_index("cell_id").loc[results.predictions["cell_id"]]
    main = main_model(set(results.source_metrics["model"]))
    models = {main: results.predictions["probability"].to_numpy()}
    models |= {name: table[name].to_numpy() for name in table.columns if name != main}
    models = {name: found[known] for name, found in models.items()}
    return draw_curves(truth[known], models, title("Ranking of cells", results), results.simulated)


def _scores(results: Results, _seed: int) -> "Figure | None":
    """Draw the scores on the cells, where the truth is known."""
    if results.model_metrics is None:
        return None
    return draw_intervals(results.model_metrics, title("Scores on cells", results), results.simulated)


def _source(results: Results, _seed: int) -> "Figure":
    """Draw the scores on held-out lines of the source domain."""
    return draw_intervals(results.source_metrics, title("Held-out bulk lines", results), results.simulated)


def _reliability(results: Results, _seed: int) -> "Figure | None":
    """Draw the calibration of the ensemble; nothing when the network stands alone."""
    shifted = results.card.shifted_scores if results.card else None
    if shifted is None:
        return None
    return draw_reliability(
        shifted.reliability, shifted.calibration_error, title("Calibration", results), results.simulated
    )


def _members(results: Results, _seed: int) -> "Figure | None":
    """Draw weights and AUROC of the ensemble's members; nothing when the network stands alone."""
    shifted = results.card.shifted_scores if results.card else None
    if shifted is None:
        return None
    return draw_members(
        shifted.ensemble_weights,
        shifted.shifted_auroc_members,
        shifted.shifted_auroc,
        title("Members of the ensemble", results),
        results.simulated,
    )


def _null_spread(results: Results, _seed: int) -> "Figure | None":
    """Draw the spread of the scores beside that under permuted responses."""
    found = results.diagnostics
    if "separation_null" not in found:
        return None
    return draw_null_spread(
        found["separation_spread"],
        found["separation_null"],
        found["separation_p"],
        title("Spread of the scores", results),
        results.simulated,
    )


def _significance(results: Results, _seed: int) -> "Figure | None":
    """Draw which cells stand out."""
    if results.significance is None:
        return None
    return draw_significance(results.significance, title("Cells that stand out", results), results.simulated)


def listed_genes(results: Results) -> KeyGeneResults | None:
    """Return what was explained if it has key genes.

    Parameters
    ----------
    results
        One sample's results.
    """
    found = results.key_genes
    return found if found is not None and len(found.table) else None


def _key_gene_heatmap(results: Results, _seed: int) -> "Figure | None":
    """Draw the first key genes in the cells."""
    found = listed_genes(results)
    if found is None or found.cells is None:
        return None
    top = found.table[found.table["class"] == "sensitive"].head(HEATMAP_GENES)
    higher = top.loc[top["expressed"] == "higher", "gene"].tolist()
    genes = top["gene"].tolist()
    return draw_key_gene_heatmap(found.cells, genes, higher, title("Key genes", results), results.simulated)


def _key_gene_map(results: Results, seed: int) -> "Figure | None":
    """Draw the first key genes of each class on the map of the cells."""
    found = listed_genes(results)
    if found is None or found.cells is None or results.umap is None or not any(found.summary["dot_genes"].values()):
        return None
    umap = results.umap[results.obs.index.astype(str).get_indexer(found.cells["cell_id"])]
    if not np.isfinite(umap).all(axis=1).any():
        return None
    heading = title("Key genes", results)
    return draw_key_gene_map(found.cells, found.summary["dot_genes"], umap, heading, results.simulated, seed)


def _key_gene_dots(results: Results, _seed: int) -> "Figure | None":
    """Draw the first key genes of each class as dots."""
    found = listed_genes(results)
    if found is None or not any(found.summary["dot_genes"].values()):
        return None
    by_group = found.tables["key_genes_by_group"]
    return draw_key_gene_dots(by_group, found.summary["dot_genes"], title("Key genes", results), results.simulated)


def _attribution_methods(results: Results, _seed: int) -> "Figure | None":
    """Draw how far the attribution methods agree."""
    found = listed_genes(results)
    if found is None:
        return None
    table = found.tables["attribution_methods"]
    return draw_attribution_methods(table, title("Attribution methods", results), results.simulated)


def _deg_scores(results: Results, seed: int) -> "Figure | None":
    """Draw the scores of differentially expressed genes on the map of the cells."""
    found = listed_genes(results)
    if found is None or results.umap is None:
        return None
    table = found.tables["deg_scores"]
    if not any(column.startswith(("truth_", "predicted_")) for column in table):
        return None
    umap = results.umap[results.obs.index.astype(str).get_indexer(table["cell_id"])]
    if not np.isfinite(umap).all(axis=1).any():
        return None
    return draw_deg_scores(table, umap, title("Scores of DEGs", results), results.simulated, seed)


def _deg_score_null(results: Results, _seed: int) -> "Figure | None":
    """Draw the correlation of DEG scores beside that of random lists."""
    found = listed_genes(results)
    if found is None or not len(found.tables["deg_score_tests"]):
        return None
    null, tests = found.tables["deg_score_null"], found.tables["deg_score_tests"]
    return draw_score_null(null, tests, title("Against random lists", results), results.simulated)


def _deg_score_scatter(results: Results, seed: int) -> "Figure | None":
    """Draw predicted against true DEG scores, cell by cell."""
    found = listed_genes(results)
    if found is None or not len(found.tables["deg_score_tests"]):
        return None
    table, tests = found.tables["deg_scores"], found.tables["deg_score_tests"]
    return draw_score_scatter(table, tests, title("Scores of DEGs", results), results.simulated, seed)


def _separation(results: Results, _seed: int) -> "Figure | None":
    """Draw whether key genes or DEGs separate the classes better."""
    found = listed_genes(results)
    if found is None or "separation" not in found.tables:
        return None
    table, tested = found.tables["deg_scores"], found.tables["separation"]
    differences = {
        name: (table[f"{genes}_sensitive"] - table[f"{genes}_resistant"]).to_numpy()
        for name, genes in (("key genes", "key"), ("DEGs", "predicted"))
    }
    labels = table["truth" if tested["labels"].iloc[0] == "true" else "label"].to_numpy()
    return draw_separation(differences, labels, tested, title("Separation", results), results.simulated)


def _attention(results: Results, _seed: int) -> "Figure | None":
    """Draw which heads choose, and where those look."""
    found = results.key_genes
    if found is None or found.attention is None:
        return None
    entropy = found.tables["attention_entropy"]
    return draw_attention(entropy, found.attention, title("Attention", results), results.simulated)


def _pathways(results: Results, _seed: int) -> "Figure | None":
    """Draw the gene sets with the smallest false discovery rate."""
    found = results.key_genes
    if found is None or not len(found.tables.get("pathways", ())):
        return None
    return draw_pathways(found.tables["pathways"], title("Gene sets", results), results.simulated)


def ordered(results: Results) -> tuple[TrajectoryResults, "pd.DataFrame"] | None:
    """Return the pseudotime, and the cells that it orders with their probability and group; None without one.

    Parameters
    ----------
    results
        One sample's results.
    """
    found = results.trajectory
    if found is None or not found.summary["computed"]:
        return None
    cells = found.pseudotime.merge(results.predictions[["cell_id", "probability"]], on="cell_id")
    if OBS_GROUP in results.obs:
        cells["group"] = results.obs[OBS_GROUP].astype(str).loc[cells["cell_id"]].to_numpy()
    return found, cells[cells["used"]]


def _trajectory_map(results: Results, seed: int) -> "Figure | None":
    """Draw the cells in diffusion space."""
    found = ordered(results)
    if found is None:
        return None
    return draw_trajectory_map(found[1], title("Diffusion map", results), results.simulated, seed)


def _trajectory_scatter(results: Results, seed: int) -> "Figure | None":
    """Draw the probability along the pseudotime."""
    found = ordered(results)
    if found is None:
        return None
    curve = found[0].curves[found[0].curves["feature"] == "probability"]
    return draw_trajectory_scatter(found[1], curve, title("Pseudotime", results), results.simulated, seed)


def _trajectory_heatmap(results: Results, _seed: int) -> "Figure | None":
    """Draw the top key genes along the pseudotime, in bins."""
    found = ordered(results)
    if found is None or not (found[0].curves["class"] != "prediction").any():
        return None
    return draw_trajectory_heatmap(found[0].bins, title("Key genes", results), results.simulated)


def _trajectory_curves(results: Results, _seed: int) -> "Figure | None":
    """Draw the top key genes along the pseudotime, smoothed."""
    found = ordered(results)
    if found is None or not (found[0].curves["class"] != "prediction").any():
        return None
    unit = "z-score" if results.qc_summary.get("scale") == "zscore" else "log expression"
    return draw_trajectory_curves(found[0].curves, unit, title("Key genes", results), results.simulated)


SAMPLE_FIGURES = by_name(
    (
        FigureEntry(
            "embedding",
            _embedding,
            "cells",
            "map",
            "See whether the probability follows the groups of cells and, where it is known, the truth.",
            note="Cells with similar expression lie close together (UMAP); distances across the map mean little.",
        ),
        FigureEntry(
            "probabilities",
            _probabilities,
            "cells",
            "probabilities",
            "Two peaks mean that the model tells two kinds of cells apart; one peak means that it sees little "
            "difference.",
            text=words.prediction,
            note="The dashed line is the threshold, 0.5.",
        ),
        FigureEntry(
            "groups",
            _groups,
            "groups",
            "probabilities",
            "See which groups lie to the right, and whether their boxes overlap those of the others.",
            note="Box: middle half of a group's cells; line: median; in brackets the number of cells. At most the 30 "
            "largest groups are drawn.",
        ),
        FigureEntry(
            "treatment",
            _treatment,
            "groups",
            "before and after treatment",
            "If the share jumps from untreated to treated cells, the prediction may show what the drug has done, not "
            "who will resist.",
            text=words.treatment,
            note="The number of cells stands in brackets. With known responses also the AUROC among the cells of one "
            "part, with its 95 % bootstrap interval, where both classes occur there.",
        ),
        FigureEntry(
            "key_gene_heatmap",
            _key_gene_heatmap,
            "key_genes",
            "key genes in the cells",
            "See whether a gene changes along the whole row or only in one block of cells, which may be one origin.",
            note="The 100 genes that move the score of sensitive cells most towards sensitive, expressed higher in "
            "sensitive cells above the line and lower below it. Cells stand from the least to the most sensitive by "
            "prediction; the strip above them is the predicted class. A gene that changes in one block alone may mark "
            "the origin of these cells, not their response.",
        ),
        FigureEntry(
            "key_gene_map",
            _key_gene_map,
            "key_genes",
            "key genes on the map",
            "See whether these genes light up where the map of the probabilities does.",
            note="The first three genes of each class whose higher expression speaks for it. A gene may be expressed "
            "in a part of the sensitive cells alone.",
        ),
        FigureEntry(
            "key_gene_dots",
            _key_gene_dots,
            "key_genes",
            "key genes as dots",
            "A large pale dot is common but weak, a small dark one rare but strong.",
            note="The first ten genes of each class whose higher expression speaks for it: names in blue for "
            "sensitive, in orange-red for resistant.",
        ),
        FigureEntry(
            "pathways",
            _pathways,
            "key_genes",
            "gene sets",
            "These gene sets have the smallest false discovery rate.",
            note="Over-representation asks which sets have more of a class's key genes than chance gives, GSEA where "
            "the sets stand in the whole ranking.",
        ),
        FigureEntry(
            "attribution_methods",
            _attribution_methods,
            "key_genes",
            "do the methods agree",
            "Where the methods differ, trust no rank of a single gene.",
            text=lambda results: key_genes.completeness(results.key_genes),
            note="How far the methods name the same genes for the network alone, and how far the whole score follows "
            "them.",
        ),
        FigureEntry(
            "deg_scores",
            _deg_scores,
            "key_genes",
            "scores of differentially expressed genes",
            "See whether the maps from predicted labels repeat those from true ones.",
            note="Mean expression of a class's differentially expressed genes, less that of reference genes of like "
            "expression.",
        ),
        FigureEntry(
            "deg_score_null",
            _deg_score_null,
            "key_genes",
            "scores against random lists",
            "The black line should lie to the right of nearly all random lists.",
            note="Each random list has as many genes of each level of expression as the real one. The grey band is the "
            "95 % interval of the line; cells of one origin are alike, so it is narrower than new samples would make "
            "it.",
        ),
        FigureEntry(
            "deg_score_scatter",
            _deg_score_scatter,
            "key_genes",
            "scores cell by cell",
            "Dots along the line mean that predicted labels give the same genes as true labels.",
            note="One dot a cell, with the regression line. The two lists share genes, so they correlate somewhat by "
            "construction: compare with random lists.",
        ),
        FigureEntry(
            "separation",
            _separation,
            "key_genes",
            "key genes or differentially expressed genes",
            "Neither list separates the classes better when the interval of the difference holds 0.",
            text=lambda results: key_genes.separated(results.key_genes),
            note="Each violin is the score of a class's cells, the white dot their median. To the right, how well each "
            "score separates the classes (AUROC, 95 % bootstrap interval).",
        ),
        FigureEntry(
            "trajectory_map",
            _trajectory_map,
            "trajectory",
            "cells in diffusion space",
            "See whether pseudotime and probability change together and gradually.",
            text=lambda results: trajectory.overview(results.trajectory),
            note="Neighbours here can be reached from each other in small steps of expression. Only ordered cells are "
            "drawn.",
        ),
        FigureEntry(
            "trajectory_scatter",
            _trajectory_scatter,
            "trajectory",
            "pseudotime and probability",
            "A slope means that the probability changes along the path of largest change in expression; a flat line, "
            "across it.",
            text=lambda results: trajectory.correlated(results.trajectory),
            note="One dot a cell; the line is the smoothed mean. The most sensitive group comes first by choice unless "
            "a root was named, so it begins high by construction. Pseudotime is an order, not time.",
        ),
        FigureEntry(
            "trajectory_heatmap",
            _trajectory_heatmap,
            "trajectory",
            "top key genes",
            "See where along the path the key genes change.",
            note="Means of successive bins of equally many cells, each row in its own standard deviations. Names in "
            "blue speak for sensitive, in orange-red for resistant cells. Genes that explain the prediction follow it "
            "by construction.",
        ),
        FigureEntry(
            "trajectory_curves",
            _trajectory_curves,
            "trajectory",
            "top key genes as curves",
            "See which of the same genes change early and which late.",
            note="Smoothed means; the band holds the mean with 95 % certainty if cells are independent. Cells of one "
            "origin are not, so take it for the least uncertainty.",
        ),
        FigureEntry(
            "curves",
            _curves,
            "evidence",
            "ROC and precision-recall",
            "The further to the upper left (ROC) or upper right (precision-recall), the better cells are ranked.",
            note="The ensemble, the network alone and simple baselines, all with the same cells, genes, lines, "
            "denoised responses and neighbours.",
        ),
        FigureEntry(
            "scores",
            _scores,
            "evidence",
            "scores",
            "See whether the ensemble's interval lies clear of guessing, the dotted line, and of the baselines.",
            note="Scores on these cells with 95 % bootstrap intervals. The network alone and the baselines have the "
            "same lines, denoised responses and neighbours as the ensemble.",
        ),
        FigureEntry(
            "significance",
            _significance,
            "evidence",
            "which cells stand out",
            "A heap at the left of the histogram, above the dashed line, means that cells stand out.",
            text=words.significance,
            note="A cell is called sensitive or resistant when its score is further from the mean of all cells than "
            "its own scores under shuffled responses are, and its probability says the same class. No cell is called "
            "unless the sample as a whole stands out.",
        ),
        FigureEntry(
            "null_spread",
            _null_spread,
            "evidence",
            "spread of the scores",
            "The black line should lie to the right of nearly all dots.",
            note="The same training with the bulk lines' responses shuffled (permuted) gives scores that mean nothing; "
            "each dot is how widely such scores spread among these cells. If the line stands among the dots, the cells "
            "differ, but not more along the drug's response than along any other direction.",
        ),
        FigureEntry(
            "members",
            _members,
            "evidence",
            "members of the ensemble",
            "See whether the interval at the last dot stays clear of guessing, and whether one member has all the "
            "weight.",
            note="AUROC of each member by itself on simulated cells of bulk lines that it was not trained on; the bar "
            "at the last dot is the 95 % bootstrap interval, the dotted line guessing. Where one member carries all "
            "the weight, the others confirm little. A member that knows only what another knows too gets little weight "
            "without being bad.",
        ),
        FigureEntry(
            "reliability",
            _reliability,
            "evidence",
            "calibration",
            "The closer the black dots lie to the dotted line, the more a probability means what it says.",
            note="Of all that get 0.8, four fifths should be sensitive. A curve steeper than the line means that the "
            "probabilities are too cautious, a flatter one that they are too bold; a dot with few predictions behind "
            "it is uncertain. Predicted are bulk lines that no member was trained on, made into simulated cells; each "
            "counts several times, and both classes weigh the same. Weights and calibration were fitted on them, so "
            "this flatters somewhat, and real cells are harder.",
        ),
        FigureEntry(
            "source",
            _source,
            "evidence",
            "held-out bulk lines",
            "See how well the drug can be predicted at all; cells are harder than bulk lines.",
            text=words.response_reliability,
            note="Scores on bulk cell lines that no model was trained on, with 95 % bootstrap intervals.",
        ),
        FigureEntry(
            "quality",
            _quality,
            "quality",
            "cells",
            "See whether the limits, the dashed lines, cut through the bulk of the cells.",
            text=words.quality,
            note="Each cell's measures before and after filtering; white dots are the medians. Removed cells are shown "
            "in orange-red.",
        ),
        FigureEntry(
            "losses",
            _losses,
            "quality",
            "training",
            "Each loss should fall and then level off, for training and validation alike.",
            note="Every term of the loss, stage by stage; thin lines are replicas, thick lines their mean.",
        ),
        FigureEntry(
            "attention",
            _attention,
            "attention",
            "",
            "A head below the dashed line chooses among its tokens; one at the dotted line looks at all alike.",
            note="Entropy is 1 when a head looks at all tokens alike and 0 when at a single one. The maps are those of "
            "the heads that choose most. Heads of different replicas are not the same heads, and tokens are no genes: "
            "token_genes.parquet says which genes move each. Attention does not say what mattered.",
        ),
    )
)
