"""One autoencoder for all drugs and heads: trained on every bulk line, without any response."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.core.seeds import generator
from pharmacell.data.input_file import reason
from pharmacell.data.shifts import line_profiles
from pharmacell.data.standardise import Standardiser
from pharmacell.nn.random import ReplicaRandom
from pharmacell.response.network import Autoencoder
from pharmacell.response.pretraining import train_autoencoder
from pharmacell.response.settings import ATSDPConfig
from pharmacell.response.training_lines import ReplicaRows, build_training_set, replica_seeds
from pharmacell.training.loop import History
from pharmacell.training.settings import TrainingConfig

HELD_OUT_SHARE = 0.1  # of the lines, for early stopping


def fit_shared_autoencoder(
    x: np.ndarray, config: ATSDPConfig, training: TrainingConfig, n_replicas: int, seed: int, device: torch.device
) -> dict[str, torch.Tensor]:
    """Train a stack of autoencoders on all lines.

    Parameters
    ----------
    x
        Expression of the lines as in the bulk file, float32 [n_lines, n_genes].
    config
        Shape of the network.
    training
        Settings; resampling needs classes and is left out.
    n_replicas
        Replicas of the stack; those of :func:`pharmacell.response.pretrain_bulk.pretrain` begin with these weights.
    seed
        The user's seed.
    device
        Where to train.

    Returns
    -------
    dict
        Weights by name.
    """
    order = generator(seed, "lines of the autoencoder").permutation(len(x))
    n_held_out = max(1, round(HELD_OUT_SHARE * len(x)))
    held_out, learnt_from = np.sort(order[:n_held_out]), np.sort(order[n_held_out:])
    no_classes = np.zeros((n_replicas, len(x)), np.int64)
    data = build_training_set(
        Standardiser.fit([x[learnt_from]]).apply(x),
        line_profiles(x),
        no_classes,
        ReplicaRows(*([part] * n_replicas for part in (learnt_from, held_out, held_out))),
        replace(training, sampling="none"),
        seed,
        device,
    )
    random = ReplicaRandom(replica_seeds(seed, "pretraining", n_replicas), device)
    autoencoder = Autoencoder(config, x.shape[1], random)
    train_autoencoder("autoencoder", autoencoder, random, data, training, History())
    return autoencoder.state_dict()


def shape_digest(genes: list[str], config: ATSDPConfig, n_replicas: int) -> str:
    """Return a digest of what must agree between an autoencoder and the network that begins with it.

    Parameters
    ----------
    genes
        The input, in order.
    config
        Shape of the network.
    n_replicas
        Replicas of the stack.
    """
    shape = [genes, config.encoder, config.bottleneck, config.relu_latent, n_replicas]
    return hashlib.sha256(json.dumps(shape).encode()).hexdigest()


def save_autoencoder(weights: dict[str, torch.Tensor], path: Path, shape: str) -> None:
    """Write the weights as safetensors, whole or not at all.

    Parameters
    ----------
    weights
        By name.
    path
        The file.
    shape
        From :func:`shape_digest`.
    """
    from safetensors.torch import save_file

    with whole_file(path) as partial:
        save_file({name: value.contiguous().cpu() for name, value in weights.items()}, partial, {"shape": shape})


def load_autoencoder(path: Path, shape: str, device: torch.device) -> dict[str, torch.Tensor]:
    """Read weights for a network of this shape.

    Parameters
    ----------
    path
        What :func:`save_autoencoder` wrote.
    shape
        From :func:`shape_digest`.
    device
        Where the weights go.

    Raises
    ------
    InputError
        If the file is missing, damaged, or for other genes, widths or replicas.
    """
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"{path}: no such file; give the autoencoder that pretrain_autoencoder wrote")
    try:
        with safe_open(path, "pt", device=str(device)) as file:
            fits = (file.metadata() or {}).get("shape") == shape
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not an autoencoder ({reason(error)}); run pretrain_autoencoder again") from error
    if not fits:
        raise InputError(f"{path}: for other genes, layer widths or replicas; run pretrain_autoencoder with these")
    return weights
