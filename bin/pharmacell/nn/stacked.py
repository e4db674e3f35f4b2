"""Layers that hold several independent replicas of themselves and train them in one batched product."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from pharmacell.nn.keyed_dropout import drop
from pharmacell.nn.random import ReplicaRandom


class StackedLinear(nn.Module):
    """One affine map for each replica, computed as one batched matrix product.

    Parameters
    ----------
    n_in, n_out
        Width of the input and of the output.
    random
        Draws the initial weights: uniform within ``+-1/sqrt(n_in)``, as ``torch.nn.Linear`` does.
    """

    def __init__(self, n_in: int, n_out: int, random: ReplicaRandom) -> None:
        super().__init__()
        self.rounded = False  # see nn/precision.py
        bound = 1 / math.sqrt(n_in)
        self.weight = nn.Parameter(torch.empty(len(random), n_in, n_out, device=random.device))
        self.bias = nn.Parameter(torch.empty(len(random), 1, n_out, device=random.device))
        with torch.no_grad():
            for replica, generator in enumerate(random.generators):
                self.weight[replica].uniform_(-bound, bound, generator=generator)
                self.bias[replica].uniform_(-bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map rows to [n_replicas, n, n_out].

        Parameters
        ----------
        x
            [n_replicas, n, n_in], or [n, n_in] shared by all replicas.
        """
        if x.dim() == 2:
            x = x.expand(len(self.weight), *x.shape)
        if self.rounded:
            return (x.bfloat16() @ self.weight.bfloat16()).float() + self.bias
        return torch.baddbmm(self.bias, x, self.weight)


class StackedDropout(nn.Module):
    """Dropout of a stack; each call draws the replicas' keys from their own streams.

    Parameters
    ----------
    rate
        Share of elements that is dropped in training.
    random
        Draws the keys.
    """

    def __init__(self, rate: float, random: ReplicaRandom) -> None:
        super().__init__()
        self.rate = rate
        self.random = random

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements in training; pass them through otherwise.

        Parameters
        ----------
        x
            [n_replicas, n, ...].
        """
        return drop(x, self.random.keys(), self.rate) if self.training and self.rate else x


class StackedMLP(nn.Sequential):
    """Affine maps with ReLU and dropout between them; the last one is affine only, or has a ReLU.

    Parameters
    ----------
    widths
        Input width, hidden widths, output width.
    dropout
        Rate after each hidden layer.
    random
        Draws initial weights and dropout masks.
    relu_output
        Whether a ReLU follows the last map.
    """

    def __init__(self, widths: Sequence[int], dropout: float, random: ReplicaRandom, relu_output: bool = False) -> None:
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(widths[:-1]):
            layers += [StackedLinear(n_in, n_out, random), nn.ReLU(), StackedDropout(dropout, random)]
        layers.append(StackedLinear(widths[-2], widths[-1], random))
        super().__init__(*layers, *([nn.ReLU()] if relu_output else []))
