"""The linear baselines that stand beside every result: signature, ridge and logistic regression."""

from dataclasses import dataclass

import numpy as np

from pharmacell.linear.calibration import balanced_platt
from pharmacell.linear.fits import LinearFits
from pharmacell.response.model_card import Penalties


@dataclass(frozen=True)
class LinearBaselines:
    """Linear scores with a logistic link, so that each baseline gives a probability.

    Attributes
    ----------
    weights
        float32 [3, n_genes], in the order of :data:`pharmacell.response.columns.BASELINE_NAMES`.
    slope, intercept
        float32 [3]; probability = sigmoid(slope * (weights . x) + intercept).
    """

    weights: np.ndarray
    slope: np.ndarray
    intercept: np.ndarray

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return the uncalibrated scores, [n, 3].

        Parameters
        ----------
        x
            Standardised expression, [n, n_genes].
        """
        return x @ self.weights.T

    def probability(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of being sensitive that each baseline gives, [n, 3].

        Parameters
        ----------
        x
            Standardised expression, [n, n_genes].
        """
        from scipy.special import expit

        return expit(self.scores(x) * self.slope + self.intercept)


def fit_baselines(
    x: np.ndarray,
    response: np.ndarray,
    labels: np.ndarray,
    held_out: np.ndarray,
    held_out_labels: np.ndarray,
    penalties: Penalties,
) -> LinearBaselines:
    """Fit the three baselines on training lines; the logistic link of each comes from the validation lines (Platt).

    Parameters
    ----------
    x
        Standardised expression of the training lines, [n, n_genes].
    response
        Standardised response, [n]; higher means more sensitive.
    labels
        1 sensitive, 0 resistant, [n].
    held_out, held_out_labels
        Validation lines or cells, [m, n_genes] and [m].
    penalties
        Of ridge and logistic regression.
    """
    fits, responses = LinearFits(x), response[:, None]
    weights = np.concatenate(
        [fits.signature(responses), fits.ridge(responses, penalties.alpha), fits.logistic(labels[:, None], penalties.c)]
    )
    slopes, intercepts = zip(*(balanced_platt(held_out @ weight, held_out_labels) for weight in weights), strict=True)
    return LinearBaselines(weights, np.array(slopes, np.float32), np.array(intercepts, np.float32))
