"""A model of two effects that lets cell types differ in scale."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.perturbation.cell_scale import CellScale
from pharmacell.perturbation.encodings.base import numbers

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.perturbation.table import PerturbationTable


def scaled_additive(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict ``centre of the cell type + scale of the cell type * effect of the compound``, of rank 20.

    See :class:`pharmacell.perturbation.cell_scale.CellScale`; an effect that was never seen is 0. The seed is not used.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    seed
        Seed of everything random in it.
    """
    fit = CellScale.fit(train)
    cell = numbers(keys["cell_type"], list(fit.cell_types))
    effects = np.concatenate([np.zeros_like(fit.effects[:1]), fit.effects])
    return fit.centre[cell] + fit.scale[cell] * effects[numbers(keys["sm_name"], list(fit.compounds))]
