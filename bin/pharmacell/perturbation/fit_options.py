"""What the user may choose of a fit."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FitOptions:
    """What the command's user may choose; None takes the model's own value. Models without training ignore it.

    Parameters
    ----------
    encoding
        How a cell type and a compound become numbers (see :mod:`pharmacell.perturbation.encodings.registry`).
    loss
        ``mae``, ``mse``, ``mrrmse`` or ``huber``.
    epochs, batch_size, learning_rate
        Of Adam.
    n_layers
        Recurrent layers of the stacked models.
    n_components
        Components of a truncated SVD of the genes that are predicted instead of the genes; None predicts genes.
    patience
        Epochs without improvement of the validation part after which a replica stops; 0 trains for all epochs on the
        whole training part.
    compound_embedding
        Table of precomputed compound vectors, for ``encoding`` = ``embedding``.
    precision
        Of matrix products in training (see :mod:`pharmacell.nn.precision`).
    """

    encoding: str = "ordinal"
    loss: str = "mae"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    n_layers: int | None = None
    n_components: int | None = None
    patience: int = 50
    compound_embedding: Path | None = None
    precision: str = "float32"
