"""Chemistry computed from the SMILES: Morgan counts and rdkit descriptors."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from typing_extensions import override

from pharmacell.data.fingerprints import morgan_counts
from pharmacell.perturbation.encodings.base import Encoded, InputShape, KeyEncoder, categories, cell_shape, numbers

if TYPE_CHECKING:
    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable


N_BITS = 1024
FURTHEST = 5.0  # standard deviations; a molecule unlike any in training must not drown everything else


@dataclass(frozen=True)
class FingerprintEncoder(KeyEncoder):
    """log(1 + Morgan count) of the bits that vary in training, and descriptors standardised over its compounds.

    Parameters
    ----------
    cell_types
        Of the training rows.
    bits
        bool, [1024].
    mean, std
        Of the descriptors over the training compounds, float32 [n_descriptors].
    """

    cell_types: list[str]
    bits: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    name: ClassVar[str] = "fingerprint"

    @classmethod
    @override
    def fit(cls, train: "PerturbationTable", options: "FitOptions", unseen: str | None) -> Self:
        smiles = np.unique(train.smiles)
        counts, values = morgan_counts(smiles, N_BITS), descriptors(smiles)
        return cls(categories(train.cell_type), np.ptp(counts, axis=0) > 0, values.mean(0), values.std(0))

    @override
    def shape(self) -> InputShape:
        return cell_shape(self.cell_types, int(self.bits.sum()) + len(self.mean))

    @override
    def transform(self, keys: pd.DataFrame) -> Encoded:
        names, codes = np.unique(keys["SMILES"].to_numpy(str), return_inverse=True)
        constant = self.std < 1e-6
        scaled = (descriptors(names) - self.mean) / np.where(constant, 1, self.std)
        scaled[:, constant] = 0
        compounds = [np.log1p(morgan_counts(names, N_BITS)[:, self.bits]), scaled.clip(-FURTHEST, FURTHEST)]
        vector = np.concatenate(compounds, 1).astype(np.float32)
        return Encoded(numbers(keys["cell_type"], self.cell_types)[:, None], vector[codes])


def descriptors(smiles: np.ndarray) -> np.ndarray:
    """Return all rdkit descriptors as sign(x) log(1 + |x|), float32 [n, n_descriptors]; 0 where undefined.

    Parameters
    ----------
    smiles
        Structures as SMILES, [n].
    """
    values = np.array([molecule_descriptors(str(one)) for one in smiles])
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return (np.sign(values) * np.log1p(np.abs(values))).astype(np.float32)


@lru_cache(maxsize=10_000)
def molecule_descriptors(smiles: str) -> tuple[float, ...]:
    """Return the rdkit descriptors of one molecule; remembered, because each fold asks again and one takes 10 ms.

    Parameters
    ----------
    smiles
        Structure of the molecule.
    """
    from rdkit import Chem
    from rdkit.Chem.Descriptors import CalcMolDescriptors

    return tuple(CalcMolDescriptors(Chem.MolFromSmiles(smiles)).values())
