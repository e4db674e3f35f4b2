"""Settings of the main job and their named configurations; imports nothing heavy."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pharmacell.core.errors import InputError
from pharmacell.core.settings import setting
from pharmacell.training.settings import TrainingConfig

LARGEST_TOKEN_COUNT = 16
NARROWEST_TOKEN = 4  # numbers of a latent vector in a token
NEIGHBOURS = 15  # where linear members stand beside the network


@dataclass(frozen=True)
class ATSDPConfig:
    """Shape of the network; the defaults are those of the paper."""

    bottleneck: int = setting(512, "Width of the latent vector.", at_least=1)
    encoder: tuple[int, ...] = setting(
        (256, 128), "Hidden widths of the encoder, from the genes inwards; the decoder mirrors them.", at_least=1
    )
    predictor: tuple[int, ...] = setting((128, 64), "Hidden widths of the predictor behind the attention.", at_least=1)
    dropout: float = setting(0.3, "Share of units dropped after each hidden layer in training.", at_least=0, below=1)
    heads: int = setting(8, "Attention heads; 0 leaves attention out.", at_least=0)
    attention_tokens: int | None = setting(
        None,
        "Tokens that the latent vector is cut into.",
        at_least=2,
        otherwise=f"the most, up to {LARGEST_TOKEN_COUNT}, of one width and at least {NARROWEST_TOKEN} numbers each",
    )
    plain_attention: bool = False  # neither position embeddings nor a residual path (the paper's 2.4.1)
    relu_latent: bool = False  # a ReLU behind the encoder (the paper's 2.4.1)

    def tokens(self) -> int:
        """Return the number of attention tokens, the same for any number of heads.

        Raises
        ------
        InputError
            If no number of tokens above one fits the bottleneck.
        """
        most = min(LARGEST_TOKEN_COUNT, max(2, self.bottleneck // NARROWEST_TOKEN))
        wanted = [self.attention_tokens] if self.attention_tokens else range(most, 1, -1)
        for tokens in wanted:
            if tokens > 1 and self.bottleneck % tokens == 0:
                return tokens
        raise InputError(
            f"--bottleneck {self.bottleneck}: cannot be cut into {self.attention_tokens or 'two or more'} attention "
            "tokens of one width; choose another bottleneck or number of attention tokens, or --heads 0"
        )


@dataclass(frozen=True)
class TransferConfig:
    """Weights and choices of the joint stage; the defaults are those of the paper but for ``encoder_init``."""

    omega: float = setting(1.0, "Weight of the maximum mean discrepancy in the joint loss.", at_least=0)
    theta: float = setting(1.0, "Weight of the cluster regulariser in the joint loss.", at_least=0)
    encoder_init: Literal["bulk", "random"] = setting(
        "bulk",
        "Where the target encoder starts: as the source encoder, or from random weights, trained as an autoencoder of "
        "the cells first.",
    )
    clustering: Literal["louvain", "leiden"] = setting("louvain", "How cells are clustered for the regulariser.")
    root_discrepancy: bool = False  # the discrepancy itself and not its square (the paper's Eq. 15)


@dataclass(frozen=True)
class Configuration:
    """Network, training and transfer.

    Attributes
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
# The paper's equations, where docs/methods.md says that ours depart; its Table 2 has the epochs, and other numbers are
# assumptions of ours.
PUBLISHED = Configuration(
    network=ATSDPConfig(plain_attention=True, relu_latent=True),
    training=TrainingConfig(noisy_predictor=True, fixed_encoder=True, inner_validation=False),
    transfer=TransferConfig(encoder_init="random", root_discrepancy=True),
)
# Table 2 of the paper: shape of the network and resampling of each of its data sets
PRESETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "data1": ({}, {"sampling": "smote"}),
    "data2": ({"bottleneck": 32, "encoder": (512, 256), "predictor": (256, 128)}, {"sampling": "over"}),
    "data3": ({"predictor": (256, 128), "dropout": 0.2, "heads": 4}, {"sampling": "over"}),
    "data4": ({}, {"sampling": "over"}),
}


CONFIGURATIONS = {"default": DEFAULT, "published": PUBLISHED}


@dataclass(frozen=True)
class ConfigurationChoice:
    """Which defaults a run takes where an option is not given."""

    config: Literal["default", "published"] = setting(
        "default", "Set of defaults: default predicts simulated cells of held-out lines best, published is the paper's."
    )
    preset: Literal["data1", "data2", "data3", "data4"] | None = setting(
        None,
        "Sizes and resampling of a data set of the paper (its Table 2); implies --config published; single options "
        "override it.",
    )


@dataclass(frozen=True)
class BulkStage:
    """What the networks learn from bulk lines for."""

    bulk_stage: Literal["own", "shared"] = setting(
        "own",
        "Whether the networks are trained on bulk lines for each sample, on the genes that it shares with them (own), "
        "or once for all samples of a drug, on all bulk genes (shared; faster with many samples).",
    )


@dataclass(frozen=True)
class Stack:
    """How many networks are trained side by side."""

    n_replicas: int = setting(
        5,
        "Networks trained side by side; each has its own seed, but any two share three quarters of their lines or all.",
        at_least=1,
    )
    attempt: int = setting(
        1, "Attempt at this step: each one after the first trains half as many networks at once.", at_least=1
    )


@dataclass(frozen=True)
class Supervision:
    """Which cell labels training may use."""

    supervision: str = setting(
        "none",
        "Cell labels used in training: none, few_shot:N (N cells of each class) or labels (80 %).",
        pattern=r"none|labels|few_shot:[1-9]\d*",
        forms="none, labels or few_shot:N (N labelled cells of each class)",
    )


@dataclass(frozen=True)
class Smoothing:
    """Over which cells a score is averaged."""

    neighbours: int | None = setting(
        None,
        "Most similar cells over which a cell's score is averaged, at most a tenth of the cells; 0 for none.",
        at_least=0,
        otherwise=f"{NEIGHBOURS} where linear members stand beside the network, else 0",
    )


def instances_of(group: str) -> dict[str, Any]:
    """Return the settings of each named configuration, by its name.

    Parameters
    ----------
    group
        ``network``, ``training`` or ``transfer``.
    """
    return {name: getattr(configuration, group) for name, configuration in CONFIGURATIONS.items()}


def configuration(name: str, preset: str | None, chosen: Mapping[str, Any]) -> Configuration:
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
    base = PUBLISHED if preset else CONFIGURATIONS[name]
    if preset:
        network, training = PRESETS[preset]
        base = replace(base, network=replace(base.network, **network), training=replace(base.training, **training))
    given = {key: value for key, value in chosen.items() if value is not None}
    if given.get("validation") == "plain":
        given["ensemble"] = False  # weights and calibration of the members come from shifted validation
    groups = {
        group: replace(settings, **{key: value for key, value in given.items() if hasattr(settings, key)})
        for group, settings in vars(base).items()
    }
    if groups["network"].heads:
        groups["network"].tokens()  # a misfit of heads and bottleneck ends here, before any data are read
    return Configuration(**groups)
