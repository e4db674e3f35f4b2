"""Settings of a network's training; imports nothing heavy."""

from dataclasses import dataclass
from typing import Literal

from pharmacell.core.settings import setting

Noise = Literal["thinning", "binomial", "gaussian", "dropout"]
Sampling = Literal["none", "over", "under", "smote", "adasyn"]
Validation = Literal["shifted", "plain"]
Precision = Literal["float32", "tf32", "bf16"]


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained, the same for every stage; the defaults are those of the paper."""

    validation: Validation = setting(
        "plain",
        "What decides when to stop and how to weigh the members: held-out lines as simulated cells (shifted), or as "
        "they are (plain). plain leaves the network alone, without linear members.",
    )
    epochs: int = setting(500, "Most epochs of a training stage.", at_least=1)
    autoencoder_epochs: int | None = setting(
        None, "Most epochs of the autoencoders.", at_least=0, otherwise="as --epochs"
    )
    patience: int = setting(
        20, "Epochs without a better validation loss after which a stage stops, for each replica.", at_least=1
    )
    batch_size: int = setting(200, "Rows (lines or cells) in a batch.", at_least=2)
    learning_rate: float = setting(1e-3, "Learning rate of AdamW.", above=0)
    weight_decay: float = setting(0.0, "Weight decay of AdamW.", at_least=0)
    noise: Noise = setting(
        "binomial", "Noise of the denoising autoencoder; thinning makes simulated cells of the lines."
    )
    noise_rate: float = setting(
        0.2,
        "Share of values masked, or standard deviation of gaussian noise in units of the standardised input.",
        at_least=0,
        below=1,
    )
    sampling: Sampling = setting("none", "Resampling of training rows, so that both classes weigh the same.")
    resample: Literal["cells", "lines"] = setting(
        "cells", "What is resampled: the labelled cells that are learnt from (the paper), or the bulk lines."
    )
    precision: Precision = setting(
        "float32", "Precision of the network's matrix products in training; tf32 needs a GPU."
    )
    ensemble: bool = False  # whether linear members stand beside the network; needs shifted validation
    noisy_predictor: bool = False  # whether the predictor learns from noisy copies in pretraining (the paper's Eq. 11)
    fixed_encoder: bool = False  # whether the encoder stays as it is while the predictor pretrains (the paper's Eq. 10)
    inner_validation: bool = True  # whether lines of the 80 % are kept apart, with plain validation, to stop by


@dataclass(frozen=True)
class FitConfig:
    """How a compared network is trained; each model adds its widths.

    Attributes
    ----------
    epochs
        Most passes over the training rows.
    patience
        Epochs without improvement on the rows held out for stopping, after which a fold stops.
    batch_size
        Rows in a batch.
    learning_rate, weight_decay
        Of AdamW.
    dropout
        Rate after each hidden layer.
    user_seed
        Seeds what the folds of a repeat share; each fold has a seed of its own beside it.
    """

    epochs: int = 30
    patience: int = 5
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    user_seed: int = 0

    def training(self) -> TrainingConfig:
        """Return the part that :func:`pharmacell.training.loop.run_stage` reads."""
        return TrainingConfig(
            epochs=self.epochs,
            patience=self.patience,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
        )
