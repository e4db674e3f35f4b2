"""Noise for the denoising autoencoder. The clean input stays the target: every function returns a copy."""

from torch import Tensor

from pharmacell.nn.keyed_dropout import drop, keep_mask
from pharmacell.nn.random import ReplicaRandom


def corrupt(x: Tensor, kind: str, rate: float, random: ReplicaRandom) -> Tensor:
    """Return a noisy copy of the input for each replica.

    Parameters
    ----------
    x
        Clean input, [n_replicas, n, n_genes].
    kind
        ``binomial``: each value is set to 0 with probability ``rate``; ``dropout``: the same, and the rest is divided
        by ``1 - rate``; ``gaussian``: normal noise of standard deviation ``rate`` is added.
    rate
        Probability or standard deviation, in units of the standardised input.
    random
        One stream for each replica.
    """
    if rate == 0:
        return x.clone()
    if kind == "gaussian":
        return x + rate * random.normal(x.shape[1:])
    if kind == "dropout":
        return drop(x, random.keys(), rate)
    return x * keep_mask(random.keys(), x.shape[1], x.shape[2], rate)
