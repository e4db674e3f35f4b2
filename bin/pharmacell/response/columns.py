"""Names of the columns and keys that the main job publishes, stated once for those who write and those who read."""

from collections.abc import Collection
from typing import Any, TypedDict

from pharmacell.evaluate.bootstrap import COLUMNS as METRICS

CELL_ID = "cell_id"
PROBABILITY = "probability"
PROBABILITY_STD = "probability_std"
LABEL = "label"
TRUTH = "truth"
BASELINE_NAMES = ("signature", "ridge", "logistic")
NETWORK = "network"  # ATSDP-NET by itself
ENSEMBLE = "ensemble"  # network and linear members under one score: what the default configuration predicts with
ALONE = (NETWORK, *BASELINE_NAMES)  # what is scored beside the ensemble

PREDICTIONS = (CELL_ID, PROBABILITY, PROBABILITY_STD, LABEL)  # and TRUTH where it is known
BASELINES = (CELL_ID, *ALONE)
MODEL_METRICS = ("model", *METRICS)
TREATMENT = ("treatment", *MODEL_METRICS)
SIGNIFICANCE = (CELL_ID, "p", "fdr", "call")
CLASS_NAMES = ("resistant", "sensitive")  # of the labels 0 and 1
# in the column "call", beside the two classes; the first two stand out, but their probability says the other class
HIGHER, LOWER = "higher than the sample", "lower than the sample"
NOT_SIGNIFICANT = "not significant"


def main_model(models: Collection[str]) -> str:
    """Return the model that the probabilities come from: the ensemble, or the network where it stands alone.

    Parameters
    ----------
    models
        Names in the column "model".
    """
    return ENSEMBLE if ENSEMBLE in models else NETWORK


# keys of SAMPLE.transfer.json: fields of pharmacell.response.model_card.Adaptation
TRANSFER = ("mmd_before", "mmd_after", "n_cells_trained", "n_clusters", "joint_epochs")

# columns of obs in the predicted h5ad
OBS_PROBABILITY = "pharmacell_probability"
OBS_STD = "pharmacell_std"
OBS_LABEL = "pharmacell_label"
OBS_FDR = "pharmacell_fdr"


class Diagnostics(TypedDict, total=False):
    """Keys of ``diagnostics.json``.

    Those of shifted validation, of the checks on the cells and of the member weights are there only where linear
    members stand beside the network; those of the separation only with the scores under permuted bulk responses; those
    of the treatment only where the sheet names its column.

    Attributes
    ----------
    verdict
        ``supported``, ``uncertain`` or ``not supported``.
    reasons
        Why, the weightiest first.
    drug, sample
        Their names.
    simulated
        Whether the cells were simulated.
    n_cells, n_lines
        Cells predicted, and bulk lines with a response.
    share_sensitive
        Share of the cells called sensitive.
    genes_shared, genes_bulk
        Genes that bulk and cells share, and genes of the bulk file.
    genes_matched
        Share of the sample's gene names that are human genes; None where it is not known.
    source_auroc, source_auroc_low, source_auroc_high
        AUROC on held-out bulk lines with its 95 % interval.
    mmd_before, mmd_after
        MMD^2 between the latents of lines and cells before and after the joint stage, mean over replicas.
    replica_agreement
        Mean Spearman correlation between pairs of replicas; NaN with one replica.
    replicas_opposed
        Replicas whose mean correlation with the others is negative.
    replica_std
        Mean over cells of the standard deviation of the replicas' probabilities.
    supervision
        ``none``, ``few_shot:N`` or ``labels``.
    resembles_line
        Bulk lines trained on that clusters of the cells look like, see
        :class:`pharmacell.response.model_card.ResembledLine`; None where it cannot be told.
    agreement_signature, agreement_ridge, agreement_logistic
        Spearman correlation of the probability with that of each baseline.
    shifted_auroc, shifted_auroc_low, shifted_auroc_high
        AUROC on held-out lines made into simulated cells, with its 95 % interval.
    calibration_error
        Expected calibration error on the same cells.
    shifted_auroc_pooled
        The same over pairs of lines of any tissue.
    predictability_within, predictability_pooled
        AUROC of ridge regression, cross-validated on all lines of the drug with tissues kept apart, over pairs of
        lines of one tissue and over all pairs; ``_low`` and ``_high`` are the ends of the 95 % interval. The same for
        every seed.
    response_reliability, response_reliability_lines
        Correlation between releases of the bulk data where both measured a line, and how many lines that are; None
        where fewer than 20 are, as in drugs with one release and in most tables of one's own.
    halves_agreement, halves_p, share_beyond_range
        See :class:`pharmacell.response.model_card.CellChecks`.
    weight_network, weight_signature, weight_ridge, weight_logistic
        Weights of the members, sum 1.
    separation_ratio, separation_p, separation_spread, separation_null
        Spread of the linear scores among the cells against that under 1,000 permutations of the bulk responses: the
        ratio to the median, its p, the standard deviation itself, and that of each permutation.
    largest_deviation_p
        p of the largest deviation of any cell under the same permutations.
    network_separation_p, network_largest_deviation_p
        The same with the network, on at most 2,000 cells and 39 permutations; None where the network hardly counts.
    linear_score_correlation
        Spearman correlation of the linear score that is tested with the score that is shown.
    cell_axes
        Along how many axes the cells differ, see :func:`pharmacell.evaluate.significance.number_of_axes`.
    n_untreated, n_treated
        Cells before and after treatment.
    treatment_and_label, treatment_and_truth, treatment_and_group, treatment_and_batch
        Cramér's V of being treated with the predicted class, the known class, the group and the batch; None where one
        of both is the same for all cells.
    """

    verdict: str
    reasons: list[str]
    drug: str
    sample: str
    simulated: bool
    n_cells: int
    n_lines: int
    share_sensitive: float
    genes_shared: int
    genes_bulk: int
    genes_matched: float | None
    source_auroc: float
    source_auroc_low: float
    source_auroc_high: float
    mmd_before: float
    mmd_after: float
    replica_agreement: float
    replicas_opposed: int
    replica_std: float
    supervision: str
    resembles_line: list[dict[str, Any]] | None
    agreement_signature: float
    agreement_ridge: float
    agreement_logistic: float
    shifted_auroc: float
    shifted_auroc_low: float
    shifted_auroc_high: float
    calibration_error: float
    shifted_auroc_pooled: float
    predictability_within: float
    predictability_within_low: float
    predictability_within_high: float
    predictability_pooled: float
    predictability_pooled_low: float
    predictability_pooled_high: float
    response_reliability: float | None
    response_reliability_lines: int | None
    halves_agreement: float
    halves_p: float
    share_beyond_range: float
    weight_network: float
    weight_signature: float
    weight_ridge: float
    weight_logistic: float
    separation_ratio: float
    separation_p: float
    separation_spread: float
    separation_null: list[float]
    largest_deviation_p: float
    network_separation_p: float | None
    network_largest_deviation_p: float | None
    linear_score_correlation: float
    cell_axes: float
    n_untreated: int
    n_treated: int
    treatment_and_label: float | None
    treatment_and_truth: float | None
    treatment_and_group: float | None
    treatment_and_batch: float | None
