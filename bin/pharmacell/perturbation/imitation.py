"""Which parts of the training rows resemble what is to be predicted: new compounds, new cell types, or new pairs."""

import numpy as np
import pandas as pd


def unseen_column(train_keys: pd.DataFrame, test_keys: pd.DataFrame | None) -> str | None:
    """Return what most rows to predict are without in training: ``sm_name``, ``cell_type`` or None (only the pair).

    Only keys are read. Without keys to predict, compounds count as unseen: that is what a model is kept for.

    Parameters
    ----------
    train_keys
        Keys of the training rows.
    test_keys
        Keys of the rows to predict; None: there are none.
    """
    if test_keys is None:
        return "sm_name"
    for column in ("sm_name", "cell_type"):
        if np.mean(~test_keys[column].isin(train_keys[column])) > 0.5:
            return column
    return None


def blocks(keys: pd.DataFrame, unseen: str | None, n_blocks: int) -> np.ndarray:
    """Divide rows into blocks such that what lies in one block can be described from the others alone, int64 [n_rows].

    Parameters
    ----------
    keys
        Of the training rows.
    unseen
        Compounds or cell types stay whole in a block; None: rows fall as they do.
    n_blocks
        How many at most.
    """
    groups = keys.groupby(unseen, sort=True).ngroup().to_numpy() if unseen else np.arange(len(keys))
    place = np.random.default_rng(0).permutation(groups.max() + 1)  # one order for all replicas, which share an encoder
    return place[groups] % n_blocks
