"""A matrix with gaps, filled and smoothed by one of low rank."""

import numpy as np
from scipy.linalg import eigh

ROUNDS = 8


def soft_impute(values: np.ndarray, rank: int, rounds: int = ROUNDS) -> np.ndarray:
    """Return the low-rank estimate of a matrix with gaps.

    With ``F`` the matrix whose gaps hold the last estimate, its columns centred, and its singular values
    ``s_1 >= s_2 >= ...`` (Mazumder, Hastie and Tibshirani 2010, with the threshold at ``s_(rank + 1)``)::

        F^ = U max(S - s_(rank + 1), 0) V' + column means

    Parameters
    ----------
    values
        NaN in the gaps, [n_rows, n_columns]; every column has a value.
    rank
        Of the estimate; at least one less than the smaller side.
    rounds
        How often the gaps are filled anew.

    Returns
    -------
    numpy.ndarray
        F^, [n_rows, n_columns], without gaps.
    """
    missing = np.isnan(values)
    filled = np.where(missing, np.nanmean(values, 0), values)
    estimate = filled
    for _ in range(rounds):
        mean = filled.mean(0)
        first = [values.shape[1] - rank - 1, values.shape[1] - 1]
        squares, v = eigh((filled - mean).T @ (filled - mean), subset_by_index=first)  # ascending; squares of S, and V
        singular = np.sqrt(np.maximum(squares[::-1], 0))
        kept = v[:, ::-1][:, :rank]
        shrunk = np.maximum(1 - singular[rank] / np.maximum(singular[:rank], 1e-12), 0)
        estimate = (filled - mean) @ kept * shrunk @ kept.T + mean
        filled = np.where(missing, estimate, values)
    return estimate
