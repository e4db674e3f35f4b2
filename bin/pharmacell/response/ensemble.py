"""Network and linear members under one score, with weights and calibration learned on shifted validation."""

from dataclasses import dataclass

import numpy as np

from pharmacell.linear.calibration import balanced_platt
from pharmacell.response.columns import ALONE, NETWORK

MEMBERS = ALONE
SHRINKAGE = 0.02  # pull of the weights towards equal ones
NEWTON_STEPS, HALVINGS, CONVERGED = 30, 6, 1e-4  # of the weights' solver


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
    """Return non-negative member weights of sum 1 that minimise the class-weighted log loss, for one set or many.

    Every set is a convex problem of a few numbers. All are solved side by side by Newton's method projected onto the
    bounds (Bertsekas 1982): a weight at 0 that would fall is left out of a step, and a step is halved until it helps.

    Parameters
    ----------
    scores
        Standardised member scores, [..., n, n_members].
    labels
        1 or 0, [..., n].

    Returns
    -------
    numpy.ndarray
        [..., n_members].
    """
    from scipy.special import expit

    shape, members = scores.shape[:-2], scores.shape[-1]
    y = labels.reshape(-1, labels.shape[-1]).astype(np.float32)
    x = np.ones((len(y), y.shape[1], members + 1), np.float32)  # the last column is the intercept's
    x[..., :members] = scores.reshape(-1, *scores.shape[-2:])
    positive = y.mean(1, keepdims=True)
    balance = np.where(y == 1, 0.5 / np.maximum(positive, 1e-9), 0.5 / np.maximum(1 - positive, 1e-9)) / y.shape[1]
    balance = balance.astype(np.float32)
    pull = np.zeros((members + 1, members + 1))
    pull[:members, :members] = 2 * SHRINKAGE * (np.eye(members) - 1 / members)
    is_weight = np.arange(members + 1) < members

    def loss(theta: np.ndarray) -> np.ndarray:
        margin = (2 * y - 1) * (x @ theta[..., None].astype(np.float32))[..., 0]
        return (balance * np.logaddexp(0, -margin)).sum(1) + np.einsum("pj,jk,pk->p", theta, pull, theta) / 2

    theta = np.tile(np.append(np.full(members, 1 / members), 0.0), (len(y), 1))
    value = loss(theta)
    for _ in range(NEWTON_STEPS):
        probability = expit((x @ theta[..., None].astype(np.float32))[..., 0])
        slope = ((balance * (probability - y))[:, None] @ x)[:, 0] + theta @ pull
        curvature = np.swapaxes(x * (balance * probability * (1 - probability))[..., None], 1, 2) @ x + pull
        fixed = is_weight & (theta <= 0) & (slope > 0)
        slope[fixed] = 0
        curvature[fixed[:, :, None] | fixed[:, None, :]] = 0
        curvature += (1e-6 + fixed)[:, :, None] * np.eye(members + 1)
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        length = np.ones((len(y), 1))
        for _ in range(HALVINGS):
            tried = theta - length * step
            tried[:, :members] = np.maximum(tried[:, :members], 0)
            better = (found := loss(tried)) <= value
            if better.all():
                break
            length[~better] /= 2
        moved = np.where(better, np.abs(tried - theta).max(1), 0).max()
        theta[better], value = tried[better], np.where(better, found, value)
        if moved < CONVERGED:
            break
    weights = theta[:, :members]
    total = weights.sum(1, keepdims=True)
    return np.where(total > 0, weights / np.where(total > 0, total, 1), 1 / members).reshape(*shape, members)
