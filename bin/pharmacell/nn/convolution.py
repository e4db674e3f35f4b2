"""One-dimensional convolution as a matrix product."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class MatrixConv1d(nn.Module):
    """Convolution along the last axis, written as windows times weights.

    vmap turns ``torch.nn.Conv1d`` into one grouped convolution, whose rounding depends on the number of groups: a
    replica would differ a little from what it is alone, and more with every step. Batched matrix products do not.

    Parameters
    ----------
    n_in, n_out
        Channels.
    kernel, stride
        Width and step of the windows; the input is padded by half a kernel at both ends.
    """

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        bound = 1 / math.sqrt(n_in * kernel)  # as torch.nn.Conv1d
        self.weight = nn.Parameter((2 * torch.rand(n_in * kernel, n_out) - 1) * bound)

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, n_in, length] to [n, n_out, ceil(length / stride)] for an odd kernel.

        Parameters
        ----------
        x
            [n, n_in, length].
        """
        half = self.kernel // 2
        windows = pad(x, (half, half)).unfold(2, self.kernel, self.stride)  # [n, n_in, places, kernel]
        return (windows.transpose(1, 2).flatten(2) @ self.weight).transpose(1, 2)
