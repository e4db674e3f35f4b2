"""FINETUNE_SC: standardise and cluster the cells, then adapt the pretrained stack to them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from pharmacell.core.errors import InputError
from pharmacell.core.progress import say
from pharmacell.core.seeds import generator, integer
from pharmacell.data.cells import CellMatrix
from pharmacell.data.lines import Lines
from pharmacell.data.names import drug_key
from pharmacell.data.standardise import Standardiser
from pharmacell.response.evidence import null_scores, source_evidence, target_evidence
from pharmacell.response.joint_training import Target, finetune
from pharmacell.response.linear_members import LinearChoice
from pharmacell.response.partial_stacks import halved
from pharmacell.response.pretrain_bulk import fit_members
from pharmacell.response.settings import TransferConfig
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import Source, prepare_source
from pharmacell.training.clusters import cluster_cells
from pharmacell.training.loop import History
from pharmacell.training.settings import TrainingConfig

MOST_CELLS = 10_000  # cells that take part in training; all cells are predicted
VALIDATION_SHARE = 0.1  # of the cells, for early stopping
LABELLED_SHARE = 0.8  # of the cells, with --supervision labels (the paper's protocol)


@dataclass(frozen=True)
class TargetResult:
    """What the target stage leaves beside the adapted bundle.

    Parameters
    ----------
    history
        Loss terms, long form.
    facts
        ``mmd_before``, ``mmd_after`` (mean over replicas), cells and clusters that took part.
    null
        Scores of all cells under permuted bulk labels, float32 [n_permutations, n_cells]; None without an ensemble.
    """

    history: pd.DataFrame
    facts: dict
    null: np.ndarray | None


def check_pretrained(bundle: Bundle, lines: Lines, drug: str, path: str | Path) -> None:
    """Check that a pretrained bundle is for this drug and these genes.

    Raises
    ------
    InputError
        If it is not.
    """
    if drug_key(bundle.card["drug"]) != drug_key(drug):
        raise InputError(f"{path}: pretrained for {bundle.card['drug']}, not for {drug}; run pretrain_bulk for it")
    if lines.genes != bundle.genes:
        raise InputError(
            f"{path}: pretrained on {len(bundle.genes)} genes, but bulk and cells share "
            f"{len(lines.genes)} (or others); run pretrain_bulk with these cells and this bulk file"
        )


def labelled_cells(truth: np.ndarray, supervision: str, rng: np.random.Generator) -> np.ndarray:
    """Choose the cells whose label may be used in training.

    Parameters
    ----------
    truth
        1 or 0, [n_cells].
    supervision
        ``none``; ``few_shot:N``, N cells of each class; or ``labels``, 80 % of the cells, each class by itself.
    rng
        Draws the cells.

    Returns
    -------
    numpy.ndarray
        Sorted positions; empty for ``none``.

    Raises
    ------
    InputError
        If a class has too few cells to leave some for scoring.
    """
    if supervision == "none":
        return np.array([], np.int64)
    chosen = []
    for label in (0, 1):
        cells = np.flatnonzero(truth == label)
        wanted = round(LABELLED_SHARE * len(cells)) if supervision == "labels" else int(supervision.split(":")[1])
        if wanted < 1 or wanted >= len(cells):
            raise InputError(
                f"--supervision {supervision}: class {label} has {len(cells)} cells; it needs more than "
                f"{max(wanted, 1)}, so that some are left to score; use fewer or --supervision none"
            )
        chosen.append(rng.choice(cells, wanted, replace=False))
    return np.sort(np.concatenate(chosen))


def adapt(
    bundle: Bundle,
    lines: Lines,
    split: pd.Series,
    cells: CellMatrix,
    training: TrainingConfig,
    transfer: TransferConfig,
    supervision: str,
    seed: int,
    device: torch.device,
    halvings: int = 0,
) -> TargetResult:
    """Adapt a pretrained bundle to a sample, in place.

    Parameters
    ----------
    bundle
        Of the source stage; its ``target`` standardisation, its ensemble and its card are filled in.
    lines, split
        Bulk lines and the part that each stands in; test lines are not touched.
    cells
        The prepared sample.
    training, transfer
        Settings.
    supervision
        ``none``, ``few_shot:N`` or ``labels``.
    seed
        The user's seed.
    device
        Where to train.
    halvings
        How many times to halve the number of networks that train at once.
    """
    fitted = fit_to_cells(bundle, lines, split, cells, training, transfer, supervision, seed, device, halvings)
    null = None
    if training.ensemble:
        source, target, choice = fitted.source, fitted.target, LinearChoice(**bundle.card["member_penalties"])
        bundle.card |= source_evidence(bundle, source) | target_evidence(bundle, source, target, choice, seed)
        null = null_scores(
            bundle, source, target, cells, choice, training, transfer, fitted.epochs, seed, device, halvings
        )
    bundle.autoencoder = {}
    bundle.card |= {"transfer": asdict(transfer), "supervision": supervision, **fitted.facts}
    return TargetResult(fitted.history, fitted.facts, null)


@dataclass(frozen=True)
class Fitted:
    """The data that a bundle was adapted with, and how it went.

    Parameters
    ----------
    source, target
        Bulk lines and cells.
    epochs
        Best epoch of the joint stage for each replica.
    history, facts
        As in :class:`TargetResult`.
    """

    source: Source
    target: Target
    epochs: Tensor
    history: pd.DataFrame
    facts: dict


def fit_to_cells(
    bundle: Bundle,
    lines: Lines,
    split: pd.Series,
    cells: CellMatrix,
    training: TrainingConfig,
    transfer: TransferConfig,
    supervision: str,
    seed: int,
    device: torch.device,
    halvings: int = 0,
) -> Fitted:
    """Adapt networks and ensemble, without the evidence for or against them; arguments as in :func:`adapt`."""
    if supervision != "none" and "truth" not in cells.obs:
        raise InputError(
            f"--supervision {supervision}: the sample has no labels; name their column in the sheet "
            "(label_key) or use --supervision none"
        )
    bundle.target = Standardiser.fit(cells.chunks(bundle.genes))
    target = prepare_target(bundle, cells, transfer, supervision, seed, device)
    n_clusters = int(target.clusters.max()) + 1
    source = prepare_source(lines, split, bundle.source, training, bundle.model.n_replicas, seed, device)
    history = History()
    discrepancy, epochs = finetune(
        bundle.model,
        source.data,
        source.validation,
        target,
        training,
        transfer,
        history,
        halved(bundle.model.n_replicas, halvings),
    )
    if training.ensemble:
        fit_members(bundle, source, LinearChoice(**bundle.card["member_penalties"]), "target")
    facts = {name: float(values.mean()) for name, values in discrepancy.items()}
    facts |= {"n_cells_trained": len(target.x), "n_clusters": n_clusters, "joint_epochs": epochs.tolist()}
    return Fitted(source, target, epochs, history.table(), facts)


def prepare_target(
    bundle: Bundle, cells: CellMatrix, transfer: TransferConfig, supervision: str, seed: int, device: torch.device
) -> Target:
    """Choose, standardise and cluster the cells that take part in training; see :func:`adapt`."""
    rng = generator(seed, "cells")
    chosen, rows = cells.sample(bundle.genes, MOST_CELLS, rng)
    if len(chosen) < len(cells):
        say(f"training on {len(chosen)} of {len(cells)} cells; all are predicted")
    x = bundle.target.apply(rows)
    clusters = cluster_cells(x, transfer.clustering, integer(seed, "clusters"))
    labels = np.full(len(chosen), -1, np.int64)
    if supervision != "none":
        truth = cells.obs["truth"].to_numpy(np.int64)[chosen]
        used = labelled_cells(truth, supervision, rng)
        labels[used] = truth[used]
        bundle.card["labelled_cells"] = cells.obs.index[chosen[used]].tolist()
    validation = validation_cells(len(chosen), rng)
    inner, outer, labelled = (
        torch.as_tensor(np.flatnonzero(rows), device=device) for rows in (~validation, validation, labels >= 0)
    )
    return Target(
        x=torch.as_tensor(x, device=device),
        clusters=torch.as_tensor(clusters, device=device),
        labels=torch.as_tensor(labels, device=device),
        inner=inner[None],
        outer=outer[None],
        labelled=[labelled],
    )


def validation_cells(n_cells: int, rng: np.random.Generator) -> np.ndarray:
    """Choose the cells that only decide when to stop, bool [n_cells]; at least one on either side."""
    chosen = np.zeros(n_cells, bool)
    chosen[rng.permutation(n_cells)[: max(1, round(VALIDATION_SHARE * n_cells))]] = True
    return chosen
