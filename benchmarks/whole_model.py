"""Train and adapt the default model in this process, and collect all that its verdict could know."""

import contextlib
import copy
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from pharmacell.core.seeds import generator
from pharmacell.data.cells import CellMatrix
from pharmacell.data.lines import Lines
from pharmacell.evaluate.metrics import auroc
from pharmacell.response.cell_checks import check_cells
from pharmacell.response.cell_tests import averaging, permutation_tests
from pharmacell.response.columns import ALONE, ENSEMBLE
from pharmacell.response.diagnostics import diagnose
from pharmacell.response.finetune_sc import fit_to_cells
from pharmacell.response.linear_statistic import OrderedMembers, member_weights
from pharmacell.response.neighbours import nearest_cells
from pharmacell.response.permuted_null import PERMUTATIONS, AdaptationData, Null, permutations
from pharmacell.response.predict import CellPredictions, predict_cells, smoothed
from pharmacell.response.pretrain_bulk import Pretrained, pretrain
from pharmacell.response.settings import DEFAULT, NEIGHBOURS, Configuration
from pharmacell.response.shifted_scores import score_shifted
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import SplitLines
from pharmacell.response.training_run import TrainingRun

CPU = torch.device("cpu")
REPLICAS = 5


@dataclass(frozen=True)
class KnownCells:
    """A prepared sample whose truth is known here, and nowhere in training.

    Attributes
    ----------
    cells
        The sample.
    truth
        1 sensitive, 0 resistant, of each cell; other cells are predicted and not scored.
    """

    cells: CellMatrix
    truth: np.ndarray


def trained(lines: Lines, seed: int, settings: Configuration = DEFAULT, n_replicas: int = REPLICAS) -> Pretrained:
    """Return a model of some lines, unless told otherwise the default one."""
    with quiet():
        return pretrain(lines, settings, n_replicas, TrainingRun(seed, CPU))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide progress lines."""
    with open(os.devnull, "w") as sink, contextlib.redirect_stderr(sink), contextlib.redirect_stdout(sink):
        yield


def score_set(bundle: Bundle, cells: CellMatrix, truth: np.ndarray) -> tuple[dict, CellPredictions, np.ndarray]:
    """Return AUROCs on the cells, with and without averaging over neighbours, the predictions, and the neighbours.

    Cells whose truth is neither 1 nor 0 are predicted and not scored.
    """
    known = np.isin(truth, (0, 1))
    single = predict_cells(bundle, cells, CPU)
    nearest = nearest_cells(cells.components(), NEIGHBOURS, np.random.default_rng(0))
    found = smoothed(single, bundle, nearest) if bundle.ensemble is not None else single
    row = {}
    for suffix, predictions in (("", found), ("_single", single)):
        row[ENSEMBLE + suffix] = auroc(truth[known], predictions.scores.mean(0)[known])
        row |= {
            name + suffix: auroc(truth[known], scores[known])
            for name, scores in zip(ALONE, predictions.scores_alone, strict=True)
        }
    return row, found, nearest


def score_lines(pretrained: Pretrained, x: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the AUROC of all held-out lines, as bulk."""
    bundle = pretrained.bundle
    x = bundle.source_scaler.apply(x)
    network = bundle.network_scores(x, "source", CPU)
    scores = {
        ENSEMBLE: bundle.ensemble.score(network, x).mean(0),
        **dict(zip(ALONE, bundle.alone(network, x), strict=True)),
    }
    return {f"bulk_{name}": auroc(labels.astype(int), values) for name, values in scores.items()}


def examine(pretrained: Pretrained, lines: Lines, sample: KnownCells, drug: str, seed: int) -> dict[str, Any]:
    """Adapt the model to cells; return AUROCs, and all that the verdict could know.

    The network's permutations, which no rule of the verdict reads, are not trained.
    """
    bundle, cells = copy.deepcopy(pretrained.bundle), sample.cells
    bulk = SplitLines(lines, pretrained.split)
    with quiet():
        data, *_ = fit_to_cells(bundle, bulk, cells, DEFAULT, "none", TrainingRun(seed, CPU))
        bundle.card = replace(
            bundle.card,
            drug=drug,
            sample="cells",
            shifted_scores=score_shifted(bundle.model, bundle.ensemble, data.lines),
            cell_checks=check_cells(data.lines, data.target.x, bundle.card.pretraining.penalties.alpha, seed),
        )
        row, found, nearest = score_set(bundle, cells, sample.truth)
        null = linear_null(data, seed)
        tests = permutation_tests(null, bundle, cells, nearest, NEIGHBOURS)
        diagnostics = diagnose(found, bundle.card, cells.uns, tests)
        x = np.concatenate([block for _, block in bundle.standardised_chunks(cells)])
        candidates = of_orders(averaging(nearest, len(cells)) @ (x @ null.weights.T))
    row |= {f"weight_{name}": weight for name, weight in bundle.ensemble.named_weights().items()}
    row |= {name: value for name, value in diagnostics.items() if not isinstance(value, list)}
    return row | candidates | {"expected_auroc": expected_auroc(found.probability)}


def linear_null(data: AdaptationData, seed: int) -> Null:
    """Return the null of the linear members alone."""
    members = OrderedMembers(data.lines, permutations(data.lines.strata, PERMUTATIONS, generator(seed, "null")))
    weights = members.gene_weights(member_weights(members.validation, members.labels))
    return Null(weights, None, data.positions[:0])


def of_orders(scores: np.ndarray) -> dict[str, float]:
    """Return what all orders of the responses have in common, and how far the real one stands out beside it.

    Permutations keep what lines of one tissue have in common, so the mean over orders is the tissues' part of a score.
    """
    deviations = scores - scores.mean(0)
    common = deviations.mean(1, keepdims=True)
    spreads = (deviations - common).std(0)
    return {
        "tissue_correlation": float(np.corrcoef(deviations[:, 0], common[:, 0])[0, 1]),
        "tissue_share": float(common.var() / deviations.var(0).mean()),
        "own_spread_ratio": float(spreads[0] / np.median(spreads[1:])),
        "own_spread_p": float((spreads >= spreads[0] * (1 - 1e-5)).mean()),
    }


def expected_auroc(probability: np.ndarray) -> float:
    """Return the AUROC that calibrated probabilities would have."""
    p = np.sort(probability)
    sensitive_above = np.cumsum((1 - p)[: len(p)]) - (1 - p)
    return float((p * sensitive_above).sum() / (p.sum() * (1 - p).sum() - (p * (1 - p)).sum()))
