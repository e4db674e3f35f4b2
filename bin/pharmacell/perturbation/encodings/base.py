"""What every encoding takes and gives."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from typing_extensions import override

if TYPE_CHECKING:
    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable

PAD = -1  # of tokens
UNSEEN = 0  # number of a category that the training rows do not have


@dataclass(frozen=True)
class InputShape:
    """What a network has to know of an encoding.

    Parameters
    ----------
    n_embeddings
        Tokens are below this.
    n_tokens
        Tokens of a row.
    n_features
        Width of a row's vector; 0 for none.
    unseen
        ``(index, start, stop)``: token ``index`` stands for what training did not show, and becomes the mean of the
        tokens from ``start`` to ``stop - 1`` once they are trained.
    padded
        Whether rows may begin with padding.
    """

    n_embeddings: int
    n_tokens: int
    n_features: int
    unseen: tuple[tuple[int, int, int], ...]
    padded: bool = False


@dataclass(frozen=True)
class Encoded:
    """Rows as numbers.

    Parameters
    ----------
    tokens
        int64 [n_rows, n_tokens]; PAD is no token.
    vector
        float32 [n_rows, n_features], or None.
    """

    tokens: np.ndarray
    vector: np.ndarray | None = None


class Encoder(ABC):
    """An encoding, fitted. Its fields are json values and arrays, so that it can be stored without pickle."""

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def fit(cls, train: "PerturbationTable", options: "FitOptions", unseen: str | None) -> Self:
        """Learn from the training rows; ``unseen`` is what the rows to predict are without (see ``imitation``).

        Parameters
        ----------
        train
            The training rows.
        options
            What the command's user chose.
        unseen
            What the rows to predict are without in training: ``sm_name``, ``cell_type`` or None (only the pair).
        """

    @abstractmethod
    def shape(self) -> InputShape:
        """Return the shape of what :meth:`transform` gives."""

    @abstractmethod
    def transform(self, keys: pd.DataFrame) -> Encoded:
        """Encode rows by their keys.

        Parameters
        ----------
        keys
            Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
        """

    @abstractmethod
    def transform_training(self, train: "PerturbationTable") -> Encoded:
        """Encode the training rows, each as if its own values were not known.

        Parameters
        ----------
        train
            The training rows.
        """


class KeyEncoder(Encoder):
    """Base of encodings that look at keys only, so that training rows need no special care."""

    @override
    def transform_training(self, train: "PerturbationTable") -> Encoded:
        return self.transform(train.keys)


def categories(values: Iterable) -> list[str]:
    """Return the distinct values in their order; number i of them is category i + 1.

    Parameters
    ----------
    values
        One value a row.
    """
    return sorted({str(value) for value in values})


def numbers(values: Iterable, known: list[str]) -> np.ndarray:
    """Return the category of each value, int64; 0 where it is not known.

    Parameters
    ----------
    values
        One value a row.
    known
        The categories, in their order.
    """
    place = {value: number for number, value in enumerate(known, start=1)}
    return np.array([place.get(str(value), UNSEEN) for value in values], dtype=np.int64)


def cell_shape(cell_types: list[str], n_features: int) -> InputShape:
    """Return the shape of an encoding whose only token is the cell type.

    Parameters
    ----------
    cell_types
        Known cell types.
    n_features
        Numbers beside the token.
    """
    return InputShape(len(cell_types) + 1, 1, n_features, ((UNSEEN, 1, len(cell_types) + 1),))
