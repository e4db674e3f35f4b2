"""Dropout without hidden state: the mask is a function of a key, so that vmap gives each replica its own."""

import torch
from torch import Tensor, nn

KEYS = 2**62
_ODD = (0x1E3779B97F4A7C15, 0x3F58476D1CE4E5B9, 0x14D049BB133111EB)  # mixing constants, below 2**63


def _mixed(values: Tensor) -> Tensor:
    """Scramble int64 values (multiply-xorshift; overflow wraps)."""
    for factor in _ODD:
        values = (values ^ ((values >> 31) & 0x1FFFFFFFF)) * factor  # the mask makes the shift a logical one
    return values ^ ((values >> 31) & 0x1FFFFFFFF)


class KeyedDropout(nn.Module):
    """Drop elements by hashing their position together with a key.

    ``torch.nn.Dropout`` draws from one stream, so what a replica of a vmapped stack drops would depend on who stands
    beside it. Here an element is kept when a hash of its row, its column and the ``key`` exceeds the rate (64-bit
    multiply-xorshift, Marsaglia 2003); whoever trains the network sets a new ``key`` before each step. Rows and
    columns are hashed first, so that an element costs a few integer operations.

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
        n_rows, n_columns = len(x), x[0].numel()
        positions = _mixed(torch.arange(1, n_rows + n_columns + 1, device=x.device) * _ODD[0] + self.key)
        mixed = (positions[:n_rows, None] ^ positions[n_rows:]) * _ODD[1]
        keep = ((mixed >> 40) & 0xFFFFFF) >= round(self.rate * 2**24)
        return x * keep.view_as(x) / (1 - self.rate)
