"""FINETUNE_SC: standardise and cluster the cells, then adapt the pretrained stack to them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from pharmacell.core.errors import InputError
from pharmacell.core.progress import say
from pharmacell.core.seeds import generator, integer
from pharmacell.data.cells import CellMatrix
from pharmacell.data.columns import OBS_TRUTH
from pharmacell.data.lines import Lines
from pharmacell.data.names import drug_key
from pharmacell.data.standardise import Standardiser
from pharmacell.response.cell_checks import check_cells
from pharmacell.response.joint_training import TargetCells, finetune
from pharmacell.response.labelled_members import labelled_baselines, labelled_ensemble
from pharmacell.response.linear_members import linear_members
from pharmacell.response.model_card import Adaptation
from pharmacell.response.permuted_null import AdaptationData, Null, permuted_null
from pharmacell.response.pretrain_bulk import stacked_ensemble
from pharmacell.response.resembled_lines import PooledCells, pool_clusters, resembled_lines
from pharmacell.response.settings import Configuration
from pharmacell.response.shared_stage import put_on_genes, refit
from pharmacell.response.shifted_scores import score_shifted
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import SplitLines, prepare_training_lines
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.clusters import cluster_cells
from pharmacell.training.loop import History

MOST_CELLS = 10_000  # cells that take part in training; all cells are predicted
VALIDATION_SHARE = 0.1  # of the cells, for early stopping
LABELLED_SHARE = 0.8  # of the cells, with --supervision labels (the paper's protocol)
KEPT_APART = 5  # of each class a fifth of the labelled cells is kept apart, but at least so many, and at most half
FEWEST_LABELLED = 4  # of each class: with fewer, two of each could not be kept apart, and bulk lines decide


@dataclass(frozen=True)
class Finetuned:
    """What fine-tuning leaves beside the adapted bundle.

    Attributes
    ----------
    history
        Loss terms, long form.
    null
        Scores under permuted bulk responses; None without an ensemble.
    source_metrics
        ``model, metric, value, low, high`` on the test lines, where one bulk stage serves all samples; else None.
    """

    history: pd.DataFrame
    null: Null | None
    source_metrics: pd.DataFrame | None = None


def check_pretrained(bundle: Bundle, lines: Lines, drug: str, seed: int, path: str | Path) -> None:
    """Check that a pretrained bundle is for this drug, these genes and this seed, of which its folds come.

    Parameters
    ----------
    bundle
        The pretrained bundle.
    lines
        Bulk lines on the genes that bulk and cells share or, for a bulk stage of all samples, on all.
    drug
        The drug asked for.
    seed
        The user's seed.
    path
        Where the bundle comes from, for the message.

    Raises
    ------
    InputError
        If it is not.
    """
    if drug_key(bundle.card.drug) != drug_key(drug):
        raise InputError(f"{path}: pretrained for {bundle.card.drug}, not for {drug}; run pretrain_bulk for it")
    if bundle.card.pretraining.seed != seed:  # other folds: networks would be validated on lines that they learnt
        raise InputError(
            f"{path}: pretrained with --seed {bundle.card.pretraining.seed}, not {seed}; give the same seed to both"
        )
    if lines.genes != bundle.genes and bundle.card.pretraining.shared:
        raise InputError(f"{path}: pretrained on the genes of other bulk data; run pretrain_bulk with this bulk file")
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
    bulk: SplitLines,
    cells: CellMatrix,
    settings: Configuration,
    supervision: str,
    run: TrainingRun,
) -> Finetuned:
    """Adapt a pretrained bundle to a sample, in place.

    Parameters
    ----------
    bundle
        Pretrained; its standardisation of cells, its ensemble and its card are filled in. One of a bulk stage for all
        samples is put on the sample's genes first.
    bulk
        Bulk lines on the bundle's genes, and the part that each stands in; nothing learns from test lines.
    cells
        The prepared sample.
    settings
        Training and transfer.
    supervision
        ``none``, ``few_shot:N`` or ``labels``.
    run
        Seed, device and attempt.
    """
    data, history, source_metrics = fit_to_cells(bundle, bulk, cells, settings, supervision, run)
    null = None
    ensemble = bundle.ensemble if settings.training.ensemble else None
    if ensemble is not None:
        bundle.card = replace(
            bundle.card,
            shifted_scores=score_shifted(bundle.model, ensemble, data.lines),
            cell_checks=check_cells(data.lines, data.target.x, bundle.card.pretraining.penalties.alpha, run.seed),
        )
        null = permuted_null(bundle, ensemble, data, settings.training, run)
    bundle.autoencoder = {}
    return Finetuned(history, null, source_metrics)


def fit_to_cells(
    bundle: Bundle,
    bulk: SplitLines,
    cells: CellMatrix,
    settings: Configuration,
    supervision: str,
    run: TrainingRun,
) -> tuple[AdaptationData, pd.DataFrame, pd.DataFrame | None]:
    """Adapt networks and ensemble, without the checks of the result.

    Parameters
    ----------
    bundle, bulk, cells, settings, supervision, run
        As in :func:`adapt`.

    Returns
    -------
    data
        Lines and cells that the bundle was adapted with.
    history
        Loss terms, long form.
    source_metrics
        See :class:`Finetuned`.

    Raises
    ------
    InputError
        If labels are to be learnt from and there are none, or too few.
    """
    if supervision != "none" and OBS_TRUTH not in cells.obs:
        raise InputError(
            f"--supervision {supervision}: the sample has no labels; name their column in the sheet "
            "(label_key) or use --supervision none"
        )
    training, n_replicas = settings.training, bundle.model.n_replicas
    if training.sampling != "none" and training.resample == "cells" and supervision == "none":
        say(f"--sampling {training.sampling}: no cell is labelled, so none is resampled (--resample lines: the lines)")
    if bundle.card.pretraining.shared:
        bulk = put_on_genes(bundle, bulk, cells.genes)
    lines = prepare_training_lines(bulk, bundle.source_scaler, training, n_replicas, run.seed, run.device)
    source_metrics = refit(bundle, bulk, lines, training, run) if bundle.card.pretraining.shared else None
    bundle.target_scaler = Standardiser.fit(cells.blocks(bundle.genes))
    target, positions, pooled = prepare_target(bundle, cells, settings.transfer.clustering, supervision, run)
    history = History()
    discrepancy, epochs = finetune(
        bundle.model,
        lines.training_set,
        lines.validation,
        target,
        settings,
        history,
        run.replicas_at_once(n_replicas),
    )
    if training.ensemble:
        penalties = bundle.card.pretraining.penalties
        if target.stops_by_labels:
            bundle.ensemble = labelled_ensemble(bundle.model, lines, penalties, target)
            bundle.baselines = labelled_baselines(bundle.ensemble, target)
        else:
            learnt = bundle.ensemble  # its linear members are of these lines and penalties
            members = linear_members(lines, penalties) if learnt is None else learnt.linear
            bundle.ensemble = stacked_ensemble(bundle.model, lines, members, "target")
    adaptation = Adaptation(
        transfer=settings.transfer,
        supervision=supervision,
        labelled_cells=cells.obs.index[positions[target.labels[0].cpu().numpy() >= 0]].tolist(),
        n_cells_trained=len(target.x),
        n_clusters=target.n_clusters,
        joint_epochs=epochs.tolist(),
        mmd_before=float(discrepancy["mmd_before"].mean()),
        mmd_after=float(discrepancy["mmd_after"].mean()),
        # the lines of simulated cells are known, and not among those trained on
        resembles_line=None if cells.uns.get("simulated") else resembled_lines(pooled, bulk.learnt_from()),
    )
    bundle.card = replace(bundle.card, adaptation=adaptation)
    return AdaptationData(lines, target, positions), history.table(), source_metrics


def prepare_target(
    bundle: Bundle, cells: CellMatrix, clustering: str, supervision: str, run: TrainingRun
) -> tuple[TargetCells, np.ndarray, PooledCells]:
    """Choose, standardise and cluster the cells that take part in training.

    Parameters
    ----------
    bundle
        Knows genes and standardisation.
    cells, supervision, run
        As in :func:`adapt`.
    clustering
        ``louvain`` or ``leiden``.

    Returns
    -------
    target
        The cells.
    positions
        Of these cells in the sample, int64 [n_cells].
    pooled
        The profile of each cluster.
    """
    rng = generator(run.seed, "cells")
    chosen, rows = cells.sample(bundle.genes, MOST_CELLS, rng)
    if len(chosen) < len(cells):
        say(f"training on {len(chosen)} of {len(cells)} cells; all are predicted")
    x = bundle.standardise_cells(rows)
    clusters = cluster_cells(x, clustering, integer(run.seed, "clusters"))
    labels = np.full(len(chosen), -1, np.int64)
    used = np.array([], np.int64)
    if supervision != "none":
        truth = cells.obs[OBS_TRUTH].to_numpy(np.int64)[chosen]
        used = labelled_cells(truth, supervision, rng)
        labels[used] = truth[used]
    validation = validation_cells(len(chosen), rng)
    kept = kept_apart(labels, bundle.model.n_replicas, rng)
    if len(used) and kept is None:
        say(f"--supervision {supervision}: fewer than {FEWEST_LABELLED} labelled cells of a class; bulk lines decide")
    # one row for all replicas, or one for each; a labelled cell decides for the replicas that do not learn from it
    stops = validation[None] if kept is None else kept | (validation & (labels < 0))
    learnt = np.zeros_like(stops) | (labels >= 0) if kept is None else ~kept & (labels >= 0)

    def tensor(values: Any) -> torch.Tensor:
        return torch.as_tensor(values, device=run.device)

    target = TargetCells(
        x=tensor(x),
        clusters=tensor(clusters),
        n_clusters=int(clusters.max()) + 1,
        labels=tensor(labels)[None],
        training_rows=tensor(np.stack([np.flatnonzero(~row) for row in stops])),
        validation_rows=tensor(np.stack([np.flatnonzero(row) for row in stops])),
        labelled_rows=[tensor(rng.permutation(np.flatnonzero(row))) for row in learnt],
        stops_by_labels=kept is not None,
    )
    pooled = pool_clusters(rows, clusters, str(cells.uns["scale"]))
    return target, chosen, pooled


def kept_apart(labels: np.ndarray, n_replicas: int, rng: np.random.Generator) -> np.ndarray | None:
    """Choose the labelled cells that a replica does not learn from: they decide when it stops, and they weigh members.

    Of each class it is a fifth, at least 5 and at most half; replica r takes the r-th such share of the class in a
    random order, so that five replicas or more keep every labelled cell apart once.

    Parameters
    ----------
    labels
        1 or 0, -1 for cells without a label, [n_cells].
    n_replicas
        Replicas of the stack.
    rng
        Draws the order.

    Returns
    -------
    numpy.ndarray or None
        bool [n_replicas, n_cells]; None where a class has fewer than 4 labelled cells.
    """
    classes = [rng.permutation(np.flatnonzero(labels == label)) for label in (0, 1)]
    if min(map(len, classes)) < FEWEST_LABELLED:
        return None
    kept = np.zeros((n_replicas, len(labels)), bool)
    for cells in classes:
        size = max(len(cells) // 5, min(KEPT_APART, len(cells) // 2))
        for replica in range(n_replicas):
            kept[replica, np.take(cells, np.arange(replica * size, (replica + 1) * size), mode="wrap")] = True
    return kept


def validation_cells(n_cells: int, rng: np.random.Generator) -> np.ndarray:
    """Choose the cells that only decide when to stop, bool [n_cells]; at least one on either side.

    Parameters
    ----------
    n_cells
        How many there are.
    rng
        Draws the cells.
    """
    chosen = np.zeros(n_cells, bool)
    chosen[rng.permutation(n_cells)[: max(1, round(VALIDATION_SHARE * n_cells))]] = True
    return chosen
