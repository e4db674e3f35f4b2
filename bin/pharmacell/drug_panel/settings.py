"""Settings of the panel; imports nothing heavy."""

from dataclasses import dataclass
from typing import Literal

from pharmacell.core.settings import setting
from pharmacell.training.settings import TrainingConfig


@dataclass(frozen=True)
class PanelRequest:
    """What the sample sheet says about a sample and its panel."""

    label_key: str | None = setting(
        None, "KEY where columns KEY_ln_ic50:DRUG hold the measured ln(IC50 / uM), to show beside what is predicted."
    )
    group_key: str | None = setting(
        None, "Column of the cells' groups (clone, patient); without it cells are clustered.", otherwise="clusters"
    )
    normal_key: str | None = setting(
        None, "Column that marks normal cells (true, yes, 1 or normal): groups that a combination is to spare."
    )
    tissue: str | None = setting(
        None, "Tissue of the sample, as the table of lines calls it.", otherwise="that of the lines most alike"
    )
    mutations: str | None = setting(
        None,
        "Driver events that the sample is known to have, such as EGFR;TP53, or column:KEY where a column of the cells "
        "has those of each.",
        otherwise="not known",
    )
    smiles: tuple[str, ...] | None = setting(
        None,
        "SMILES of molecules, separated by commas, that the panel's network is asked about, measured or not; the bulk "
        "stage needs --panel_network on --drug_features fingerprint.",
    )


DrugFeatures = Literal["learned", "fingerprint"]


@dataclass(frozen=True)
class PanelNetworkChoice:
    """Whether the panel has a network beside its linear member, and what that knows of a drug."""

    panel_network: Literal["on", "off"] = setting(
        "off",
        "Whether the panel's network of all drugs is trained too. Held-out lines decide what it counts beside the "
        "linear member, which may be nothing.",
    )
    drug_features: DrugFeatures = setting(
        "learned",
        "What the panel's network knows a drug by. learned: a vector for each drug; fingerprint: its structure, which "
        "lets molecules that were never measured be asked about.",
    )


@dataclass(frozen=True)
class PanelNetworkConfig:
    """Shape of the panel's network and its training.

    Attributes
    ----------
    drug_features
        See :class:`PanelNetworkChoice`.
    latent, tokens
        Width of the latent vector, and the tokens that it is cut into.
    heads
        Of the attention.
    drug_width
        Width of a drug's vector.
    hidden
        Width of what the predictor reads.
    dropout
        Rate after each hidden layer.
    replicas
        Independently seeded networks, trained side by side.
    class_weight
        Of the classes' loss beside that of the response.
    masked
        Share of the values that is masked in training, beside random sets of genes.
    epochs, patience, batch_size, learning_rate, weight_decay
        As in :class:`pharmacell.training.settings.TrainingConfig`.
    """

    drug_features: DrugFeatures = "learned"
    latent: int = 256
    tokens: int = 16
    heads: int = 4
    drug_width: int = 32
    hidden: int = 64
    dropout: float = 0.3
    replicas: int = 5
    class_weight: float = 0.3
    masked: float = 0.0
    epochs: int = 40
    patience: int = 6
    batch_size: int = 64
    learning_rate: float = 3e-4
    weight_decay: float = 0.1

    def training(self) -> TrainingConfig:
        """Return the part that :func:`pharmacell.training.loop.run_stage` reads."""
        return TrainingConfig(
            epochs=self.epochs,
            patience=self.patience,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
        )
