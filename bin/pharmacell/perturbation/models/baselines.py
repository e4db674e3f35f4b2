"""What any model has to beat: predictions that know at most the names of the cell type and the compound."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.linear.fits import LinearFits

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.perturbation.table import PerturbationTable

SHRINKAGE = 1.0  # in rows: an effect seen in n rows is shrunk by about n / (n + 1)


def zeros(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict that nothing changes, float32 [n_test, n_genes]; the seed is not used, here and below.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    seed
        Seed of everything random in it.
    """
    return np.zeros((len(keys), train.y.shape[1]), np.float32)


def gene_mean(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict each gene's mean over the training rows.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    seed
        Seed of everything random in it.
    """
    return np.tile(train.y.mean(axis=0, dtype=np.float64).astype(np.float32), (len(keys), 1))


def median(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict each gene's median over the training rows.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    seed
        Seed of everything random in it.
    """
    return np.tile(np.median(train.y, axis=0).astype(np.float32), (len(keys), 1))


def mean_per_cell_type(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict each gene's mean over the training rows of the cell type; over all rows where it has none.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    seed
        Seed of everything random in it.
    """
    return _mean_per(train, train.cell_type, keys["cell_type"].to_numpy(str))


def mean_per_compound(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict each gene's mean over the training rows of the compound; over all rows where it has none.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    seed
        Seed of everything random in it.
    """
    return _mean_per(train, train.sm_name, keys["sm_name"].to_numpy(str))


def additive(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict ``mean + effect of the cell type + effect of the compound``; an effect that was never seen is 0.

    The effects are those of a two-way layout, fitted together by least squares with a penalty of one row on each, so
    that a compound which was measured once does not carry that row's noise in full.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    seed
        Seed of everything random in it.
    """
    from sklearn.preprocessing import OneHotEncoder

    encoder = OneHotEncoder(handle_unknown="ignore", dtype=np.float64)
    known = encoder.fit_transform(np.stack([train.cell_type, train.sm_name], axis=1)).toarray()
    asked = encoder.transform(keys[["cell_type", "sm_name"]].to_numpy(str)).toarray()
    centre = known.mean(axis=0)
    # By hand, an unseen cell type would lie at minus the mean of the columns: it is put at the mean instead.
    _fill_unseen(asked, centre, [len(names) for names in encoder.categories_])
    return LinearFits(known).ridge_predictions(train.y, SHRINKAGE, asked).astype(np.float32)


def _fill_unseen(columns: np.ndarray, centre: np.ndarray, sizes: list[int]) -> None:
    """Put the mean in place of an all-zero block of indicator columns, [n_rows, n_columns], in place."""
    start = 0
    for size in sizes:
        block = slice(start, start + size)
        unseen = columns[:, block].sum(axis=1) == 0
        columns[unseen, block] = centre[block]
        start += size


def _mean_per(train: "PerturbationTable", groups: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the mean of the training rows of each asked group, float32 [n_asked, n_genes]."""
    names, codes = np.unique(groups, return_inverse=True)
    member = (codes == np.arange(len(names))[:, None]).astype(np.float32)
    means = member @ train.y / member.sum(axis=1, keepdims=True)
    place = np.searchsorted(names, asked).clip(max=len(names) - 1)
    seen = names[place] == asked
    return np.where(seen[:, None], means[place], train.y.mean(axis=0)).astype(np.float32)


BASELINE_FUNCTIONS = {
    function.__name__: function
    for function in (zeros, gene_mean, median, mean_per_cell_type, mean_per_compound, additive)
}
