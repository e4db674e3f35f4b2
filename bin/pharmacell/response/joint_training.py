"""Transfer to single cells: target autoencoder, then the joint stage of Eq. 16."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from pharmacell.nn.random import ReplicaRandom
from pharmacell.response.network import ATSDP
from pharmacell.response.partial_stacks import in_parts
from pharmacell.response.pretraining import source_loss, train_autoencoder
from pharmacell.response.settings import TransferConfig
from pharmacell.response.validation import PlainValidation, ShiftedValidation
from pharmacell.training.loop import History, run_stage
from pharmacell.training.losses import class_cross_entropy, cluster_regulariser, known_cross_entropy, mmd
from pharmacell.training.settings import TrainingConfig
from pharmacell.training.training_set import TrainingSet

LARGEST_MMD_SAMPLE = 1024  # the kernel matrix grows with its square


@dataclass(frozen=True)
class Target:
    """Cells that take part in the transfer.

    Rows [1, n] are shared by all replicas; rows [n_replicas, n] give each replica cells of its own.

    Parameters
    ----------
    x
        Standardised expression, float32 [n_cells, n_genes].
    clusters
        int64 [n_cells].
    labels
        int64 [n_cells]; 1 or 0 where supervision allows the label to be used, -1 everywhere else.
    inner, outer
        Rows to learn from and rows that only decide when to stop, int64 [1 or n_replicas, n].
    labelled
        Rows whose label is learnt from: one list, or one for each replica.
    judged
        Whether the labels of ``outer`` decide when the joint stage stops, in the place of bulk lines.
    """

    x: Tensor
    clusters: Tensor
    labels: Tensor
    inner: Tensor
    outer: Tensor
    labelled: list[Tensor]
    judged: bool = False

    def part(self, replicas: Tensor | None) -> "Target":
        """Return the cells as some replicas see them; None: all."""
        if replicas is None:
            return self
        inner, outer = (rows if len(rows) == 1 else rows[replicas] for rows in (self.inner, self.outer))
        labelled = self.labelled if len(self.labelled) == 1 else [self.labelled[i] for i in replicas]
        return replace(self, inner=inner, outer=outer, labelled=labelled)

    def draw_labelled(self, random: ReplicaRandom, size: int) -> Tensor:
        """Draw labelled rows with replacement for each replica, int64 [n_replicas, size]."""
        lists = self.labelled * len(random) if len(self.labelled) == 1 else self.labelled
        drawn = random.choices([len(rows) for rows in lists], size)
        return torch.stack([rows[own] for rows, own in zip(lists, drawn, strict=True)])


def latent_mmd(model: ATSDP, source: Tensor, target: Tensor) -> np.ndarray:
    """Return each replica's MMD^2 between the latents of up to 1,024 lines and 1,024 cells, [n_replicas]."""
    model.eval()
    with torch.no_grad():
        z_source = model.source.encoder(source[:LARGEST_MMD_SAMPLE])
        z_target = model.target.encoder(target[:LARGEST_MMD_SAMPLE])
        return mmd(z_source, z_target).cpu().numpy()


def finetune(
    model: ATSDP,
    data: TrainingSet,
    validation: PlainValidation | ShiftedValidation,
    target: Target,
    training: TrainingConfig,
    transfer: TransferConfig,
    history: History,
    at_once: int | None = None,
) -> tuple[dict[str, np.ndarray], Tensor]:
    """Adapt a pretrained stack to cells, in place.

    The target autoencoder is trained on the cells. Then both encoders and the predictor are trained together on::

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
    training, transfer
        Settings.
    history
        Takes every loss term.
    at_once
        Most replicas that train together; None: all.

    Returns
    -------
    discrepancy : dict
        ``mmd_before`` and ``mmd_after`` the joint stage, each [n_replicas].
    epochs : Tensor
        Best epoch of the joint stage for each replica.
    """
    if transfer.encoder_init == "bulk":
        model.target.load_state_dict(model.source.state_dict())
    at_once = at_once or model.n_replicas
    in_parts(
        model,
        at_once,
        history,
        lambda part, rows, own: train_autoencoder(
            "target_autoencoder",
            part.target,
            part.random,
            target_rows(target.part(rows), part.n_replicas),
            training,
            own,
        ),
    )
    lines = data.clean[data.plain_rows[0]]
    before = latent_mmd(model, lines, target.x)
    epochs = in_parts(
        model,
        at_once,
        history,
        lambda part, rows, own: train_jointly(
            "joint", part, data.part(rows), validation.part(rows), target.part(rows), training, transfer, own
        ),
    )
    return {"mmd_before": before, "mmd_after": latent_mmd(model, lines, target.x)}, epochs


def target_rows(target: Target, n_replicas: int) -> TrainingSet:
    """Return the cells as the rows of an autoencoder."""
    inner = target.inner.expand(n_replicas, -1)
    return TrainingSet(
        clean=target.x,
        thinned=None,
        rows=inner,
        plain_rows=inner,
        labels=target.labels.expand(n_replicas, -1),
        validation=target.outer.expand(n_replicas, -1),
    )


def train_jointly(
    name: str,
    model: ATSDP,
    data: TrainingSet,
    validation: PlainValidation | ShiftedValidation | None,
    target: Target,
    training: TrainingConfig,
    transfer: TransferConfig,
    history: History,
) -> Tensor:
    """Run the joint stage; see :func:`finetune`. Without ``validation`` it runs for all epochs."""
    inner, outer = (rows.expand(model.n_replicas, -1) for rows in (target.inner, target.outer))
    n_clusters = int(target.clusters.max()) + 1
    random = model.random
    modules = nn.ModuleDict(
        {"source": model.source.encoder, "target": model.target.encoder, "predictor": model.predictor}
    )

    def alignment(z_source: Tensor, cells: Tensor) -> dict[str, Tensor]:
        z_target = model.target.encoder(target.x[cells])
        return {
            "mmd": mmd(z_source, z_target),
            "cluster": cluster_regulariser(z_target, target.clusters[cells], n_clusters),
        }

    def with_total(parts: dict[str, Tensor]) -> dict[str, Tensor]:
        total = transfer.omega * parts["mmd"] + transfer.theta * parts["cluster"]
        return parts | {"total": total + parts["class"] + parts.get("target_class", 0)}

    def train_terms(rows: Tensor) -> dict[str, Tensor]:
        cells = inner.gather(1, random.choices(inner.shape[1], rows.shape[1]))  # [R, B]
        z_source, loss = source_loss(model, data, rows, model.source.encoder, training)
        parts = {"class": loss} | alignment(z_source, cells)
        if len(target.labelled[0]):
            chosen = target.draw_labelled(random, rows.shape[1])
            parts["target_class"] = class_cross_entropy(model.logits(target.x[chosen], "target"), target.labels[chosen])
        return with_total(parts)

    def validation_terms() -> dict[str, Tensor]:
        if target.judged:
            loss = known_cross_entropy(model.logits(target.x[outer], "target"), target.labels[outer])
            return {"target_class": loss, "total": loss}
        parts = validation.terms(model, "target")
        if isinstance(validation, ShiftedValidation):
            return parts
        cells = outer[:, :LARGEST_MMD_SAMPLE]
        z_source = model.source.encoder(validation.x[:LARGEST_MMD_SAMPLE])
        return with_total({"class": parts["class"]} | alignment(z_source, cells))

    return run_stage(
        name,
        modules,
        random,
        training,
        lambda: data.epoch(data.rows, random, training.batch_size),
        train_terms,
        validation_terms if validation else None,
        history,
    )
