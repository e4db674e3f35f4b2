"""Network and linear members under one score, with weights and calibration learned on shifted validation."""

from dataclasses import dataclass

import numpy as np

from pharmacell.linear.calibration import balanced_platt
from pharmacell.response.columns import ALONE, NETWORK

MEMBERS = ALONE
SHRINKAGE = 0.02  # pull of the weights towards equal ones


@dataclass(frozen=True)
class Ensemble:
    """Weighted sum of standardised member scores, for each replica.

    For replica r and a cell x, with member scores ``m`` (the network's logit difference, and linear scores)::

        s_r(x) = sum over members k of w_k (m_rk(x) - centre_rk) / scale_rk
        p_r(x) = 1 / (1 + exp(-(slope * s_r(x) + intercept)))

    Attributes
    ----------
    linear
        Weights of signature, ridge and logistic regression, float32 [n_replicas, 3, n_genes].
    centre, scale
        Mean and standard deviation of each member on the replica's lines in shifted validation, [n_replicas, 4].
    weights
        Non-negative, sum 1, [4]; the same for all replicas.
    slope, intercept
        Platt's logistic link, fitted with both classes weighted equally: 0.5 is where the evidence is even.
    network_slope, network_intercept
        The same link for the network by itself.
    """

    linear: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    slope: float
    intercept: float
    network_slope: float
    network_intercept: float

    def named_weights(self) -> dict[str, float]:
        """Return the weight of each member by name."""
        return dict(zip(MEMBERS, self.weights.tolist(), strict=True))

    def members(self, network: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the standardised members, float32 [n_replicas, 4, n].

        Parameters
        ----------
        network
            Logit differences, [n_replicas, n].
        x
            Standardised expression, [n, n_genes], or [n_replicas, n, n_genes] if it differs between replicas.
        """
        if x.ndim == 2:  # one product for all replicas
            linear = (self.linear.reshape(-1, x.shape[1]) @ x.T).reshape(*self.linear.shape[:2], -1)  # [R, 3, n]
        else:
            linear = self.linear @ np.swapaxes(x, -1, -2)
        raw = np.concatenate([network[:, None], linear], 1)
        return (raw - self.centre[:, :, None]) / self.scale[:, :, None]

    def score(self, network: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the combined score, [n_replicas, n].

        Parameters
        ----------
        network, x
            As in :meth:`members`.
        """
        return np.einsum("k,rkn->rn", self.weights, self.members(network, x)).astype(np.float32)

    def network_alone(self, network: np.ndarray) -> np.ndarray:
        """Return the network's score without the linear members, mean over replicas on one scale, float32 [n].

        Parameters
        ----------
        network
            Logit differences, [n_replicas, n].
        """
        return ((network - self.centre[:, :1]) / self.scale[:, :1]).mean(0).astype(np.float32)

    def probability(self, score: np.ndarray) -> np.ndarray:
        """Return the probability of being sensitive, of the shape of the scores.

        Parameters
        ----------
        score
            Combined scores of any shape.
        """
        from scipy.special import expit

        return expit(self.slope * score + self.intercept)


def fit_ensemble(linear: np.ndarray, network: np.ndarray, cells: np.ndarray, labels: np.ndarray) -> Ensemble:
    """Learn weights and calibration from lines in shifted validation, each scored by a replica that never saw it.

    Parameters
    ----------
    linear
        See :class:`Ensemble`.
    network
        Logit differences of each replica on the mean cells of its own validation lines, [n_replicas, n].
    cells
        The mean cells of those lines, float32 [n_replicas, n, n_genes].
    labels
        Their classes, [n_replicas, n].

    Returns
    -------
    Ensemble
    """
    raw = np.concatenate([network[:, None], linear @ np.swapaxes(cells, 1, 2)], 1)  # [R, 4, n]
    centre, scale = raw.mean(2), np.maximum(raw.std(2), 1e-6)
    scores = ((raw - centre[:, :, None]) / scale[:, :, None]).transpose(0, 2, 1).reshape(-1, len(MEMBERS))
    classes = labels.reshape(-1)
    weights = stacking_weights(scores, classes)
    return Ensemble(
        linear,
        centre.astype(np.float32),
        scale.astype(np.float32),
        weights.astype(np.float32),
        *balanced_platt(scores @ weights, classes),
        *balanced_platt(scores[:, MEMBERS.index(NETWORK)], classes),
    )


def stacking_weights(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return non-negative member weights of sum 1 that minimise the class-weighted log loss.

    Parameters
    ----------
    scores
        Standardised member scores, [n, n_members].
    labels
        1 or 0, [n].
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    sign = 2.0 * labels - 1
    balance = np.where(labels == 1, 0.5 / max(labels.mean(), 1e-9), 0.5 / max(1 - labels.mean(), 1e-9))

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = theta[:-1], theta[-1]
        margin = sign * (scores @ w + b)
        slope = -balance * sign * expit(-margin) / len(labels)
        spread = w - w.mean()
        value = (balance * np.logaddexp(0, -margin)).mean() + SHRINKAGE * (spread @ spread)
        return value, np.append(scores.T @ slope + 2 * SHRINKAGE * spread, slope.sum())

    members = scores.shape[1]
    start = np.append(np.full(members, 1 / members), 0.0)
    found = minimize(loss, start, jac=True, bounds=[(0, None)] * members + [(None, None)], method="L-BFGS-B").x[:-1]
    return found / found.sum() if found.sum() > 0 else np.full(members, 1 / members)
