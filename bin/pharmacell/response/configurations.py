"""Named sets of defaults: the one that shifted validation asks for, and the one that the paper published."""

from dataclasses import dataclass, field, replace

from pharmacell.response.joint_training import TransferConfig
from pharmacell.response.network import PRESET_EPOCHS, PRESET_SAMPLING, PRESETS, ATSDPConfig
from pharmacell.training.loop import TrainingConfig


@dataclass(frozen=True)
class Configuration:
    """Network, training and transfer.

    Parameters
    ----------
    network, training, transfer
        See the three classes.
    """

    network: ATSDPConfig = field(default_factory=ATSDPConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    transfer: TransferConfig = field(default_factory=TransferConfig)


# docs/methods.md has the ablation that these come from
DEFAULT = Configuration(
    network=ATSDPConfig(dropout=0.5),
    training=TrainingConfig(
        epochs=40,
        patience=5,
        batch_size=128,
        learning_rate=1e-3,
        weight_decay=1e-2,
        noise="thinning",
        noise_rate=0.5,
        autoencoder_epochs=10,
        validation="shifted",
        ensemble=True,
    ),
    transfer=TransferConfig(omega=0.1, theta=0.1),
)
PUBLISHED = Configuration(
    training=TrainingConfig(epochs=PRESET_EPOCHS, patience=20, batch_size=200, learning_rate=1e-3),
    transfer=TransferConfig(encoder_init="random"),
)
NAMES = ("default", "published")


def configuration(name: str, preset: str | None, chosen: dict) -> Configuration:
    """Return a named configuration, changed by a preset of the paper's Table 2 and by every option that is not None.

    Parameters
    ----------
    name
        ``default`` or ``published``.
    preset
        ``data1`` to ``data4`` or None; a preset is of the published configuration.
    chosen
        Options by the name of the field that they change.
    """
    base = PUBLISHED if preset or name == "published" else DEFAULT
    if preset:
        base = Configuration(PRESETS[preset], replace(base.training, sampling=PRESET_SAMPLING[preset]), base.transfer)
    if chosen.get("validation") == "plain":
        chosen = chosen | {"ensemble": False}  # weights and calibration of the members come from shifted validation
    given = {key: value for key, value in chosen.items() if value is not None}
    parts = {
        part: replace(settings, **{key: value for key, value in given.items() if hasattr(settings, key)})
        for part, settings in vars(base).items()
    }
    if parts["network"].heads:
        parts["network"].tokens()  # a misfit of heads and bottleneck ends here, before any data are read
    return Configuration(**parts)
