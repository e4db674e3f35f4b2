"""Pretraining on bulk lines: denoising autoencoder, then encoder and predictor on the labels."""

import numpy as np
import torch
from torch import Tensor, nn

from pharmacell.models.atsdp import ATSDP, Autoencoder
from pharmacell.nn.random import ReplicaRandom
from pharmacell.train.loop import History, TrainingConfig, batches, run_stage
from pharmacell.train.losses import class_cross_entropy, reconstruction
from pharmacell.train.noise import corrupt


def train_autoencoder(
    name: str,
    autoencoder: Autoencoder,
    random: ReplicaRandom,
    train: Tensor,
    validation: Tensor,
    config: TrainingConfig,
    history: History,
) -> Tensor:
    """Train a denoising autoencoder: mean squared error between the output for a noisy copy and the clean input.

    Parameters
    ----------
    name
        Of the stage.
    autoencoder, random
        What is trained, and its replicas' random streams.
    train, validation
        Standardised expression, float32 [n, n_genes].
    config, history
        See :func:`pharmacell.train.loop.run_stage`.

    Returns
    -------
    Tensor
        Best epoch of each replica.
    """

    def train_terms(rows: Tensor) -> dict:
        clean = train[rows]  # [R, B, n_genes]
        return {"total": reconstruction(autoencoder(corrupt(clean, config.noise, config.noise_rate, random)), clean)}

    def validation_terms() -> dict:
        return {"total": reconstruction(autoencoder(validation), validation)}

    return run_stage(name, autoencoder, random, config,
                     lambda: batches(random.permutations(len(train)), config.batch_size),
                     train_terms, validation_terms, history)


def pretrain(
    model: ATSDP,
    x: dict[str, np.ndarray],
    labels: dict[str, np.ndarray],
    config: TrainingConfig,
    history: History,
    sampling_seed: int,
    device: torch.device | str = "cpu",
) -> None:
    """Train the source side of a stack on bulk lines, in place.

    First the autoencoder on expression alone, then its encoder together with the predictor on the classes
    (cross-entropy, the first term of Eq. 16). The validation part decides when each stage stops.

    Parameters
    ----------
    model
        Freshly made stack.
    x
        ``train`` and ``validation``: standardised expression, float32 [n, n_genes]. Resample neither here nor before
        the split: the autoencoder takes the lines as they are, the classes are resampled inside.
    labels
        ``train`` and ``validation``: 1 sensitive, 0 resistant, [n].
    config
        Epochs, noise, sampling and so on.
    history
        Takes the loss terms.
    sampling_seed
        Seed of the resampling, which all replicas share.
    device
        Where to train.
    """
    from pharmacell.train.sampling import resample

    expression = {part: torch.as_tensor(x[part], device=device) for part in ("train", "validation")}
    train_autoencoder("autoencoder", model.source, model.random, expression["train"], expression["validation"],
                      config, history)

    rows, classes = resample(x["train"], labels["train"], config.sampling, sampling_seed)
    rows, classes = torch.as_tensor(rows, device=device), torch.as_tensor(classes, device=device).long()
    held = torch.as_tensor(labels["validation"], device=device).long().expand(model.n_replicas, -1)
    both = nn.ModuleList([model.source.encoder, model.predictor])

    def train_terms(chosen: Tensor) -> dict:
        return {"total": class_cross_entropy(model.predictor(model.source.encoder(rows[chosen])), classes[chosen])}

    def validation_terms() -> dict:
        return {"total": class_cross_entropy(model.logits(expression["validation"], "source"), held)}

    run_stage("predictor", both, model.random, config,
              lambda: batches(model.random.permutations(len(rows)), config.batch_size), train_terms, validation_terms,
              history)
