"""How much each gene moves a cell's score: three methods for the network, exact values for the linear members."""

import warnings

import numpy as np
import torch
from captum.attr import DeepLift, IntegratedGradients
from torch import Tensor, nn

from pharmacell.explain.replica import PlainAttention, PlainReplica
from pharmacell.response.ensemble import MEMBERS, Ensemble

STEPS = 50
MOST_DOUBLINGS = 4
LARGEST_GAP = 0.01  # of the mean difference in logits
ROWS_AT_ONCE = 512  # cells times steps in one pass; more do not fit the processor's cache and take three times as long
EPSILON = 1e-2  # of the epsilon rule
METHODS = ("integrated gradients", "DeepLift", "relevance propagation")


def integrated_gradients(replica: PlainReplica, x: Tensor, baseline: Tensor, steps: int = STEPS) -> Tensor:
    """Attribute the logit difference by integrated gradients (Sundararajan, Taly and Yan 2017, Eq. 1)::

        a_g(x) = (x_g - b_g) * integral over t in [0, 1] of df/dx_g (b + t (x - b))

    The values of a cell sum to ``f(x) - f(b)``, but for the error of the sum that stands for the integral.

    Parameters
    ----------
    replica
        The network.
    x
        Standardised cells, [n, n_genes].
    baseline
        The cell to compare with, [n_genes].
    steps
        Points of the Gauss-Legendre sum.

    Returns
    -------
    Tensor
        [n, n_genes].
    """
    start, end = replica.first(baseline[None]), replica.first(x)
    rows = max(ROWS_AT_ONCE, len(x))
    gradients = IntegratedGradients(replica.behind, multiply_by_inputs=False).attribute(
        end, start.expand_as(end), n_steps=steps, internal_batch_size=rows
    )
    return (x - baseline) * replica.to_genes(gradients)


def complete_gradients(
    replica: PlainReplica, x: Tensor, baseline: Tensor, steps: int = STEPS
) -> tuple[Tensor, Tensor, Tensor]:
    """Attribute by integrated gradients with as many steps as completeness takes.

    The steps are doubled, up to four times, while the values of a cell miss the difference in logits by more than 1 %
    on average. The network is piecewise linear, and the sum jumps where a path crosses from one piece to the next.

    Parameters
    ----------
    replica, x, baseline, steps
        As of :func:`integrated_gradients`; ``steps`` to begin with.

    Returns
    -------
    attributions
        [n, n_genes].
    gap, difference
        ``|sum of a cell's attributions - difference|`` and the difference in logits from the baseline, [n].
    """
    difference = replica(x) - replica(baseline[None])
    for doublings in range(MOST_DOUBLINGS + 1):
        found = integrated_gradients(replica, x, baseline, steps * 2**doublings)
        gap = (found.sum(1) - difference).abs()
        if gap.mean() <= LARGEST_GAP * difference.abs().mean():
            break
    return found, gap, difference


def deep_lift(replica: PlainReplica, x: Tensor, baseline: Tensor) -> Tensor:
    """Attribute the logit difference by DeepLift's rescale rule (Shrikumar et al. 2017).

    The rule is for layers that act on one value at a time; attention passes on its gradient. Parameters and result as
    of :func:`integrated_gradients`.
    """
    start, end = replica.first(baseline[None]), replica.first(x)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Setting forward, backward hooks")  # it removes them again
        multipliers = DeepLift(replica.behind, multiply_by_inputs=False).attribute(
            end.requires_grad_(), start.expand_as(end).contiguous()
        )
    return (x - baseline) * replica.to_genes(multipliers.detach())


def relevance(replica: PlainReplica, x: Tensor) -> Tensor:
    """Attribute the logit difference by layer-wise relevance propagation (Bach et al. 2015, Eq. 58, epsilon rule)::

        R_j = a_j * sum over k of w_jk R_k / (z_k + epsilon sign(z_k))

    Attention weights count as constants, so that relevance passes through the values only (Ali et al. 2022, Eq. 8).
    There is no baseline: relevance is that of the difference from the sample's mean cell, which is zero.

    Parameters
    ----------
    replica
        The network.
    x
        Standardised cells, [n, n_genes].

    Returns
    -------
    Tensor
        [n, n_genes].
    """
    first = replica.first(x).requires_grad_()
    z = damped(first)
    for layer in replica.behind:
        if isinstance(layer, PlainAttention):
            tokens, weights, value = layer.mix(z)
            mixed = (weights.detach() @ damped(value)).transpose(1, 2).flatten(2)
            z = (tokens + damped(layer.output(mixed))).flatten(1)
        else:
            z = damped(layer(z)) if isinstance(layer, nn.Linear) else layer(z)
    multipliers = torch.autograd.grad(z.sum(), first)[0]
    return x * replica.to_genes(multipliers)


def damped(z: Tensor) -> Tensor:
    """Return ``z`` unchanged, with gradients that shrink by ``z / (z + epsilon sign(z))``: the epsilon rule."""
    kept = z.detach()
    factor = kept / (kept + EPSILON * torch.where(kept >= 0, 1.0, -1.0))
    return kept + factor * (z - kept)


def member_weights(ensemble: Ensemble | None, n_replicas: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return how the score is made of the network and of the genes.

    With the weights ``w`` and scales of :class:`pharmacell.response.ensemble.Ensemble`, the attribution of gene g to
    the score of replica r, before it is averaged over neighbours, is::

        a_rg(x) = w_network / scale_network * IG_rg(x) + sum over linear members k of w_k / scale_rk * l_rkg (x_g - b_g)

    Returns
    -------
    network
        ``w_network / scale``, [n_replicas]; ones when the network stands alone.
    linear
        The genes' weights in the second term, [n_replicas, n_genes]; None when the network stands alone.
    """
    if ensemble is None:
        return np.ones(n_replicas, np.float32), None
    share = ensemble.weights / ensemble.scale  # [n_replicas, n_members]
    linear = np.einsum("rk,rkg->rg", share[:, 1:], ensemble.linear)
    return share[:, MEMBERS.index("network")], linear.astype(np.float32)
