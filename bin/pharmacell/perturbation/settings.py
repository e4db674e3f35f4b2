"""Settings of the perturbation task; imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pharmacell.core.settings import setting
from pharmacell.training.settings import Precision

Encoding = Literal["ordinal", "smiles", "fingerprint", "embedding", "target_stats"]
Loss = Literal["mae", "mse", "mrrmse", "huber"]


@dataclass(frozen=True)
class FitOptions:
    """What the command's user may choose; None takes the model's own value. Models without training ignore it."""

    encoding: Encoding = setting("ordinal", "How networks see a cell type and a compound.")
    loss: Loss = setting("mae", "Loss of the networks.")
    epochs: int | None = setting(None, "Most epochs.", at_least=1, otherwise="the model's")
    batch_size: int | None = setting(None, "Rows in a batch.", at_least=1, otherwise="the model's")
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
