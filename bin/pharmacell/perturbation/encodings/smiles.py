"""The molecule itself: the tokens of its SMILES, then the cell type."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from typing_extensions import override

from pharmacell.perturbation.encodings.base import PAD, UNSEEN, Encoded, InputShape, KeyEncoder, categories, numbers

if TYPE_CHECKING:
    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable


# Bracket atoms whole, then the two-letter elements, two-digit ring bonds, and any other single character.
TOKEN = re.compile(r"\[[^\]]*\]|Br|Cl|%\d\d|.")


@dataclass(frozen=True)
class SmilesEncoder(KeyEncoder):
    """Tokens of the SMILES, aligned to the right, and the cell type last, so that a recurrent model ends with both.

    Parameters
    ----------
    vocabulary
        Tokens of the training rows; number i is token i + 1, 0 is any other.
    cell_types
        Of the training rows; they follow the vocabulary.
    n_tokens
        Length of the longest training molecule, and one for the cell type; a longer molecule keeps its end.
    """

    vocabulary: list[str]
    cell_types: list[str]
    n_tokens: int
    name: ClassVar[str] = "smiles"

    @classmethod
    @override
    def fit(cls, train: "PerturbationTable", options: "FitOptions", unseen: str | None) -> Self:
        molecules = [tokenise(smiles) for smiles in np.unique(train.smiles)]
        return cls(
            categories(token for molecule in molecules for token in molecule),
            categories(train.cell_type),
            max(map(len, molecules)) + 1,
        )

    @override
    def shape(self) -> InputShape:
        first = len(self.vocabulary) + 1  # of the cell types
        last = first + len(self.cell_types) + 1
        return InputShape(last, self.n_tokens, 0, ((UNSEEN, 1, first), (first + UNSEEN, first + 1, last)), padded=True)

    @override
    def transform(self, keys: pd.DataFrame) -> Encoded:
        tokens = np.full((len(keys), self.n_tokens), PAD, np.int64)
        tokens[:, -1] = numbers(keys["cell_type"], self.cell_types) + len(self.vocabulary) + 1
        of_smiles = {
            smiles: numbers(tokenise(smiles), self.vocabulary)[1 - self.n_tokens :]
            for smiles in keys["SMILES"].unique()
        }
        for row, smiles in zip(tokens, keys["SMILES"], strict=True):
            molecule = of_smiles[smiles]
            row[-1 - len(molecule) : -1] = molecule
        return Encoded(tokens)


def tokenise(smiles: str) -> list[str]:
    """Cut a SMILES into atoms, bonds, branches and ring closures.

    Parameters
    ----------
    smiles
        Structure of the molecule.
    """
    return TOKEN.findall(smiles)
