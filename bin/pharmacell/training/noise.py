"""Noise for the denoising autoencoder, whose target is the clean input."""

from torch import Tensor

from pharmacell.nn.keyed_dropout import drop_
from pharmacell.nn.random import ReplicaRandom


def corrupt(x: Tensor, kind: str, rate: float, random: ReplicaRandom) -> Tensor:
    """Return a noisy copy of the input for each replica.

    Parameters
    ----------
    x, kind, rate, random
        As in :func:`corrupt_`.
    """
    return corrupt_(x.clone(), kind, rate, random)


def corrupt_(x: Tensor, kind: str, rate: float, random: ReplicaRandom) -> Tensor:
    """Put noise on the input of each replica, in place.

    Parameters
    ----------
    x
        Clean input, float32 [n_replicas, n, n_genes]; overwritten.
    kind
        ``binomial``: each value is set to 0 with probability ``rate``; ``dropout``: the same, and the rest is divided
        by ``1 - rate``; ``gaussian``: normal noise of standard deviation ``rate`` is added.
    rate
        Probability or standard deviation, in units of the standardised input.
    random
        One stream for each replica.
    """
    if rate == 0:
        return x
    if kind == "gaussian":
        return x.add_(random.normal(x.shape[1:]), alpha=rate)
    return drop_(x, random.keys(), rate, 1 / (1 - rate) if kind == "dropout" else 1)
