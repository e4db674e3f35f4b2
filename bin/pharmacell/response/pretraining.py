"""Pretraining on bulk lines: denoising autoencoder, then encoder and predictor on the labels."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from torch import Tensor, nn, no_grad

from pharmacell.nn.random import ReplicaRandom
from pharmacell.response.network import ATSDP, Autoencoder
from pharmacell.response.validation import PlainValidation, ShiftedValidation
from pharmacell.training.loop import History, Stage, run_stage
from pharmacell.training.losses import class_cross_entropy, reconstruction
from pharmacell.training.settings import TrainingConfig
from pharmacell.training.training_set import TrainingSet, gathered


def train_autoencoder(
    name: str,
    autoencoder: Autoencoder,
    random: ReplicaRandom,
    data: TrainingSet,
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
    data
        Rows and validation rows of each replica.
    config, history
        See :func:`pharmacell.training.loop.run_stage`.

    Returns
    -------
    Tensor
        Best epoch of each replica.
    """
    held_out = gathered(data.clean, data.validation)  # [R, n_validation, n_genes]

    def train_terms(rows: Tensor) -> dict[str, Tensor]:
        noisy = data.noisy(rows, config.noise, config.noise_rate, random)
        return {"total": reconstruction(autoencoder(noisy), gathered(data.clean, rows))}

    def validation_terms() -> dict[str, Tensor]:
        return {"total": reconstruction(autoencoder(held_out), held_out)}

    epochs = config.epochs if config.autoencoder_epochs is None else config.autoencoder_epochs

    def batches() -> list[Tensor]:
        return data.epoch(data.plain_rows, random, config.batch_size)

    stage = Stage(name, autoencoder, random, batches, train_terms, validation_terms)
    return run_stage(stage, replace(config, epochs=epochs), history)


def train_predictor(
    name: str,
    model: ATSDP,
    data: TrainingSet,
    validation: PlainValidation | ShiftedValidation | None,
    config: TrainingConfig,
    history: History,
) -> Tensor:
    """Train source encoder and predictor on the classes of bulk lines (cross-entropy, the first term of Eq. 16).

    With ``fixed_encoder`` the predictor alone learns (Eq. 10), with ``noisy_predictor`` from noisy copies (Eq. 11).

    Parameters
    ----------
    name
        Of the stage.
    model
        Stack whose source autoencoder is trained.
    data
        Rows and classes of each replica.
    validation
        Decides when to stop; None trains for all epochs.
    config, history
        See :func:`pharmacell.training.loop.run_stage`.

    Returns
    -------
    Tensor
        Best epoch of each replica.
    """
    trained = nn.ModuleList([model.predictor] if config.fixed_encoder else [model.source.encoder, model.predictor])
    encoder: Callable[[Tensor], Tensor] = model.source.encoder
    if config.fixed_encoder:
        encoder = no_grad()(model.source.encoder.eval())
    noisy = config.noisy_predictor or config.noise == "thinning"

    def train_terms(rows: Tensor) -> dict[str, Tensor]:
        return {"total": source_loss(model, data, rows, encoder, config, noisy)[1]}

    def batches() -> list[Tensor]:
        return data.epoch(data.rows, model.random, config.batch_size)

    terms = partial(validation.terms, model, "source") if validation else None
    return run_stage(Stage(name, trained, model.random, batches, train_terms, terms), config, history)


def source_loss(
    model: ATSDP,
    data: TrainingSet,
    rows: Tensor,
    encoder: Callable[[Tensor], Tensor],
    config: TrainingConfig,
    noisy: bool,
) -> tuple[Tensor, Tensor]:
    """Return latents [n_replicas, b, bottleneck] and class cross-entropy [n_replicas] of bulk rows.

    Parameters
    ----------
    model
        The stack.
    data
        Lines and their classes.
    rows
        int64 [n_replicas, b].
    encoder
        That the lines pass through.
    config
        Kind and rate of the noise.
    noisy
        Whether the lines' noisy copies are shown, as always with count thinning, or the lines themselves.
    """
    x = data.noisy(rows, config.noise, config.noise_rate, model.random) if noisy else gathered(data.clean, rows)
    latent = encoder(x)
    return latent, class_cross_entropy(model.predictor(latent), data.labels.gather(1, rows))
