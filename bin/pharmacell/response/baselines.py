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

    def link(self, scores: np.ndarray) -> np.ndarray:
        """Return the probability of being sensitive, [3, n].

        Parameters
        ----------
        scores
            Of each baseline, or means of such scores, [3, n].
        """
        from scipy.special import expit

        return expit(scores * self.slope[:, None] + self.intercept[:, None])


def baseline_weights(x: np.ndarray, response: np.ndarray, labels: np.ndarray, penalties: Penalties) -> np.ndarray:
    """Fit the three baselines on training lines, float32 [3, n_genes].

    Parameters
    ----------
    x
        Standardised expression of the training lines, [n, n_genes].
    response
        Standardised response, denoised or as measured, [n]; higher means more sensitive.
    labels
        1 sensitive, 0 resistant, [n].
    penalties
        Of ridge and logistic regression.
    """
    fits, responses = LinearFits(x), response[:, None]
    return np.concatenate(
        [fits.signature(responses), fits.ridge(responses, penalties.alpha), fits.logistic(labels[:, None], penalties.c)]
    )


def with_links(weights: np.ndarray, scores: np.ndarray, labels: np.ndarray) -> LinearBaselines:
    """Give each baseline its logistic link (Platt), from lines or cells that a fit did not learn from.

    Parameters
    ----------
    weights
        From :func:`baseline_weights`, [3, n_genes].
    scores
        What fits of the same kind say of lines that they did not learn from, [3, m].
    labels
        Classes of these lines, [m].
    """
    slopes, intercepts = zip(*(balanced_platt(row, labels) for row in scores), strict=True)
    return LinearBaselines(weights, np.array(slopes, np.float32), np.array(intercepts, np.float32))
