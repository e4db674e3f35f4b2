"""Ridge regression of many responses on few rows of many genes, where rows count by weights."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve


class WeightedRidge:
    """One factorisation of weighted rows for all responses.

    Minimises ``sum_i w_i (y_i - b - x_i . v)^2 + alpha |v|^2`` (Hoerl and Kennard 1970, weighted). With the rows
    centred by their weighted mean, ``K = X X'`` and ``W`` the diagonal of weights, ``v = X' u`` and::

        u = W^(1/2) (W^(1/2) K W^(1/2) + alpha)^-1 W^(1/2) (y - b),    b the weighted mean of y

    so that one Cholesky factor of as many rows as there are lines serves every response, and the products of rows serve
    every choice of weights, penalty and held-out rows.

    Parameters
    ----------
    products
        Inner products of the rows that are learned from, [n_rows, n_rows].
    weights
        How much each row counts, above 0, [n_rows].
    alpha
        Penalty, above 0.
    """

    def __init__(self, products: np.ndarray, weights: np.ndarray, alpha: float) -> None:
        self.share = weights / weights.sum()
        self.root = np.sqrt(weights)
        self.products_with_mean = products @ self.share
        centred = products - self.products_with_mean - self.products_with_mean[:, None]
        centred += self.share @ self.products_with_mean
        centred *= self.root
        centred *= self.root[:, None]
        centred[np.diag_indices_from(centred)] += alpha
        self.factor = cho_factor(centred, lower=True, overwrite_a=True)

    def dual(self, y: np.ndarray) -> np.ndarray:
        """Return what each row's features weigh in each response: ``v = X' dual``, [n_rows, k].

        Parameters
        ----------
        y
            Responses without gaps, [n_rows, k].
        """
        u = self.root[:, None] * cho_solve(self.factor, self.root[:, None] * (y - self.share @ y))
        return u - np.outer(self.share, u.sum(0))

    def hat(self, products: np.ndarray) -> np.ndarray:
        """Return what each learned row contributes to each prediction: ``predictions = hat @ y``.

        Parameters
        ----------
        products
            Inner products of the rows asked for with the learned ones, [n_asked, n_rows].

        Returns
        -------
        numpy.ndarray
            float64 [n_asked, n_rows]; each row sums to 1.
        """
        similar = products - (products @ self.share)[:, None] - self.products_with_mean
        similar += self.share @ self.products_with_mean
        own = (self.root[:, None] * cho_solve(self.factor, self.root[:, None] * similar.T)).T
        return own + (1 - own.sum(1, keepdims=True)) * self.share
