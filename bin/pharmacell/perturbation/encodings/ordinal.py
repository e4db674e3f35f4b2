"""The study's input: five columns as ordinal numbers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from typing_extensions import override

from pharmacell.core.errors import InputError
from pharmacell.perturbation.encodings.base import UNSEEN, Encoded, InputShape, KeyEncoder, categories, numbers

if TYPE_CHECKING:
    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable


N_EMBEDDINGS = 1000  # of each column


@dataclass(frozen=True)
class OrdinalEncoder(KeyEncoder):
    """Cell type, compound name, LINCS id, SMILES and length of the SMILES, each with 1000 embeddings of its own.

    Parameters
    ----------
    known
        Categories of each column.
    """

    known: list[list[str]]
    name: ClassVar[str] = "ordinal"

    @classmethod
    @override
    def fit(cls, train: "PerturbationTable", options: "FitOptions", unseen: str | None) -> Self:
        known = [categories(column) for column in columns(train.keys).values()]
        for name, found in zip(columns(train.keys), known, strict=True):
            if len(found) >= N_EMBEDDINGS:
                raise InputError(
                    f"training table: column {name} has {len(found)} categories, but the encoding "
                    f"'ordinal' has room for {N_EMBEDDINGS - 1}; choose another --encoding"
                )
        return cls(known)

    @override
    def shape(self) -> InputShape:
        firsts = [column * N_EMBEDDINGS for column in range(len(self.known))]
        unseen = tuple(
            (first + UNSEEN, first + 1, first + 1 + len(found)) for first, found in zip(firsts, self.known, strict=True)
        )
        return InputShape(len(self.known) * N_EMBEDDINGS, len(self.known), 0, unseen)

    @override
    def transform(self, keys: pd.DataFrame) -> Encoded:
        tokens = [numbers(values, found) for values, found in zip(columns(keys).values(), self.known, strict=True)]
        return Encoded(np.stack(tokens, 1) + np.arange(len(tokens)) * N_EMBEDDINGS)


def columns(keys: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the five columns.

    Parameters
    ----------
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    """
    lengths = keys["SMILES"].str.len().map("{:05d}".format)  # with zeros in front, text sorts as numbers do
    names = ("cell_type", "sm_name", "sm_lincs_id", "SMILES")
    return {name: keys[name] for name in names} | {"SMILES length": lengths}
