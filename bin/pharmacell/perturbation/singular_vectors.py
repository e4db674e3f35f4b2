"""The strongest patterns of a table of few rows and many columns."""

import numpy as np

SMALLEST = 1e-3  # of the strongest singular value; products in float32 tell nothing smaller from rounding


def right_singular_vectors(values: np.ndarray, n: int) -> np.ndarray:
    """Return the first right singular vectors, orthonormal, float32 [n, n_columns]; zeros where the rank is lower.

    They come from the products of rows with each other: with 600 rows and 18,000 columns a tenth of the time of a
    decomposition.

    Parameters
    ----------
    values
        float32 [n_rows, n_columns].
    n
        How many, at most n_rows.
    """
    squares, left = np.linalg.eigh((values @ values.T).astype(np.float64))
    squares, left = squares[::-1][:n], left[:, ::-1][:, :n]
    lengths = np.sqrt(squares.clip(0))
    inverse = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > SMALLEST * max(lengths[0], 1e-30))
    return (left * inverse).T.astype(np.float32) @ values
