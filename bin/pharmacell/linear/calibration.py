"""From a score to a probability at which the evidence is even."""

import numpy as np


def balanced_platt(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Fit a logistic link from score to class, with both classes weighted equally (Platt 1999).

    Model and baselines share it, so that 0.5 means the same for all and their F1 can be compared.

    Parameters
    ----------
    scores
        Any score, [n]; higher means more sensitive.
    labels
        1 sensitive, 0 resistant, [n].

    Returns
    -------
    slope, intercept
        ``probability = sigmoid(slope * score + intercept)``; the slope is never negative, because a negative one would
        turn the score round on the strength of a few validation lines.
    """
    from sklearn.linear_model import LogisticRegression

    scale = scores.std() or 1.0
    # the penalty keeps the slope finite where the classes are separable
    link = LogisticRegression(C=1.0, class_weight="balanced").fit(scores[:, None] / scale, labels)
    return max(float(link.coef_[0, 0]), 0.0) / scale, float(link.intercept_[0])
