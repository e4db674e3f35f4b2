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


def validation_rows(
    compounds: np.ndarray, unseen: str | None, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Divide training rows into those to fit and those that tell when to stop.

    Where new compounds are to be predicted, no compound is on both sides. The sizes depend on the table only, so that
    replicas with other draws have batches of the same sizes: rows of a compound that would straddle the border are left
    out, and so are others until as many are left out as ever may be.

    Parameters
    ----------
    compounds
        Compound of each row, [n_rows].
    unseen
        See :func:`unseen_column`.
    share
        Of the rows, for validation.
    rng
        Draws the order.

    Returns
    -------
    fit, validation
        Row numbers.
    """
    n_rows = len(compounds)
    n_validation = max(1, round(share * n_rows))
    if unseen != "sm_name":
        order = rng.permutation(n_rows)
        return order[n_validation:], order[:n_validation]
    _, codes, sizes = np.unique(compounds, return_inverse=True, return_counts=True)
    place = rng.permutation(len(sizes))
    order = np.argsort(place[codes], kind="stable")
    return order[n_validation + sizes.max() - 1 :], order[:n_validation]


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
