"""Convolutions over the tokens."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu
from typing_extensions import override

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear
from pharmacell.perturbation.models.body import Body
from pharmacell.perturbation.models.inputs import WIDTH

KERNEL = 3


@dataclass(frozen=True)
class CNNConfig:
    """Channels and layers; not of the study: the competition's first place had such a network beside recurrent ones."""

    units: int = 64
    convolutions: int = 2
    learning_rate: float = 0.001
    epochs: int = 300
    batch_size: int = 30


class CNNBody(Body):
    """Convolutions of three tokens each, with ReLU, and the greatest value of each channel over the tokens.

    Parameters
    ----------
    config
        Widths.
    n_tokens
        Length of the sequence.
    random
        Draws initial weights.
    """

    def __init__(self, config: CNNConfig, n_tokens: int, random: ReplicaRandom) -> None:
        super().__init__()
        self.width = config.units
        self.layers = nn.ModuleList(
            StackedLinear(KERNEL * (config.units if layer else WIDTH), config.units, random)
            for layer in range(config.convolutions)
        )

    @override
    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        for layer in self.layers:
            windows = pad(x, (0, 0, KERNEL // 2, KERNEL // 2)).unfold(2, KERNEL, 1).flatten(3)  # [R, n, T, 3 * width]
            x = relu(layer(windows.flatten(1, 2))).unflatten(1, x.shape[1:3])
            if keep is not None:
                x = x * keep.unsqueeze(-1)
        return torch.amax(x, 2)
