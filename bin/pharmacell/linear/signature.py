"""Gene-correlation signature: the baseline that is hard to beat on real cells."""

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class Signature(RegressorMixin, BaseEstimator):
    """Weight each gene by its correlation with the response: partial least squares with one component.

    With standardised expression ``x`` and response ``r`` (higher = more sensitive)::

        w_g = corr(x_g, r) / |corr(x, r)|,    score = x . w

    which is the first PLS weight vector (Wold 1966) for standardised columns.

    Attributes
    ----------
    coef_ : numpy.ndarray
        Unit weight vector, [n_genes].
    """

    def fit(self, x: np.ndarray, response: np.ndarray) -> "Signature":
        """Fit on lines [n_lines, n_genes] and their response [n_lines]; higher means more sensitive."""
        x, response = validate_data(self, x, response, dtype=np.float64)
        centred = x - x.mean(0)
        scale = np.linalg.norm(centred, axis=0)
        scale[scale == 0] = 1.0
        correlation = (response - response.mean()) @ (centred / scale)
        length = np.linalg.norm(correlation)
        self.coef_ = correlation / (length if length else 1.0)
        self.intercept_ = 0.0
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return scores [n]; only their order and differences carry meaning."""
        check_is_fitted(self)
        return validate_data(self, x, reset=False) @ self.coef_
