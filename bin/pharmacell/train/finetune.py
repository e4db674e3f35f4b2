"""Transfer to single cells: target autoencoder, then the joint stage of Eq. 16."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from pharmacell.models.atsdp import ATSDP
from pharmacell.train.loop import History, TrainingConfig, batches, run_stage
from pharmacell.train.losses import class_cross_entropy, cluster_regulariser, mmd
from pharmacell.train.pretrain import train_autoencoder

LARGEST_MMD_SAMPLE = 1024  # the kernel matrix grows with its square


@dataclass(frozen=True)
class TransferConfig:
    """Weights and choices of the joint stage.

    Parameters
    ----------
    omega
        Weight of the maximum mean discrepancy.
    theta
        Weight of the cluster regulariser.
    encoder_init
        ``bulk``: the target autoencoder starts from the source's; ``random``: from random weights, as published.
    clustering
        ``louvain`` or ``leiden``.
    """

    omega: float = 1.0
    theta: float = 1.0
    encoder_init: str = "bulk"
    clustering: str = "louvain"


@dataclass(frozen=True)
class Target:
    """Cells that take part in the transfer.

    Parameters
    ----------
    x
        Standardised expression, float32 [n_cells, n_genes].
    clusters
        int64 [n_cells].
    validation
        bool [n_cells]; cells that only decide when to stop.
    labels
        int64 [n_cells]; 1 or 0 where supervision allows the label to be used, -1 everywhere else.
    """

    x: Tensor
    clusters: Tensor
    validation: Tensor
    labels: Tensor


def latent_mmd(model: ATSDP, source: Tensor, target: Tensor) -> np.ndarray:
    """Return each replica's MMD^2 between the latents of up to 1,024 lines and 1,024 cells, [n_replicas]."""
    model.eval()
    with torch.no_grad():
        z_source = model.source.encoder(source[:LARGEST_MMD_SAMPLE])
        z_target = model.target.encoder(target[:LARGEST_MMD_SAMPLE])
        return mmd(z_source, z_target).cpu().numpy()


def finetune(
    model: ATSDP,
    x: dict[str, Tensor],
    labels: dict[str, Tensor],
    target: Target,
    training: TrainingConfig,
    transfer: TransferConfig,
    history: History,
) -> dict[str, np.ndarray]:
    """Adapt a pretrained stack to cells, in place.

    The target autoencoder is trained on the cells. Then both encoders and the predictor are trained together on::

        L = CE(predictor(E_s(x_s)), y_s) + omega * MMD(E_s(x_s), E_t(x_t)) + theta * R(E_t(x_t))      (Eq. 16)

    and, with supervision, on the cross-entropy of the labelled cells as well.

    Parameters
    ----------
    model
        Pretrained stack.
    x, labels
        ``train`` and ``validation`` of the bulk lines: [n, n_genes] float32 and [n] int64 (already resampled).
    target
        The cells.
    training, transfer
        Settings.
    history
        Takes every loss term.

    Returns
    -------
    dict
        ``mmd_before`` and ``mmd_after`` the joint stage, each [n_replicas].
    """
    if transfer.encoder_init == "bulk":
        model.target.load_state_dict(model.source.state_dict())
    inner, outer = ~target.validation, target.validation
    train_autoencoder("target_autoencoder", model.target, model.random, target.x[inner], target.x[outer],
                      training, history)
    before = latent_mmd(model, x["train"], target.x)
    train_jointly(model, x, labels, target, training, transfer, history)
    return {"mmd_before": before, "mmd_after": latent_mmd(model, x["train"], target.x)}


def train_jointly(
    model: ATSDP, x: dict[str, Tensor], labels: dict[str, Tensor], target: Target, training: TrainingConfig,
    transfer: TransferConfig, history: History,
) -> None:
    """Run the joint stage; see :func:`finetune`."""
    inner, outer = (~target.validation).nonzero().flatten(), target.validation.nonzero().flatten()
    labelled = (target.labels >= 0).nonzero().flatten()
    n_clusters = int(target.clusters.max()) + 1
    random = model.random
    modules = nn.ModuleDict({"source": model.source.encoder, "target": model.target.encoder,
                             "predictor": model.predictor})

    def terms(source_x: Tensor, source_y: Tensor, cells: Tensor) -> dict[str, Tensor]:
        z_source, z_target = model.source.encoder(source_x), model.target.encoder(target.x[cells])
        parts = {
            "class": class_cross_entropy(model.predictor(z_source), source_y),
            "mmd": mmd(z_source, z_target),
            "cluster": cluster_regulariser(z_target, target.clusters[cells], n_clusters),
        }
        parts["total"] = parts["class"] + transfer.omega * parts["mmd"] + transfer.theta * parts["cluster"]
        return parts

    def with_supervision(parts: dict[str, Tensor], cells: Tensor) -> dict[str, Tensor]:
        parts["target_class"] = class_cross_entropy(model.logits(target.x[cells], "target"), target.labels[cells])
        parts["total"] = parts["total"] + parts["target_class"]
        return parts

    def train_terms(rows: Tensor) -> dict[str, Tensor]:
        cells = inner[random.choices(len(inner), rows.shape[1])]  # [R, B]
        parts = terms(x["train"][rows], labels["train"][rows], cells)
        if len(labelled):
            parts = with_supervision(parts, labelled[random.choices(len(labelled), rows.shape[1])])
        return parts

    def validation_terms() -> dict[str, Tensor]:
        def all_replicas(values: Tensor) -> Tensor:
            return values.expand(model.n_replicas, *values.shape)

        most = LARGEST_MMD_SAMPLE
        return terms(all_replicas(x["validation"][:most]), all_replicas(labels["validation"][:most]),
                     all_replicas(outer[:most]))

    run_stage("joint", modules, random, training,
              lambda: batches(random.permutations(len(x["train"])), training.batch_size), train_terms,
              validation_terms, history)
