"""Transfer to single cells: where the target encoder starts, then the joint stage of Eq. 16."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from pharmacell.core.seeds import generator
from pharmacell.nn.random import ReplicaRandom
from pharmacell.response.network import ATSDP
from pharmacell.response.partial_stacks import train_in_turns
from pharmacell.response.pretraining import source_loss, train_autoencoder
from pharmacell.response.settings import Configuration
from pharmacell.response.validation import PlainValidation, ShiftedValidation
from pharmacell.training.loop import History, Stage, run_stage
from pharmacell.training.losses import class_cross_entropy, cluster_regulariser, known_cross_entropy, mmd
from pharmacell.training.sampling import resampled_positions
from pharmacell.training.settings import TrainingConfig
from pharmacell.training.training_set import TrainingSet, gathered

SMALLEST_SQUARE = 1e-8  # of the discrepancy, below which its root would have no gradient to speak of
RESAMPLING_SEED = 0  # which cells are resampled depends on the user's seed already
LARGEST_MMD_SAMPLE = 1024  # the kernel matrix grows with its square


@dataclass(frozen=True)
class TargetCells:
    """Cells that take part in the transfer.

    Rows and labels [1, n] are shared by all replicas; [n_replicas, n] gives each replica its own.

    Parameters
    ----------
    x
        Standardised expression, float32 [n_cells, n_genes].
    clusters
        int64 [n_cells].
    n_clusters
        Number of clusters; known here, so that no stage has to ask a GPU for it.
    labels
        int64 [1 or n_replicas, n_cells]; 1 or 0 where supervision allows the label to be used, -1 everywhere else.
    training_rows, validation_rows
        Rows to learn from and rows that only decide when to stop, int64 [1 or n_replicas, n].
    labelled_rows
        Rows whose label is learnt from: one list, or one for each replica.
    stops_by_labels
        Whether the labels of ``validation_rows`` decide when the joint stage stops, in the place of bulk lines.
    """

    x: Tensor
    clusters: Tensor
    n_clusters: int
    labels: Tensor
    training_rows: Tensor
    validation_rows: Tensor
    labelled_rows: list[Tensor]
    stops_by_labels: bool = False

    def of_replicas(self, replicas: Tensor | None) -> "TargetCells":
        """Return the cells as some replicas see them; None: all.

        Parameters
        ----------
        replicas
            int64 [n]; None: all.
        """
        if replicas is None:
            return self
        own = {
            name: rows if len(rows := getattr(self, name)) == 1 else rows[replicas]
            for name in ("labels", "training_rows", "validation_rows")
        }
        labelled_rows = self.labelled_rows
        if len(labelled_rows) > 1:
            labelled_rows = [labelled_rows[i] for i in replicas]
        return replace(self, **own, labelled_rows=labelled_rows)

    def draw_labelled(self, random: ReplicaRandom, size: int) -> Tensor:
        """Draw labelled rows with replacement for each replica, int64 [n_replicas, size].

        Parameters
        ----------
        random
            The replicas' streams.
        size
            Rows for each replica.
        """
        lists = self.labelled_rows * len(random) if len(self.labelled_rows) == 1 else self.labelled_rows
        drawn = random.choices([len(rows) for rows in lists], size)
        return torch.stack([rows[own] for rows, own in zip(lists, drawn, strict=True)])


def with_resampled_cells(target: TargetCells, sampling: str) -> TargetCells:
    """Resample the labelled cells that each replica learns from; the cells that decide when to stop stay as they are.

    Parameters
    ----------
    target
        The cells.
    sampling
        See :func:`pharmacell.training.sampling.resample`.
    """
    x, labels = target.x.cpu().numpy(), target.labels.cpu().numpy()
    blocks, classes, lists, length = [target.x], [target.labels], [], len(x)
    for replica, rows in enumerate(one.cpu().numpy() for one in target.labelled_rows):
        own = labels[replica % len(labels), rows]
        positions, made, made_labels = resampled_positions(x[rows], own, sampling, RESAMPLING_SEED)
        lists.append(np.concatenate([rows[positions], np.arange(length, length + len(made))]))
        blocks.append(torch.as_tensor(made, device=target.x.device))
        classes.append(torch.as_tensor(made_labels, device=target.x.device).expand(len(labels), -1))
        length += len(made)
    return replace(
        target,
        x=torch.cat(blocks),
        labels=torch.cat(classes, 1),
        labelled_rows=[torch.as_tensor(rows, device=target.x.device) for rows in lists],
    )


def latent_mmd(model: ATSDP, source: Tensor, target: Tensor) -> np.ndarray:
    """Return each replica's MMD^2 between the latents of lines and of cells, [n_replicas].

    Parameters
    ----------
    model
        The stack.
    source, target
        Lines and cells, [n, n_genes]; 1,024 of each, drawn once for a seed, count.
    """
    rng = generator(model.random.seeds[0], "lines and cells of the discrepancy")

    def drawn(rows: Tensor) -> Tensor:
        order = rng.permutation(len(rows))[:LARGEST_MMD_SAMPLE]
        return rows[torch.as_tensor(order, device=rows.device)]

    model.eval()
    with torch.no_grad():
        z_source, z_target = model.source.encoder(drawn(source)), model.target.encoder(drawn(target))
        # one replica at a time: five kernel matrices of 2,048 rows would not stay in the cache
        each = [mmd(*own) for own in zip(z_source.split(1), z_target.split(1), strict=True)]
        return torch.cat(each).cpu().numpy()


def finetune(
    model: ATSDP,
    data: TrainingSet,
    validation: PlainValidation | ShiftedValidation,
    target: TargetCells,
    settings: Configuration,
    history: History,
    at_once: int,
) -> tuple[dict[str, np.ndarray], Tensor]:
    """Adapt a pretrained stack to cells, in place.

    The target encoder starts as the source encoder, or at random and as an autoencoder of the cells (the paper). Then
    both encoders and the predictor are trained together on::

        L = CE(predictor(E_s(x_s)), y_s) + omega * MMD(E_s(x_s), E_t(x_t)) + theta * R(E_t(x_t))      (Eq. 16)

    and, with supervision, on the cross-entropy of the labelled cells as well.

    Parameters
    ----------
    model
        Pretrained stack.
    data
        Bulk lines that each replica learns from.
    validation
        Decides when the joint stage stops.
    target
        The cells.
    settings
        Training and transfer.
    history
        Takes every loss term.
    at_once
        Most replicas that train together.

    Returns
    -------
    discrepancy : dict
        ``mmd_before`` and ``mmd_after`` the joint stage, each [n_replicas].
    epochs : Tensor
        Best epoch of the joint stage for each replica.
    """
    if settings.transfer.encoder_init == "bulk":
        # as it is: learning to reconstruct the cells would undo what the predictor knows it by (docs/methods.md)
        model.target.load_state_dict(model.source.state_dict())
    else:
        train_in_turns(
            model,
            at_once,
            history,
            lambda stack, replicas, own_history: train_target_autoencoder(
                stack, target.of_replicas(replicas), settings.training, own_history
            ),
        )
    lines = data.clean[data.plain_rows[0]]
    before = latent_mmd(model, lines, target.x)
    epochs = train_in_turns(
        model,
        at_once,
        history,
        lambda stack, replicas, own_history: train_jointly(
            "joint",
            stack,
            data.of_replicas(replicas),
            validation.of_replicas(replicas),
            target.of_replicas(replicas),
            settings,
            own_history,
        ),
    )
    return {"mmd_before": before, "mmd_after": latent_mmd(model, lines, target.x)}, epochs


def train_target_autoencoder(model: ATSDP, target: TargetCells, training: TrainingConfig, history: History) -> Tensor:
    """Train the target encoder to reconstruct the cells, which says nothing of any response.

    Parameters
    ----------
    model
        The stack.
    target
        The cells.
    training
        Noise and epochs.
    history
        Takes every loss term.

    Returns
    -------
    Tensor
        Best epoch of each replica, int64 [n_replicas].
    """
    rows = target.training_rows.expand(model.n_replicas, -1)
    cells = TrainingSet(
        clean=target.x,
        thinned=None,
        rows=rows,
        plain_rows=rows,
        labels=target.labels.expand(model.n_replicas, -1),
        validation=target.validation_rows.expand(model.n_replicas, -1),
    )
    return train_autoencoder("target_autoencoder", model.target, model.random, cells, training, history)


def train_jointly(
    name: str,
    model: ATSDP,
    data: TrainingSet,
    validation: PlainValidation | ShiftedValidation | None,
    target: TargetCells,
    settings: Configuration,
    history: History,
) -> Tensor:
    """Run the joint stage.

    Parameters
    ----------
    name
        Of the stage.
    model, data, target, settings, history
        See :func:`finetune`.
    validation
        Decides when to stop; None: it runs for all epochs.

    Returns
    -------
    Tensor
        Best epoch of each replica, int64 [n_replicas].
    """
    training, transfer = settings.training, settings.transfer
    if training.resample == "cells" and training.sampling != "none" and len(target.labelled_rows[0]):
        target = with_resampled_cells(target, training.sampling)
    training_rows = target.training_rows.expand(model.n_replicas, -1)
    validation_rows = target.validation_rows.expand(model.n_replicas, -1)
    labels, random = target.labels.expand(model.n_replicas, -1), model.random
    modules = nn.ModuleDict(
        {"source": model.source.encoder, "target": model.target.encoder, "predictor": model.predictor}
    )

    def alignment(z_source: Tensor, cells: Tensor) -> dict[str, Tensor]:
        z_target = model.target.encoder(gathered(target.x, cells))
        discrepancy = mmd(z_source, z_target)
        return {
            "mmd": discrepancy.clamp_min(SMALLEST_SQUARE).sqrt() if transfer.root_discrepancy else discrepancy,
            "cluster": cluster_regulariser(z_target, target.clusters[cells], target.n_clusters),
        }

    def with_total(terms: dict[str, Tensor]) -> dict[str, Tensor]:
        total = transfer.omega * terms["mmd"] + transfer.theta * terms["cluster"]
        return terms | {"total": total + terms["class"] + terms.get("target_class", 0)}

    def train_terms(rows: Tensor) -> dict[str, Tensor]:
        cells = training_rows.gather(1, random.choices(training_rows.shape[1], rows.shape[1]))  # [R, B]
        z_source, loss = source_loss(
            model, data, rows, model.source.encoder, training, noisy=training.noise == "thinning"
        )
        terms = {"class": loss} | alignment(z_source, cells)
        if len(target.labelled_rows[0]):
            chosen = target.draw_labelled(random, rows.shape[1])
            terms["target_class"] = class_cross_entropy(
                model.logits(target.x[chosen], "target"), labels.gather(1, chosen)
            )
        return with_total(terms)

    def validation_terms(validation: PlainValidation | ShiftedValidation) -> dict[str, Tensor]:
        if target.stops_by_labels:
            logits = model.logits(target.x[validation_rows], "target")
            loss = known_cross_entropy(logits, labels.gather(1, validation_rows))
            return {"target_class": loss, "total": loss}
        terms = validation.terms(model, "target")
        if isinstance(validation, ShiftedValidation):
            return terms
        cells = validation_rows[:, :LARGEST_MMD_SAMPLE]
        z_source = model.source.encoder(validation.x[:LARGEST_MMD_SAMPLE])
        return with_total({"class": terms["class"]} | alignment(z_source, cells))

    def batches() -> list[Tensor]:
        return data.epoch(data.rows, random, training.batch_size)

    stops = partial(validation_terms, validation) if validation else None
    return run_stage(Stage(name, modules, random, batches, train_terms, stops), training, history)
