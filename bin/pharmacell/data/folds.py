"""Folds of cell lines for shifted validation."""

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.seeds import integer

UNKNOWN = "unknown"


def assign_folds(labels: np.ndarray, origin: pd.DataFrame, n_folds: int, seed: int) -> np.ndarray:
    """Assign each line to a fold, stratified by class; lines of one tissue stay together where tissues are known.

    Parameters
    ----------
    labels
        1 sensitive, 0 resistant, [n_lines].
    origin
        ``tissue`` (and ``database``) of each line.
    n_folds
        Number of folds.
    seed
        The user's seed.

    Returns
    -------
    numpy.ndarray
        Fold of each line, int64 [n_lines].

    Raises
    ------
    InputError
        If a class has fewer lines than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    smallest = int(np.bincount(labels, minlength=2).min())
    if smallest < n_folds:
        raise InputError(
            f"response table: the smaller class has {smallest} training lines, fewer than the {n_folds} "
            "folds of shifted validation; choose another cut or --validation plain"
        )
    tissue = origin["tissue"].to_numpy()
    grouped = (tissue != UNKNOWN).all() and len(np.unique(tissue)) >= 2 * n_folds
    splitter = (StratifiedGroupKFold if grouped else StratifiedKFold)(
        n_folds, shuffle=True, random_state=integer(seed, "folds") % 2**31
    )
    folds = np.empty(len(labels), np.int64)
    for fold, (_, held) in enumerate(splitter.split(np.zeros(len(labels)), labels, tissue if grouped else None)):
        folds[held] = fold
    return folds


def comparison_groups(origin: pd.DataFrame) -> np.ndarray:
    """Return the group of each line within which lines are compared: its database and tissue, as integers.

    Parameters
    ----------
    origin
        ``database`` and ``tissue`` of each line.
    """
    return pd.factorize(origin["database"].astype(str) + "|" + origin["tissue"].astype(str))[0]
