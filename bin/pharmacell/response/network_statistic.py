"""The network's last layers under permutations of the bulk responses, on latents that saw no response."""

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pharmacell.core.progress import track
from pharmacell.nn.random import ReplicaRandom
from pharmacell.response.joint_training import TargetCells
from pharmacell.response.linear_members import one_replica_of_each_fold
from pharmacell.response.network import Predictor
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import TrainingLines, replica_seeds
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.loop import History, Stage, run_stage
from pharmacell.training.losses import class_cross_entropy
from pharmacell.training.settings import TrainingConfig

ROWS_AT_ONCE = 128  # that a stack of heads reads without a gradient: its attention stays in a processor's cache
HEAD_EPOCHS = 2  # of a head: 200 of them are trained
HEAD_RATE = 4.0  # times the learning rate of the model, so that two epochs do
ORDERS_AT_ONCE = 5  # whose heads train as one stack on a GPU; a processor's cache holds those of one order


@dataclass(frozen=True)
class Latents:
    """Lines and cells as the autoencoders' encoders see them, which never met a response.

    Attributes
    ----------
    lines
        The lines and, with count thinning, simulated cells of them at each severity,
        float32 [n_replicas, n_views, n_lines, bottleneck].
    validation
        Validation cells of each replica's fold, [n_replicas, n_validation, bottleneck].
    cells
        Cells that are scored, [n_replicas, n_cells, bottleneck].
    """

    lines: Tensor
    validation: Tensor
    cells: Tensor


def fold_of_replicas(lines: TrainingLines) -> np.ndarray:
    """Return the number of each replica's fold, counted as they first occur, int64 [n_replicas].

    Parameters
    ----------
    lines
        Lines and folds.
    """
    first = one_replica_of_each_fold(lines.held_out)
    return (lines.held_out[:, None] == lines.held_out[first]).all(-1).argmax(1)


@torch.no_grad()
def latents_of(bundle: Bundle, lines: TrainingLines, target: TargetCells, chosen: np.ndarray) -> Latents:
    """Pass lines and cells through the encoders as the autoencoders left them.

    Parameters
    ----------
    bundle
        Has these encoders.
    lines, target
        Bulk lines, and the cells of the sample.
    chosen
        Which of the cells are scored.
    """
    encoder = deepcopy(bundle.model.source.encoder).eval()
    encoder.load_state_dict({name: value.to(target.x.device) for name, value in bundle.autoencoder.items()})
    real, n = lines.training_set, len(lines.x)
    views = [real.clean[:n]] if real.thinned is None else [real.clean[:n], *real.thinned[:, :n]]
    first = np.array(one_replica_of_each_fold(lines.held_out))
    validation = lines.shifted_validation.pooled[torch.as_tensor(first[fold_of_replicas(lines)])]
    return Latents(
        lines=torch.stack([encoder(view) for view in views], 1),
        validation=encoder(validation),
        cells=encoder(target.x[torch.as_tensor(chosen)]),
    )


@dataclass(frozen=True)
class NetworkScores:
    """Logit differences under each order, mean over the replicas of a fold.

    Attributes
    ----------
    validation
        Of the fold's validation cells, [n_folds, n_orders, n_validation].
    cells
        Of the sample's cells, [n_folds, n_orders, n_cells].
    """

    validation: np.ndarray
    cells: np.ndarray


def network_scores(
    bundle: Bundle,
    lines: TrainingLines,
    target: TargetCells,
    orders: np.ndarray,
    chosen: np.ndarray,
    config: TrainingConfig,
    run: TrainingRun,
) -> NetworkScores:
    """Train attention and classifier for each order, as many networks as the model has.

    Whole networks for each order would take several times as long as the model itself. So the encoder stays as the
    autoencoder left it, for lines and cells alike, and a head trains for two epochs at four times the rate, without
    early stopping (docs/performance.md compares it with five epochs that stop early, on one simulated sample). The
    first, real order is treated like the others, so the comparison is exact; it is about this network, not about the
    one that predicts. No label of a cell is read, also where the model learns from some: what is tested are the bulk
    responses.

    Parameters
    ----------
    bundle
        Has the encoders.
    lines, target
        Bulk lines, and the cells of the sample.
    orders
        int64 [n_orders, n_lines], the first the real one.
    chosen
        Which of the cells are scored, int64 [n].
    config
        Training of the network.
    run
        Seed, device and attempt.
    """
    latents, folds = latents_of(bundle, lines, target, chosen), fold_of_replicas(lines)
    at_once = 1 if run.device.type == "cpu" else run.replicas_at_once(ORDERS_AT_ONCE)
    parts = [
        train_heads(bundle, lines, latents, orders, np.arange(len(orders))[start : start + at_once], config, run)
        for start in track(range(0, len(orders), at_once), "null", len(orders), "orders of the responses", at_once)
    ]
    by_replica = [np.concatenate(part, 1) for part in zip(*parts, strict=True)]  # [n_replicas, n_orders, n] each
    return NetworkScores(
        *(np.stack([part[folds == fold].mean(0) for fold in range(folds.max() + 1)]) for part in by_replica)
    )


