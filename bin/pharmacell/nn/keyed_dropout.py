"""Dropout without hidden state: the mask is a function of a key, so that vmap gives each replica its own."""

import torch
from torch import Tensor, nn

KEYS = 2**62
_ODD = (0x1E3779B97F4A7C15, 0x3F58476D1CE4E5B9, 0x14D049BB133111EB)  # mixing constants, below 2**63


class KeyedDropout(nn.Module):
    """Drop elements by hashing their position together with a key.

    ``torch.nn.Dropout`` draws from one stream, so what a replica of a vmapped stack drops would depend on who stands
    beside it. Here element i is kept when ``hash(i, key)``, a 64-bit multiply-xorshift (Marsaglia 2003), exceeds the
    rate; whoever trains the network sets a new ``key`` before each step.

    Parameters
    ----------
    rate
        Share of elements that is dropped in training.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("key", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements of x in training; pass it through otherwise."""
        if not self.training or self.rate == 0:
            return x
        mixed = torch.arange(1, x.numel() + 1, device=x.device).view_as(x) * _ODD[0] + self.key
        for factor in _ODD[1:]:
            mixed = (mixed ^ ((mixed >> 31) & 0x1FFFFFFFF)) * factor  # the mask makes the shift a logical one
        uniform = ((mixed >> 40) & 0xFFFFFF).to(x.dtype) / 2**24
        return x * (uniform >= self.rate) / (1 - self.rate)
