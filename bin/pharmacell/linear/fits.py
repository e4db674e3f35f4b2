"""Linear members of the ensemble, fitted for many responses at once in the eigenbasis of the training lines."""

import numpy as np

RIDGE_ALPHAS = (3e3, 1e4, 3e4, 1e5, 3e5)
LOGISTIC_CS = (1e-5, 1e-4, 1e-3, 1e-2)


class LinearFits:
    """Signature, ridge and logistic regression on one set of lines.

    With ``X = U S V'`` a ridge or logistic weight vector lies in the span of V, so each is found with as many
    coefficients as there are lines instead of genes, and one decomposition serves all responses and penalties.

    Parameters
    ----------
    x
        Standardised expression of the training lines, float32 [n_lines, n_genes].
    """

    def __init__(self, x: np.ndarray) -> None:
        self.x = x - x.mean(0)  # so that the unpenalised intercept need not be carried along
        values, self.u = np.linalg.eigh((self.x @ self.x.T).astype(np.float64))
        self.values = np.maximum(values, 1e-6 * values.max())  # ascending

    def signature(self, responses: np.ndarray) -> np.ndarray:
        """Correlation of each gene with the response, as unit vectors (see :class:`pharmacell.linear.signature`).

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
        return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)

    def ridge(self, responses: np.ndarray, alpha: float) -> np.ndarray:
        """Minimise ``|X w - r|^2 + alpha |w|^2`` for centred responses [n_lines, k]; returns float32 [k, n_genes]."""
        rotated = self.u.T @ (responses - responses.mean(0)) / (self.values + alpha)[:, None]
        return ((self.u @ rotated).T @ self.x).astype(np.float32)

    def logistic(self, labels: np.ndarray, c: float) -> np.ndarray:
        """Minimise ``C * class-weighted log loss + |w|^2 / 2`` for labels [n_lines, k]; float32 [k, n_genes]."""
        from sklearn.linear_model import LogisticRegression

        rotated = self.u * np.sqrt(self.values)  # [n_lines, n_lines]: the lines in the eigenbasis
        model = LogisticRegression(C=c, class_weight="balanced", max_iter=200)
        found = np.stack([model.fit(rotated, column).coef_[0] for column in labels.T])
        return ((found / np.sqrt(self.values)) @ self.u.T @ self.x).astype(np.float32)
