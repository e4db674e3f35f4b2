"""Settings of the perturbation task; imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pharmacell.core.settings import setting
from pharmacell.training.settings import Precision

Encoding = Literal["ordinal", "smiles", "fingerprint", "embedding", "target_stats"]
Loss = Literal["mae", "mse", "mrrmse", "huber"]
DEFAULT_LAYER = "sign_log10_pval"


@dataclass(frozen=True)
class TableReading:
    """How a table of differential expression is read."""

    layer: str | None = setting(None, "Layer of an h5ad.", otherwise=DEFAULT_LAYER)
    drop_unparsable: bool = setting(False, "Leave out rows whose SMILES cannot be parsed, instead of stopping.")


@dataclass(frozen=True)
class FitOptions:
    """What the command's user may choose; None takes the model's own value. Models without training ignore it."""

    encoding: Encoding = setting("ordinal", "How networks see a cell type and a compound.")
    loss: Loss = setting("mae", "Loss of the networks.")
    epochs: int | None = setting(None, "Most epochs.", at_least=1, otherwise="the model's")
    batch_size: int | None = setting(None, "Rows in a batch.", at_least=2, otherwise="the model's")
    learning_rate: float | None = setting(None, "Learning rate of Adam.", above=0, otherwise="the model's")
    n_layers: int | None = setting(None, "Recurrent layers of gru3 and gru3_attn.", at_least=1, otherwise="the model's")
    n_components: int | None = setting(
        None,
        "Networks predict this many components of a truncated SVD instead of the genes.",
        at_least=1,
        otherwise="the genes",
    )
    patience: int = setting(
        50,
        "Epochs without improvement of a held-back tenth of the training part after which a replica stops; 0 trains on "
        "all of it for all epochs.",
        at_least=0,
    )
    compound_embedding: Path | None = setting(
        None, "Vector of each compound (parquet, csv), for the encoding embedding.", kind="file"
    )
    precision: Precision = setting(
        "float32", "Precision of the network's matrix products in training; tf32 needs a GPU."
    )


@dataclass(frozen=True)
class Replicas:
    """How many networks of a kind are trained."""

    seeds: int = setting(5, "Replicas of a network, trained as one stack.", at_least=1)


@dataclass(frozen=True)
class Kept:
    """What is kept of a comparison beside its scores."""

    keep_predictions: bool = setting(
        False, "Also write the prediction of every row that was held out; 45 MB a seed and protocol at full size."
    )


@dataclass(frozen=True)
class SimulatedSize:
    """How much of the given keys and moments a simulated table keeps."""

    n_genes: int | None = setting(None, "Genes of the simulated table.", at_least=2, otherwise="all")
    n_compounds: int | None = setting(
        None,
        "Compounds of the simulated table, those of most cell types first.",
        at_least=2,
        otherwise="all",
    )
