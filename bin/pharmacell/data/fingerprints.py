"""Morgan fingerprints, and how alike two molecules are by them."""

from collections.abc import Sequence

import numpy as np

RADIUS = 2
N_BITS = 2048


def morgan_counts(smiles: Sequence[str] | np.ndarray, n_bits: int = N_BITS) -> np.ndarray:
    """Count the circular substructures of each molecule (Rogers and Hahn 2010), float32 [n, n_bits].

    Parameters
    ----------
    smiles
        That rdkit can parse.
    n_bits
        Positions that the substructures are hashed to.
    """
    from rdkit import Chem
    from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

    generator = GetMorganGenerator(radius=RADIUS, fpSize=n_bits)
    names, codes = np.unique(np.asarray(smiles, dtype=str), return_inverse=True)
    counts = [generator.GetCountFingerprintAsNumPy(Chem.MolFromSmiles(text)) for text in names.tolist()]
    return np.array(counts, dtype=np.float32).reshape(len(names), n_bits)[codes]


def tanimoto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the Tanimoto similarity of counts, ``sum(min) / sum(max)``, of each pair of rows, float64 [n_a, n_b].

    1 for equal fingerprints, also for two without any substructure; 0 where nothing is shared.

    Parameters
    ----------
    a, b
        Counts, [n_a, n_bits] and [n_b, n_bits].
    """
    shared = np.stack([np.minimum(row, b).sum(axis=1) for row in a]) if len(a) else np.zeros((0, len(b)))
    total = a.sum(axis=1)[:, None] + b.sum(axis=1) - shared
    return np.divide(shared, total, out=np.ones_like(total, dtype=np.float64), where=total > 0)
