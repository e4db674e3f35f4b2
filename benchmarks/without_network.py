"""The default model without its network: linear members, penalties, weights, checks and null as in a run.

A set takes a fifth of the time. The network's weight in the ensemble is 0.1 to 0.2 on average, so this is close to the
default and is not it; tables say which of the two they are of.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from whole_model import CPU, KnownCells, linear_null

from pharmacell.core.seeds import generator
from pharmacell.data.lines import Lines
from pharmacell.data.splits import split_lines
from pharmacell.data.standardise import Standardiser
from pharmacell.evaluate.metrics import auroc
from pharmacell.evaluate.significance import number_of_axes
from pharmacell.linear.denoised_responses import denoised_response
from pharmacell.response.baselines import baseline_weights
from pharmacell.response.cell_checks import agreement_of_halves, share_beyond_range
from pharmacell.response.cell_tests import averaging
from pharmacell.response.columns import BASELINE_NAMES, ENSEMBLE
from pharmacell.response.ensemble import stacking_weights
from pharmacell.response.linear_members import choose_penalties, linear_members
from pharmacell.response.model_card import Penalties
from pharmacell.response.neighbours import nearest_cells
from pharmacell.response.permuted_null import AdaptationData
from pharmacell.response.predictability import predictability
from pharmacell.response.settings import DEFAULT, NEIGHBOURS
from pharmacell.response.training_lines import SplitLines, TrainingLines, prepare_training_lines

REPLICAS = 5


@dataclass(frozen=True)
class LinearModel:
    """Linear members of one drug, and what a verdict looks at.

    Attributes
    ----------
    bulk
        Lines and the part of each.
    lines
        Ready for training.
    penalties
        From shifted validation.
    null
        Gene weights under each order of the responses, [1 + n_permutations, n_genes].
    facts
        Diagnostics that are the same for all samples.
    """

    bulk: SplitLines
    lines: TrainingLines
    penalties: Penalties
    null: np.ndarray
    facts: dict[str, Any]


def trained_linear(lines: Lines, seed: int) -> LinearModel:
    """Fit the linear members of some lines."""
    bulk = SplitLines(lines, split_lines(lines.labels, seed))
    scaler, _ = lines.standardised(~bulk.in_part("test"))
    training = replace(DEFAULT.training, noise="gaussian")  # noise is the network's alone
    found = prepare_training_lines(bulk, scaler, training, REPLICAS, seed, CPU)
    drug = predictability(lines)
    facts = {
        "predictability_within": drug.within.value,
        "predictability_within_low": drug.within.low,
        "predictability_within_high": drug.within.high,
        "predictability_pooled": drug.pooled.value,
        "response_reliability": None if lines.reliability is None else lines.reliability.correlation,
        "response_reliability_lines": None if lines.reliability is None else lines.reliability.n_lines,
        "genes_shared": len(lines.genes),
        "genes_bulk": lines.n_genes_bulk,
    }
    null = linear_null(AdaptationData(found, None, np.empty(0, int)), seed).weights
    return LinearModel(bulk, found, choose_penalties(found), null, facts)


def combined(lines: TrainingLines, penalties: Penalties) -> np.ndarray:
    """Return the ensemble without the network as one vector of genes, [n_genes]."""
    validation = lines.shifted_validation
    members = linear_members(lines, penalties)  # [R, 3, n_genes]
    raw = members @ np.swapaxes(validation.pooled.cpu().numpy(), 1, 2)
    scale = np.maximum(raw.std(2, keepdims=True), 1e-6)
    standardised = (raw - raw.mean(2, keepdims=True)) / scale
    weights = stacking_weights(standardised.transpose(0, 2, 1).reshape(-1, raw.shape[1]), validation.labels.ravel())
    return np.einsum("k,rkg->g", weights, members / scale) / len(members)


def linear_scores(model: LinearModel) -> dict[str, np.ndarray]:
    """Return the gene weights of the ensemble without the network, and of each baseline."""
    lines, response = model.lines, denoised_response(model.bulk.learnt_from().panel, model.lines.response)
    alone = baseline_weights(lines.x, response, lines.labels, model.penalties)
    return {ENSEMBLE: combined(lines, model.penalties), **dict(zip(BASELINE_NAMES, alone, strict=True))}


def examine_linear(model: LinearModel, sample: KnownCells, seed: int) -> dict[str, Any]:
    """Score cells; return AUROCs, and all that the verdict looks at."""
    cells, genes = sample.cells, model.bulk.lines.genes
    x = Standardiser.fit(cells.blocks(genes)).apply(np.concatenate(list(cells.chunks(genes))))
    averages = averaging(nearest_cells(cells.components(), NEIGHBOURS, np.random.default_rng(0)), len(cells))
    row: dict[str, Any] = {"n_cells": len(cells), **model.facts}
    for name, weights in linear_scores(model).items():
        row |= {name: auroc(sample.truth, averages @ (x @ weights)), f"{name}_single": auroc(sample.truth, x @ weights)}
    under_null = averages @ (x @ model.null.T)
    row["cell_axes"] = number_of_axes((under_null - under_null.mean(0))[:, 1:])
    halves = agreement_of_halves(model.lines, x[:1000], model.penalties.alpha, generator(seed, "halves"))
    row["halves_agreement"], row["halves_p"] = halves
    return row | {"share_beyond_range": share_beyond_range(model.lines, x)}
