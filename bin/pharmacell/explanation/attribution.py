"""How much each gene moves a cell's score: three methods for the network, exact values for the linear members.

The methods return multipliers of a cell's hidden numbers (see :class:`pharmacell.explanation.replicas.Replicas`). A
gene's attribution is its difference from the baseline times the multipliers carried to the genes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from pharmacell.core.progress import say, track
from pharmacell.explanation.replicas import Replicas, logit_difference, through
from pharmacell.nn.attention import TokenAttention
from pharmacell.nn.stacked import StackedLinear
from pharmacell.response.ensemble import MEMBERS, Ensemble

MOST_DOUBLINGS = 4
LARGEST_GAP = 0.01  # of the mean difference in logits of a replica
ROWS_AT_ONCE = 128  # cells times steps of each replica in one pass; more do not fit the processor's cache
CELLS_AT_ONCE = 256  # in one piece
MOST_REFINED = 12_000  # steps of each replica in one doubling: 500 cells of 24 steps
EPSILON = 1e-2  # of the epsilon rule
SMALLEST_CHANGE = 1e-10  # of an input of ReLU, for a quotient
METHODS = ("integrated gradients", "DeepLift", "relevance propagation")


class PathReLU(torch.autograd.Function):
    """ReLU at the points of straight paths, whose derivative is its mean over a point's step."""

    @staticmethod
    def forward(context: Any, z: Tensor, steps: int) -> Tensor:
        """Return the positive part of the inputs.

        Between two points an input is taken to change evenly. Over the step around a point it then is positive for the
        share ``1/2 + z / |change|`` of the step, cut to 0 and 1: 0 or 1 unless it changes sign there.

        Parameters
        ----------
        context
            Autograd's.
        z
            Inputs, [n_replicas, n * steps, width], the points of a path one behind the other.
        steps
            Points of a path, at least 2.
        """
        of_paths = z.unflatten(1, (-1, steps))
        change = torch.empty_like(of_paths)
        torch.sub(of_paths[:, :, 2:], of_paths[:, :, :-2], out=change[:, :, 1:-1]).mul_(0.5)
        torch.sub(of_paths[:, :, 1], of_paths[:, :, 0], out=change[:, :, 0])
        torch.sub(of_paths[:, :, -1], of_paths[:, :, -2], out=change[:, :, -1])
        share = change.abs_().clamp_min_(SMALLEST_CHANGE).reciprocal_().mul_(of_paths).add_(0.5).clamp_(0, 1)
        context.save_for_backward(share.view_as(z))
        return z.clamp_min(0)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Return the gradient towards the inputs.

        Parameters
        ----------
        context
            Autograd's.
        *gradients
            Towards the positive part.
        """
        (share,) = context.saved_tensors
        return gradients[0] * share, None


def integrated_gradients(replicas: Replicas, end: Tensor, start: Tensor, steps: int) -> Tensor:
    """Return multipliers by integrated gradients (Sundararajan, Taly and Yan 2017, Eq. 1)::

        m(x) = integral over t in [0, 1] of df/dh (h_b + t (h_x - h_b))

    The integral is a sum over the middles of equal steps. The gradient jumps where a path makes a unit of ReLU change
    sign, so such a unit counts for the share of the step in which it is positive (:class:`PathReLU`): the error falls
    with the square of the number of steps. The attributions of a cell sum to ``f(x) - f(b)``, but for it.

    Parameters
    ----------
    replicas
        The networks.
    end
        Hidden numbers of the cells, [n_replicas, n, width].
    start
        Of the baseline, [n_replicas, 1, width].
    steps
        Of the sum, at least 2.

    Returns
    -------
    Tensor
        [n_replicas, n, width].
    """
    middles = (torch.arange(steps, dtype=end.dtype, device=end.device) + 0.5) / steps
    found = torch.empty_like(end)
    at_once = max(1, ROWS_AT_ONCE // steps)
    for rows in torch.arange(end.shape[1], device=end.device).split(at_once):
        direction = (end[:, rows] - start)[:, :, None]
        points = torch.addcmul(start[:, :, None], direction, middles[:, None])  # [R, n, steps, width]
        points = points.flatten(1, 2).requires_grad_()
        z = points
        for layer in replicas.behind:
            z = PathReLU.apply(z, steps) if isinstance(layer, nn.ReLU) else through([layer], z)
        gradient = torch.autograd.grad(logit_difference(z).sum(), points)[0]
        found[:, rows] = gradient.unflatten(1, (len(rows), steps)).mean(2)
    return found


def complete_gradients(
    replicas: Replicas, end: Tensor, start: Tensor, steps: int, words: str = "integrated gradients"
) -> tuple[Tensor, Tensor, Tensor]:
    """Return multipliers by integrated gradients, for each cell with as many steps as completeness takes.

    The steps of a cell whose attributions miss the difference in logits by more than 1 % of the replica's mean
    difference are doubled, up to four times. Where many cells miss it, those that miss it most are taken, so that a
    large sample costs little more than its first pass; what the others miss is in the gap. Completeness is checked in
    the hidden numbers: their attributions have the same sum as those of the genes.

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
        difference = in_pieces(replicas.difference, end) - replicas.difference(start)
    allowed = LARGEST_GAP * difference.abs().mean(1, keepdim=True)
    found = torch.empty_like(end)
    pieces = zip(end.split(CELLS_AT_ONCE, 1), found.split(CELLS_AT_ONCE, 1), strict=True)
    for cells, of_cells in track(pieces, words, end.shape[1], "cells", CELLS_AT_ONCE):
        of_cells.copy_(integrated_gradients(replicas, cells, start, steps))
    for doublings in range(MOST_DOUBLINGS + 1):
        gap = completeness_gap(end, start, found, difference)
        misses, doubled = gap > allowed, steps * 2 ** (doublings + 1)
        most = min(int(misses.sum(1).max()), max(1, MOST_REFINED // doubled))
        if not misses.any() or doublings == MOST_DOUBLINGS:
            break
        n_missing = int(misses.any(0).sum())
        of_all = f"{most:,} of " if most < int(misses.sum(1).max()) else ""
        say(f"{words}: {doubled} steps for {of_all}{n_missing:,} cells")
        # of each replica the cells that miss it, filled up to the same number with those that are next
        rows = gap.topk(most, 1).indices[..., None].expand(-1, -1, end.shape[2])
        again = integrated_gradients(replicas, end.gather(1, rows), start, doubled)
        found.scatter_(1, rows, again)
    return found, gap, difference


def completeness_gap(end: Tensor, start: Tensor, found: Tensor, difference: Tensor) -> Tensor:
    """Return by how much the attributions of each cell miss its difference in logits, [n_replicas, n].

    Parameters
    ----------
    end, start
        As of :func:`integrated_gradients`.
    found
        Multipliers, [n_replicas, n, width].
    difference
        In logits, [n_replicas, n].
    """
    pieces = zip(end.split(CELLS_AT_ONCE, 1), found.split(CELLS_AT_ONCE, 1), strict=True)
    sums = torch.cat([((cells - start) * of_cells).sum(-1) for cells, of_cells in pieces], 1)
    return (sums - difference).abs()


def in_pieces(function: Callable[[Tensor], Tensor], end: Tensor) -> Tensor:
    """Return what a function makes of the cells' hidden numbers, so many cells at once that they need little memory.

    Parameters
    ----------
    function
        From hidden numbers [n_replicas, n, width] to [n_replicas, n, ...].
    end
        Hidden numbers of the cells, [n_replicas, n, width].
    """
    return torch.cat([function(piece) for piece in end.split(CELLS_AT_ONCE, 1)], 1)


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
    mixed = scaled_dot_product_attention(query, key, value).unflatten(0, tokens.shape[:2])
    return layer.latent(tokens, damped(layer.update(mixed)))


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