def train_heads(
    bundle: Bundle,
    lines: TrainingLines,
    latents: Latents,
    orders: np.ndarray,
    numbers: np.ndarray,
    config: TrainingConfig,
    run: TrainingRun,
) -> tuple[np.ndarray, np.ndarray]:
    """Train the heads of some orders as one stack.

    Parameters
    ----------
    bundle, lines, orders, config, run
        As in :func:`network_scores`.
    latents
        What the heads read.
    numbers
        Which of the orders, int64 [n].

    Returns
    -------
    validation, cells
        Logit differences, [n_replicas, n_orders, n].
    """
    n_orders, n_replicas = len(numbers), bundle.model.n_replicas
    replica = torch.arange(n_replicas).repeat(n_orders)  # of each head; the heads of an order stand together
    seeds = replica_seeds(run.seed, "null", len(orders) * n_replicas)
    random = ReplicaRandom([seeds[n * n_replicas + r] for n in numbers for r in range(n_replicas)], run.device)
    heads = Predictor(bundle.model.config, random)
    classes = lines.labels[orders[numbers]]  # [n_orders, n_lines]
    labels = torch.as_tensor(classes, device=run.device).long().repeat_interleave(n_replicas, 0)
    rows = balanced_rows(labels, lines.training_set.plain_rows[replica], config.sampling, random)

    def differences(values: Tensor) -> np.ndarray:
        # [n_orders, n_replicas, n]
        logits = torch.cat([heads(part[replica]) for part in values.split(ROWS_AT_ONCE, dim=1)], 1)
        return (logits[..., 1] - logits[..., 0]).cpu().numpy().reshape(n_orders, n_replicas, -1)

    def train_terms(batch: Tensor) -> dict[str, Tensor]:
        view = random.choices(latents.lines.shape[1], batch.shape[1])
        return {
            "total": class_cross_entropy(heads(latents.lines[replica[:, None], view, batch]), labels.gather(1, batch))
        }

    def batches() -> list[Tensor]:
        return list(rows.gather(1, random.permutations(rows.shape[1])).split(config.batch_size, dim=1))

    few = replace(config, epochs=min(config.epochs, HEAD_EPOCHS), learning_rate=HEAD_RATE * config.learning_rate)
    run_stage(Stage("null heads", heads, random, batches, train_terms, shown=False), few, History())
    with torch.no_grad():
        validation, cells = (np.moveaxis(differences(values), 1, 0) for values in (latents.validation, latents.cells))
    return validation, cells


def balanced_rows(labels: Tensor, rows: Tensor, sampling: str, random: ReplicaRandom) -> Tensor:
    """Return the rows that each head learns from; with any resampling as many of either class, drawn anew.

    Parameters
    ----------
    labels
        Class of each line for each head, [n_heads, n_lines].
    rows
        Lines that each head may learn from, [n_heads, n].
    sampling
        ``none`` takes the lines as they are.
    random
        The heads' streams.
    """
    if sampling == "none":
        return rows
    classes, size = labels.gather(1, rows), rows.shape[1] // 2
    sides = []
    for label in (0, 1):
        of_class = [own[known == label] for own, known in zip(rows, classes, strict=True)]
        drawn = random.choices([max(len(own), 1) for own in of_class], size)
        sides.append(torch.stack([own[pick] for own, pick in zip(of_class, drawn, strict=True)]))
    return torch.cat(sides, 1)
