"""Folds within a training part, for what a model chooses by itself."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.perturbation.protocols import Split, folds

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.perturbation.table import PerturbationTable

N_FOLDS = 3


def inner_folds(train: "PerturbationTable", keys: "pd.DataFrame | None") -> list[Split]:
    """Split the training rows so that the inner folds ask what the rows to predict ask; alike for all seeds.

    Parameters
    ----------
    train
        The training rows.
    keys
        Rows to predict; their keys decide how to split, and their targets are not known here. None: new compounds,
        which is what a model is kept for.
    """
    protocol = "leave_compound_out" if keys is None else asked_protocol(train, keys)
    try:
        return folds(train, protocol, 0, N_FOLDS)[:N_FOLDS]
    except InputError:  # too small for that; any split beats none
        return folds(train, "random", 0, N_FOLDS)


def asked_protocol(train: "PerturbationTable", keys: "pd.DataFrame") -> str:
    """Name the protocol whose test part looks like these rows.

    New cell types, else new compounds, where more than half of the rows have one; else known compounds in a cell type
    with fewer training rows than rows to predict (as in the NeurIPS 2023 task), else a random part.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    """
    cell_type = keys["cell_type"].to_numpy(str)
    if np.mean(~np.isin(cell_type, train.cell_type)) > 0.5:
        return "leave_cell_type_out"
    if np.mean(~np.isin(keys["sm_name"].to_numpy(str), train.sm_name)) > 0.5:
        return "leave_compound_out"
    return "kaggle" if np.isin(train.cell_type, cell_type).sum() < len(keys) else "random"
