"""How much each gene moves a cell's score: three methods for the network, exact values for the linear members.

The methods return multipliers of a cell's hidden numbers (see :class:`pharmacell.explain.replicas.Replicas`). A gene's
attribution is its difference from the baseline times the multipliers carried to the genes.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from pharmacell.core.progress import track
from pharmacell.explain.replicas import Replicas, logit_difference, through
from pharmacell.nn.attention import TokenAttention
from pharmacell.nn.stacked import StackedLinear
from pharmacell.response.ensemble import MEMBERS, Ensemble

MOST_DOUBLINGS = 4
LARGEST_GAP = 0.01  # of the mean difference in logits
ROWS_AT_ONCE = 128  # cells times steps of each replica in one pass; more do not fit the processor's cache
CELLS_AT_ONCE = 256  # between two words to the user
EPSILON = 1e-2  # of the epsilon rule
SMALLEST_CHANGE = 1e-10  # of an input of ReLU, for DeepLift's quotient
METHODS = ("integrated gradients", "DeepLift", "relevance propagation")


def integrated_gradients(replicas: Replicas, end: Tensor, start: Tensor, steps: int) -> Tensor:
    """Return multipliers by integrated gradients (Sundararajan, Taly and Yan 2017, Eq. 1)::

        m(x) = integral over t in [0, 1] of df/dh (h_b + t (h_x - h_b))

    The integral is a Gauss-Legendre sum. The attributions of a cell sum to ``f(x) - f(b)``, but for its error.

    Parameters
    ----------
    replicas
        The networks.
    end
        Hidden numbers of the cells, [n_replicas, n, width].
    start
        Of the baseline, [n_replicas, 1, width].
    steps
        Points of the sum.

    Returns
    -------
    Tensor
        [n_replicas, n, width].
    """
    nodes, weights = (
        torch.as_tensor(values, dtype=end.dtype, device=end.device) / 2
        for values in np.polynomial.legendre.leggauss(steps)
    )
    found = torch.empty_like(end)
    at_once = max(1, ROWS_AT_ONCE // steps)
    for rows in torch.arange(end.shape[1], device=end.device).split(at_once):
        direction = (end[:, rows] - start)[:, :, None]
        points = torch.addcmul(start[:, :, None], direction, (nodes + 0.5)[:, None])  # [R, n, steps, width]
        points = points.flatten(1, 2).requires_grad_()
        gradient = torch.autograd.grad(replicas.difference(points).sum(), points)[0]
        found[:, rows] = weights @ gradient.unflatten(1, (len(rows), steps))
    return found


def complete_gradients(
    replicas: Replicas, end: Tensor, start: Tensor, steps: int, words: str = "integrated gradients"
) -> tuple[Tensor, Tensor, Tensor]:
    """Return multipliers by integrated gradients with as many steps as completeness takes.

    While the attributions of a replica's cells miss their difference in logits by more than 1 % on average, the steps
    of the cells that miss it by more are doubled, up to four times. The network is piecewise linear, and the sum jumps
    where a path crosses from one piece to the next. Completeness is checked in the hidden numbers: their attributions
    have the same sum as those of the genes.

    Parameters
    ----------
    replicas, end, start
        As of :func:`integrated_gradients`.
    steps
        To begin with.
    words
        What is being done, for the user.

    Returns
    -------
    multipliers
        [n_replicas, n, width].
    gap, difference
        ``|sum of a cell's attributions - difference|`` and the difference in logits from the baseline,
        [n_replicas, n].
    """
    with torch.no_grad():
        difference = replicas.difference(end) - replicas.difference(start)
    allowed = LARGEST_GAP * difference.abs().mean(1, keepdim=True)

    def gap_of(multipliers: Tensor, rows: Tensor) -> Tensor:
        return (((end[:, rows] - start) * multipliers).sum(-1) - difference[:, rows]).abs()

    groups = torch.arange(end.shape[1], device=end.device).split(CELLS_AT_ONCE)
    parts = [
        integrated_gradients(replicas, end[:, rows], start, steps)
        for rows in track(groups, words, len(groups), f"groups of {CELLS_AT_ONCE} cells")
    ]
    found = torch.cat(parts, 1)
    gap = gap_of(found, torch.cat(groups))
    for doublings in range(1, MOST_DOUBLINGS + 1):
        misses = (gap > allowed) & (gap.mean(1, keepdim=True) > allowed)
        rows = misses.any(0).nonzero().ravel()
        if not len(rows):
            break
        found[:, rows] = integrated_gradients(replicas, end[:, rows], start, steps * 2**doublings)
        gap[:, rows] = gap_of(found[:, rows], rows)
    return found, gap, difference


def deep_lift(replicas: Replicas, end: Tensor, start: Tensor) -> Tensor:
    """Return multipliers by DeepLift's rescale rule (Shrikumar et al. 2017).

    ReLU passes on the quotient of its changes from the baseline; the rule is for layers that act on one value at a
    time, so attention passes on its gradient. Parameters and result are those of :func:`integrated_gradients`.

    Parameters
    ----------
    replicas, end, start
        As there.
    """
    hidden = end.detach().requires_grad_()
    z, reference = hidden, start
    for layer in replicas.behind:
        if isinstance(layer, nn.ReLU):
            change = (z - reference).detach()
            quotient = (layer(z) - layer(reference)).detach() / torch.where(
                change.abs() > SMALLEST_CHANGE, change, torch.inf
            )
            slope = torch.where(change.abs() > SMALLEST_CHANGE, quotient, (z > 0).to(z.dtype))
            z = passing(layer(z).detach(), slope, z)
        else:
            z = through([layer], z)
        with torch.no_grad():
            reference = through([layer], reference)
    return torch.autograd.grad(logit_difference(z).sum(), hidden)[0]


def relevance(replicas: Replicas, end: Tensor) -> Tensor:
    """Return multipliers by layer-wise relevance propagation (Bach et al. 2015, Eq. 58, epsilon rule)::

        R_j = a_j * sum over k of w_jk R_k / (z_k + epsilon sign(z_k))

    Attention weights count as constants, so that relevance passes through the values only (Ali et al. 2022, Eq. 8).
    There is no baseline: relevance is that of the difference from the sample's mean cell, which is zero.

    Parameters
    ----------
    replicas
        The networks.
    end
        Hidden numbers of the cells, [n_replicas, n, width].

    Returns
    -------
    Tensor
        [n_replicas, n, width].
    """
    hidden = end.detach().requires_grad_()
    z = damped(hidden)
    for layer in replicas.behind:
        if isinstance(layer, TokenAttention):
            z = damped_attention(layer, z)
        else:
            z = damped(layer(z)) if isinstance(layer, StackedLinear) else layer(z)
    return torch.autograd.grad(logit_difference(z).sum(), hidden)[0]


def damped_attention(layer: TokenAttention, z: Tensor) -> Tensor:
    """Map the latent [n_replicas, n, n_latent] through attention whose weights are constants, by the epsilon rule.

    Parameters
    ----------
    layer
        The attention block.
    z
        The latent vectors.
    """
    tokens, query, key, value = layer.heads_of(z)
    query, key, value = (part.flatten(0, 1) for part in (query.detach(), key.detach(), damped(value)))
    mixed = scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(tokens.shape)
    return (tokens + damped(layer.output(mixed.flatten(1, 2))).view_as(tokens)).flatten(2)


def damped(z: Tensor) -> Tensor:
    """Return ``z`` unchanged, with gradients that shrink by ``z / (z + epsilon sign(z))``: the epsilon rule.

    Parameters
    ----------
    z
        Of any shape.
    """
    kept = z.detach()
    return passing(kept, kept / (kept + EPSILON * torch.where(kept >= 0, 1.0, -1.0).to(z.dtype)), z)


def passing(value: Tensor, slope: Tensor, z: Tensor) -> Tensor:
    """Return ``value`` with the gradient ``slope`` towards ``z``; all of one shape.

    Parameters
    ----------
    value, slope
        Constants.
    z
        What the gradient goes to.
    """
    return value + slope * (z - z.detach())


def member_weights(ensemble: Ensemble | None, n_replicas: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Return how the score is made of the network and of the genes.

    With the weights ``w`` and scales of :class:`pharmacell.response.ensemble.Ensemble`, the attribution of gene g to
    the score of replica r, before it is averaged over neighbours, is::

        a_rg(x) = w_network / scale_network * IG_rg(x) + sum over linear members k of w_k / scale_rk * l_rkg (x_g - b_g)

    Parameters
    ----------
    ensemble
        The ensemble; None when the network stands alone.
    n_replicas
        Of the network.

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
