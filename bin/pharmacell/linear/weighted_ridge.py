"""Ridge regression of many responses on few rows of many genes, where rows count by weights."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve


class WeightedRidge:
    """One factorisation of weighted rows for all responses.

    Minimises ``sum_i w_i (y_i - b - x_i . v)^2 + alpha |v|^2`` (Hoerl and Kennard 1970, weighted). With the rows
    centred by their weighted mean and ``W`` the diagonal of weights, ``v = X' u`` and::

        u = W^(1/2) (W^(1/2) X X' W^(1/2) + alpha)^-1 W^(1/2) (y - b),    b the weighted mean of y

    so that one Cholesky factor of as many rows as there are lines serves every response.

    Parameters
    ----------
    x
        Features of the rows that are learned from, [n_rows, n_genes].
    weights
        How much each row counts, above 0, [n_rows].
    alpha
        Penalty, above 0.
    """

    def __init__(self, x: np.ndarray, weights: np.ndarray, alpha: float) -> None:
        self.share = weights / weights.sum()
        self.mean = self.share.astype(x.dtype) @ x
        self.x = x - self.mean
        self.root = np.sqrt(weights)
        kernel = (self.x @ self.x.T).astype(np.float64)
        kernel *= self.root
        kernel *= self.root[:, None]
        kernel[np.diag_indices_from(kernel)] += alpha
        self.factor = cho_factor(kernel, lower=True, overwrite_a=True)

    def intercept(self, y: np.ndarray) -> np.ndarray:
        """Return the weighted means of responses, [k].

        Parameters
        ----------
        y
            [n_rows, k].
        """
        return self.share @ y

    def coefficients(self, y: np.ndarray) -> np.ndarray:
        """Return the genes' weights for each response, float32 [n_genes, k].

        Parameters
        ----------
        y
            Responses without gaps, [n_rows, k].
        """
        rooted = self.root[:, None] * (y - self.intercept(y))
        return self.x.T @ (self.root[:, None] * cho_solve(self.factor, rooted)).astype(self.x.dtype)

    def predict(self, asked: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return predicted responses, [n_asked, k].

        Parameters
        ----------
        asked
            Features of rows, [n_asked, n_genes].
        y
            Responses without gaps, [n_rows, k].
        """
        return self.hat(asked) @ y

    def hat(self, asked: np.ndarray) -> np.ndarray:
        """Return what each learned row contributes to each prediction: ``predictions = hat @ y``.

        Parameters
        ----------
        asked
            Features of rows, [n_asked, n_genes].

        Returns
        -------
        numpy.ndarray
            float64 [n_asked, n_rows]; each row sums to 1.
        """
        similar = ((asked - self.mean) @ self.x.T).astype(np.float64)
        own = (self.root[:, None] * cho_solve(self.factor, self.root[:, None] * similar.T)).T
        return own + (1 - own.sum(1, keepdims=True)) * self.share
