"""Dropout without hidden state: what is dropped is a function of a key, so that each replica has its own."""

import torch
from torch import Tensor, nn

_ODD = (0x1E3779B97F4A7C15, 0x3F58476D1CE4E5B9, 0x14D049BB133111EB)  # mixing constants, below 2**63


def _mixed(values: Tensor) -> Tensor:
    """Scramble int64 values (multiply-xorshift, Marsaglia 2003; overflow wraps)."""
    for factor in _ODD:
        values = (values ^ ((values >> 31) & 0x1FFFFFFFF)) * factor  # the mask makes the shift a logical one
    return values ^ ((values >> 31) & 0x1FFFFFFFF)


def keep_mask(key: Tensor, n_rows: int, n_columns: int, rate: float) -> Tensor:
    """Choose what is kept by hashing positions together with a key.

    Rows and columns are hashed to 32 bits each. An element is kept when their product modulo 2^32, with the column made
    odd, is in the upper share of its range: an element costs one multiplication and one comparison.

    Parameters
    ----------
    key
        One number, or one for each replica: int64, [] or [n_replicas].
    n_rows, n_columns
        Shape of the mask.
    rate
        Share of elements that is dropped, below 1.

    Returns
    -------
    Tensor
        bool, [n_rows, n_columns] or [n_replicas, n_rows, n_columns]; True where an element is kept.
    """
    rows, columns = _hashed(key, n_rows, n_columns)
    return rows * columns >= _threshold(rate)


def _hashed(key: Tensor, n_rows: int, n_columns: int) -> tuple[Tensor, Tensor]:
    """Hash the rows and the columns of a mask, int32 [..., n_rows, 1] and [..., 1, n_columns]."""
    positions = torch.arange(1, n_rows + n_columns + 1, device=key.device) * _ODD[0]
    hashed = _mixed(positions + key[..., None]).to(torch.int32)
    return hashed[..., :n_rows, None], hashed[..., None, n_rows:] | 1


def _threshold(rate: float) -> int:
    """Return the least product that is kept."""
    return round(rate * 2**32) - 2**31


def drop_(x: Tensor, keys: Tensor, rate: float, factor: float) -> Tensor:
    """Drop elements in place and multiply the others; for wide rows without a gradient.

    One replica after the other, so that its rows and their mask stay in the processor's cache: 3 times as fast as with
    the mask of the whole stack.

    Parameters
    ----------
    x
        float32 [n_replicas, n, n_columns]; overwritten.
    keys
        One for each replica, int64 [n_replicas].
    rate
        See :func:`keep_mask`.
    factor
        Of what is kept.
    """
    rows, columns = _hashed(keys, *x.shape[1:])
    product = torch.empty(x.shape[1:], dtype=torch.int32, device=x.device)
    for own, own_rows, own_columns in zip(x, rows, columns, strict=True):
        torch.mul(own_rows, own_columns, out=product)
        own.mul_(product.ge_(_threshold(rate)).to(x.dtype).mul_(factor))
    return x


def drop(x: Tensor, key: Tensor, rate: float) -> Tensor:
    """Drop elements and scale the others up, so that the mean stays.

    Parameters
    ----------
    x
        [n, ...] for one key, [n_replicas, n, ...] for one of each replica.
    key, rate
        See :func:`keep_mask`.
    """
    n_rows, *columns = x.shape[key.dim() :]
    keep = keep_mask(key, n_rows, torch.Size(columns).numel(), rate)
    return (x * keep.view_as(x)).mul_(1 / (1 - rate))


class KeyedDropout(nn.Module):
    """Dropout of a plain network that :class:`pharmacell.nn.vmapped.VmappedStack` stacks.

    ``torch.nn.Dropout`` draws from one stream, so what a replica of a vmapped stack drops would depend on who stands
    beside it. Here whoever trains the network sets a new ``key`` before each step.

    Parameters
    ----------
    rate
        Share of elements that is dropped in training.
    """

    key: Tensor

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("key", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements in training; pass them through otherwise.

        Parameters
        ----------
        x
            [n, ...].
        """
        return drop(x, self.key, self.rate) if self.training and self.rate else x
