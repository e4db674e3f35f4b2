"""The nearest training rows, by the compounds' structure."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.data.fingerprints import morgan_counts, tanimoto
from pharmacell.perturbation.models.baselines import mean_per_cell_type

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.perturbation.table import PerturbationTable

N_NEIGHBOURS = 10
OTHER_CELL_TYPE = 0.5  # what a row of another cell type counts beside one of the same
PRIOR = 1.0  # weight of the cell type's mean, in rows of the same compound and cell type


def knn(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict the cell type's mean plus what similar compounds differ from theirs, float32 [n_test, n_genes].

    A training row weighs the squared Tanimoto similarity of the compounds' Morgan counts, half of it when its cell
    type is another one; the ten heaviest take part. The seed is not used.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    seed
        Seed of everything random in it.
    """
    similarity = tanimoto(morgan_counts(keys["SMILES"].to_numpy(str)), morgan_counts(train.smiles))
    same = keys["cell_type"].to_numpy(str)[:, None] == train.cell_type
    weight = similarity**2 * np.where(same, 1.0, OTHER_CELL_TYPE)
    weakest = np.argsort(-weight, axis=1, kind="stable")[:, N_NEIGHBOURS:]
    np.put_along_axis(weight, weakest, 0.0, axis=1)
    weight = (weight / (weight.sum(axis=1, keepdims=True) + PRIOR)).astype(np.float32)
    effect = train.y - mean_per_cell_type(train, train.keys, seed)
    return mean_per_cell_type(train, keys, seed) + weight @ effect
