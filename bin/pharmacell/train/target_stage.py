"""FINETUNE_SC: standardise and cluster the cells, then adapt the pretrained stack to them."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pharmacell.data.cells import CellMatrix
from pharmacell.data.lines import Lines
from pharmacell.data.names import drug_key
from pharmacell.data.standardise import Standardiser
from pharmacell.errors import InputError
from pharmacell.models.store import Bundle
from pharmacell.progress import say
from pharmacell.seeds import generator, integer
from pharmacell.train.clusters import cluster_cells
from pharmacell.train.finetune import Target, TransferConfig, finetune
from pharmacell.train.loop import History, TrainingConfig
from pharmacell.train.sampling import resample

MOST_CELLS = 10_000  # cells that take part in training; all cells are predicted
VALIDATION_SHARE = 0.1  # of the cells, for early stopping
LABELLED_SHARE = 0.8  # of the cells, with --supervision labels (the paper's protocol)


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
            raise InputError(f"--supervision {supervision}: class {label} has {len(cells)} cells; it needs more than "
                             f"{max(wanted, 1)}, so that some are left to score; use fewer or --supervision none")
        chosen.append(rng.choice(cells, wanted, replace=False))
    return np.sort(np.concatenate(chosen))


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
        raise InputError(f"{path}: pretrained on {len(bundle.genes)} genes, but bulk and cells share "
                         f"{len(lines.genes)} (or others); run pretrain_bulk with these cells and this bulk file")


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
) -> tuple[pd.DataFrame, dict]:
    """Adapt a pretrained bundle to a sample, in place.

    Parameters
    ----------
    bundle
        Of the source stage; its ``target`` standardisation and card are filled in.
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

    Returns
    -------
    history
        Loss terms, long form.
    transfer
        ``mmd_before``, ``mmd_after`` (mean over replicas) and how many cells and clusters took part.
    """
    if supervision != "none" and "truth" not in cells.obs:
        raise InputError(f"--supervision {supervision}: the sample has no labels; name their column in the sheet "
                         "(label_key) or use --supervision none")
    rng = generator(seed, "cells")
    bundle.target = Standardiser.fit(cells.chunks(bundle.genes))
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
    target = Target(
        x=torch.as_tensor(x, device=device), clusters=torch.as_tensor(clusters, device=device),
        validation=torch.as_tensor(validation_cells(len(chosen), rng), device=device),
        labels=torch.as_tensor(labels, device=device),
    )

    parts, classes = source_parts(bundle, lines, split, training.sampling, integer(seed, "resampling"), device)
    history = History()
    discrepancy = finetune(bundle.model, parts, classes, target, training, transfer, history)
    facts = {name: float(values.mean()) for name, values in discrepancy.items()}
    facts |= {"n_cells_trained": len(chosen), "n_clusters": int(clusters.max()) + 1}
    bundle.card |= {"transfer": asdict(transfer), "supervision": supervision, **facts}
    return history.table(), facts


def validation_cells(n_cells: int, rng: np.random.Generator) -> np.ndarray:
    """Choose the cells that only decide when to stop, bool [n_cells]; at least one on either side."""
    chosen = np.zeros(n_cells, bool)
    chosen[rng.permutation(n_cells)[: max(1, round(VALIDATION_SHARE * n_cells))]] = True
    return chosen


def source_parts(bundle: Bundle, lines: Lines, split: pd.Series, sampling: str, seed: int, device: torch.device):
    """Return standardised lines and classes of the training (resampled) and validation part, as tensors."""
    part_of = split.reindex(lines.labels.index)
    parts, classes = {}, {}
    for part in ("train", "validation"):
        rows = (part_of == part).to_numpy()
        x, y = bundle.source.apply(lines.x[rows]), lines.labels.to_numpy()[rows]
        if part == "train":
            x, y = resample(x, y, sampling, seed)
        parts[part] = torch.as_tensor(x, device=device)
        classes[part] = torch.as_tensor(y, device=device).long()
    return parts, classes
