"""Scores of the cells by the same model trained on permuted bulk responses."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pharmacell.core.seeds import generator
from pharmacell.data.cells import CellMatrix
from pharmacell.response.ensemble import Ensemble
from pharmacell.response.joint_training import TargetCells, train_jointly
from pharmacell.response.labelled_members import permuted_labelled_members, permuted_labels
from pharmacell.response.linear_members import permuted_members
from pharmacell.response.network import ATSDP
from pharmacell.response.pretraining import train_predictor
from pharmacell.response.settings import Configuration
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import TrainingLines, replica_seeds
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.loop import History

PERMUTATIONS = 20
NETWORKS_AT_ONCE = 5  # a stack of all twenty takes most of the memory of the step
LEAST_WEIGHT = 0.01  # of the network in the ensemble, below which the null does without it


@dataclass(frozen=True)
class AdaptationData:
    """What a model was adapted with, and for how long.

    Attributes
    ----------
    lines, target
        Bulk lines and cells.
    joint_epochs
        Best epoch of the joint stage for each replica, int64 [n_replicas].
    cell_shares
        Share of the labelled cells in each linear member, [3]; None where they learn from lines alone.
    """

    lines: TrainingLines
    target: TargetCells
    joint_epochs: Tensor
    cell_shares: np.ndarray | None = None


def null_scores(
    bundle: Bundle,
    ensemble: Ensemble,
    data: AdaptationData,
    cells: CellMatrix,
    settings: Configuration,
    run: TrainingRun,
) -> np.ndarray:
    """Score all cells with the same model trained on permuted responses.

    For each permutation the lines swap their responses, and labelled cells their labels; linear members are refitted
    for every fold, and one network is trained from the unlabelled autoencoder for as many epochs as the real ones took
    (their median), then adapted to the cells. Weights and penalties stay those of the real model, and so do scales: of
    the linear members each replica's own, of the networks the median over replicas.

    Parameters
    ----------
    bundle, ensemble
        The real model.
    data
        What it was adapted with.
    cells
        The prepared sample.
    settings
        Training and transfer.
    run
        Seed, device and attempt.

    Returns
    -------
    numpy.ndarray
        Combined scores, float32 [20, n_cells].
    """
    rng = generator(run.seed, "null")
    orders = np.stack([rng.permutation(len(data.lines.labels)) for _ in range(PERMUTATIONS)])
    weights, offset = permuted_linear_score(bundle, ensemble, data, orders)
    scores = np.empty((PERMUTATIONS, len(cells)), np.float32)
    for rows, x in bundle.standardised_chunks(cells):
        scores[:, rows] = weights @ x.T - offset
    if ensemble.weights[0] <= LEAST_WEIGHT:  # twenty networks would be trained for nothing
        return scores
    # all are trained for the median number of epochs, on which the size of a logit depends: the median counts for all
    centre, scale = (np.median(values[:, 0]) for values in (ensemble.centre, ensemble.scale))
    for permutations in torch.arange(PERMUTATIONS).split(run.replicas_at_once(NETWORKS_AT_ONCE)):
        networks = null_networks(bundle, data, orders, permutations, settings, run)
        chosen = permutations.numpy()
        for rows, x in bundle.standardised_chunks(cells):
            with torch.no_grad():
                logits = networks.logits(torch.as_tensor(x, device=run.device), "target")
            difference = (logits[..., 1] - logits[..., 0]).cpu().numpy()
            scores[chosen, rows] += ensemble.weights[0] * (difference - centre) / scale
    return scores


def permuted_linear_score(
    bundle: Bundle, ensemble: Ensemble, data: AdaptationData, orders: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the linear members' part of the score under each permutation, mean over replicas.

    Parameters
    ----------
    bundle, ensemble
        The real model.
    data
        What it was adapted with.
    orders
        Permutations of the lines, int64 [n_permutations, n_lines].

    Returns
    -------
    weights
        One vector for each permutation, [n_permutations, n_genes].
    offset
        To be subtracted from the weighted sum of a cell's expression.
    """
    share = ensemble.weights[None, 1:] / ensemble.scale[:, 1:]  # [R, 3]
    lines, penalties = data.lines, bundle.card.pretraining.penalties
    if data.cell_shares is None:
        members = permuted_members(lines, penalties, orders)
    else:
        members = permuted_labelled_members(lines, penalties, data.target, data.cell_shares, orders)
    weights = np.einsum("rm,prmg->pg", share, members) / bundle.model.n_replicas
    offset = (ensemble.weights[1:] * ensemble.centre[:, 1:] / ensemble.scale[:, 1:]).sum(1).mean()
    return weights, float(offset)


def null_networks(
    bundle: Bundle,
    data: AdaptationData,
    orders: np.ndarray,
    permutations: Tensor,
    settings: Configuration,
    run: TrainingRun,
) -> ATSDP:
    """Train one network for each of some permutations as one stack; see :func:`null_scores`.

    Parameters
    ----------
    bundle, data, settings, run
        As in :func:`null_scores`.
    orders
        All permutations of the lines, int64 [n_permutations, n_lines].
    permutations
        Numbers of those to train for, int64 [n].
    """
    seeds, replica = replica_seeds(run.seed, "null", len(orders)), permutations % bundle.model.n_replicas
    null = ATSDP(bundle.model.config, len(bundle.genes), [seeds[i] for i in permutations], run.device)
    null.source.encoder.load_state_dict(
        {name: value[replica].to(run.device) for name, value in bundle.autoencoder.items()}
    )
    real = data.lines.training_set
    # rows that resampling made belong to the real labels: the null learns from the lines as they are
    training_set = replace(
        real,
        rows=real.plain_rows[replica],
        plain_rows=real.plain_rows[replica],
        labels=torch.as_tensor(data.lines.labels[orders[permutations.numpy()]], device=run.device).long(),
        validation=real.validation[replica],
    )
    history = History()
    as_long = for_median_epochs(settings, bundle.card.pretraining.predictor_epochs)
    train_predictor("null predictor", null, training_set, None, as_long.training, history)
    null.target.load_state_dict(null.source.state_dict())
    if max(data.joint_epochs) > 0:
        as_long = for_median_epochs(settings, data.joint_epochs.tolist())
        target = data.target.of_replicas(replica)
        shuffled = permuted_labels(target.labels[0].cpu().numpy(), orders[permutations.numpy()])
        target = replace(target, labels=torch.as_tensor(shuffled, device=run.device))
        train_jointly("null joint", null, training_set, None, target, as_long, history)
    return null.eval()


def for_median_epochs(settings: Configuration, epochs: list[int]) -> Configuration:
    """Return the settings with the median of the replicas' epochs, at least 1.

    Parameters
    ----------
    settings
        Training and transfer.
    epochs
        Of each replica.
    """
    return replace(settings, training=replace(settings.training, epochs=max(1, int(np.median(epochs)))))
