"""Linear fits for many responses and penalties at once, in the eigenbasis of the training rows."""

from functools import cached_property

import numpy as np

RIDGE_ALPHAS = (3e3, 1e4, 3e4, 1e5, 3e5)
LOGISTIC_CS = (1e-5, 1e-4, 1e-3, 1e-2)


class LinearFits:
    """Signature, ridge and logistic regression on one set of lines: the one place where each is fitted.

    With ``X = U S V'`` a ridge or logistic weight vector lies in the span of V, so each is found with as many
    coefficients as there are lines instead of genes, and one decomposition serves all responses and penalties.

    Parameters
    ----------
    x
        Standardised expression of the training lines, or any features of any rows, float [n_lines, n_genes].
    """

    def __init__(self, x: np.ndarray) -> None:
        self.mean = x.mean(0)
        self.x = x - self.mean  # so that the unpenalised intercept need not be carried along

    @cached_property
    def eigenbasis(self) -> tuple[np.ndarray, np.ndarray]:
        """Squares of S, ascending [n_lines], and U, [n_lines, n_lines]; float64."""
        values, u = np.linalg.eigh((self.x @ self.x.T).astype(np.float64))
        return np.maximum(values, 1e-6 * values.max()), u

    def signature(self, responses: np.ndarray) -> np.ndarray:
        """Correlation of each gene with the response, as unit vectors: what is hard to beat on real cells.

        With standardised expression ``x`` and response ``r``::

            w_g = corr(x_g, r) / |corr(x, r)|,    score = x . w

        which is the first weight vector of partial least squares (Wold 1966) for standardised columns. A constant gene
        weighs 0, and so does every gene where the response is constant.

        Parameters
        ----------
        responses
            Higher means more sensitive, [n_lines, k].

        Returns
        -------
        numpy.ndarray
            float32 [k, n_genes].
        """
        scale = np.linalg.norm(self.x, axis=0)
        weights = ((responses - responses.mean(0)).T @ self.x) / np.where(scale > 0, scale, 1)
        length = np.linalg.norm(weights, axis=1, keepdims=True)
        return (weights / np.where(length > 0, length, 1)).astype(np.float32)

    def ridge(self, responses: np.ndarray, alpha: float) -> np.ndarray:
        """Minimise ``|X w - r|^2 + alpha |w|^2`` (Hoerl and Kennard 1970).

        Parameters
        ----------
        responses
            Centred here, [n_lines, k].
        alpha
            Penalty, above 0.

        Returns
        -------
        numpy.ndarray
            float32 [k, n_genes].
        """
        values, u = self.eigenbasis
        rotated = u.T @ (responses - responses.mean(0)) / (values + alpha)[:, None]
        return ((u @ rotated).T @ self.x).astype(np.float32)

    def ridge_predictions(self, responses: np.ndarray, alpha: float, asked: np.ndarray) -> np.ndarray:
        """Predict responses by ridge regression.

        Parameters
        ----------
        responses, alpha
            See :meth:`ridge`.
        asked
            Rows to predict, [n_asked, n_genes].

        Returns
        -------
        numpy.ndarray
            [n_asked, k].
        """
        return (asked - self.mean) @ self.ridge(responses, alpha).T + responses.mean(0)

    def logistic(self, labels: np.ndarray, c: float) -> np.ndarray:
        """Minimise ``C * class-weighted log loss + |w|^2 / 2``.

        Parameters
        ----------
        labels
            1 or 0, [n_lines, k].
        c
            Inverse penalty.

        Returns
        -------
        numpy.ndarray
            float32 [k, n_genes].
        """
        from sklearn.linear_model import LogisticRegression

        values, u = self.eigenbasis
        rotated = u * np.sqrt(values)  # [n_lines, n_lines]: the lines in the eigenbasis
        model = LogisticRegression(C=c, class_weight="balanced", max_iter=200)
        found = np.stack([model.fit(rotated, column).coef_[0] for column in labels.T])
        return ((found / np.sqrt(values)) @ u.T @ self.x).astype(np.float32)
