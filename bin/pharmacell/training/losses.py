"""Loss terms of the joint stage; each returns one value for each replica and carries gradients to both encoders."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

# Multiples of the median squared distance; each is half of the one before, so that its kernel is the other's square.
BANDWIDTHS = (4.0, 2.0, 1.0, 0.5, 0.25)


def class_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy of each replica.

    Parameters
    ----------
    logits
        [n_replicas, n, 2].
    labels
        int64, [n_replicas, n]; 1 sensitive, 0 resistant.
    """
    return cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels).mean(1)


def known_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return each replica's mean cross-entropy over the rows whose label is known, [n_replicas].

    Parameters
    ----------
    logits
        [n_replicas, n, 2].
    labels
        int64, [n_replicas, n]; -1 where unknown.
    """
    each = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none", ignore_index=-1).view_as(labels)
    return each.sum(1) / (labels >= 0).sum(1)


def reconstruction(output: Tensor, clean: Tensor) -> Tensor:
    """Return each replica's mean squared error between [n_replicas, n, n_genes] and the clean input.

    The clean input may be [n, n_genes], shared by all.

    Parameters
    ----------
    output
        [n_replicas, n, n_genes].
    clean
        [n_replicas, n, n_genes], or [n, n_genes] shared by all.
    """
    return _MeanSquare.apply(output - clean)


class _MeanSquare(torch.autograd.Function):
    """Mean square of each replica; passes over wide outputs cost more than their arithmetic, so each is made once."""

    @staticmethod
    def forward(ctx: Any, difference: Tensor) -> Tensor:
        ctx.save_for_backward(difference)
        return torch.stack([own.square().mean() for own in difference])  # one replica's rows stay in the cache

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (difference,) = ctx.saved_tensors
        return difference * (2 / difference[0].numel() * gradient)[:, None, None]


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Return squared Euclidean distances [n_replicas, n_a, n_b] between rows of [n_replicas, n, d].

    Parameters
    ----------
    a
        [n_replicas, n_a, d].
    b
        [n_replicas, n_b, d].
    """
    square = a.square().sum(-1, keepdim=True) + b.square().sum(-1).unsqueeze(1)
    return (square - 2 * a @ b.transpose(1, 2)).clamp_min(0)


def mmd(source: Tensor, target: Tensor) -> Tensor:
    """Maximum mean discrepancy between source and target latents (the second term of Eq. 16).

    With the kernel ``k(x, y) = mean over b of exp(-|x - y|^2 / (b m))``, where m is the median squared distance of
    the pooled rows (Gretton et al. 2012, the median heuristic; no gradient passes through it)::

        MMD^2 = mean k(s, s') + mean k(t, t') - 2 mean k(s, t)

    Parameters
    ----------
    source, target
        Latents, [n_replicas, n_source, d] and [n_replicas, n_target, d].

    Returns
    -------
    Tensor
        MMD^2 (biased, so never negative) of each replica, [n_replicas].
    """
    pooled = torch.cat([source, target], 1)  # [R, n_s + n_t, d]
    distances = squared_distances(pooled, pooled)
    median = distances.detach().flatten(1).median(1).values.clamp_min(1e-12)
    each = torch.exp(distances / (-BANDWIDTHS[0] * median[:, None, None]))
    kernel = each
    for _ in BANDWIDTHS[1:]:
        each = each.square()
        kernel = kernel + each
    kernel = kernel / len(BANDWIDTHS)
    n = source.shape[1]
    return kernel[:, :n, :n].mean((1, 2)) + kernel[:, n:, n:].mean((1, 2)) - 2 * kernel[:, :n, n:].mean((1, 2))


def cluster_regulariser(latent: Tensor, clusters: Tensor, n_clusters: int) -> Tensor:
    """Spread of the cells' latents around the centre of their cluster (the part of Eq. 17 in Eq. 16).

    With unit vectors ``u = z / |z|`` and ``c(k)`` the direction of the mean of u over the cells of cluster k::

        R = 1 - mean over cells of u . c(cluster of the cell)

    It is 0 when all cells of a cluster point the same way and is differentiable in z. Clusters are found once, on the
    expression of the cells, so they carry no gradient.

    Parameters
    ----------
    latent
        Latents of cells, [n_replicas, n, d].
    clusters
        int64, [n_replicas, n]; cluster of each cell.
    n_clusters
        Number of clusters in all.

    Returns
    -------
    Tensor
        [n_replicas].
    """
    unit = normalize(latent, dim=-1)
    numbers = torch.arange(n_clusters, device=clusters.device)
    members = (clusters[..., None] == numbers).to(latent.dtype)  # [R, n, K]
    centres = normalize(members.transpose(1, 2) @ unit, dim=-1)  # [R, K, d]
    return 1 - (unit * (members @ centres)).sum(-1).mean(1)
