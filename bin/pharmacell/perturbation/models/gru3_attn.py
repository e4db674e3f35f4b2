"""Stacked gated recurrent units with attention over their states."""

from dataclasses import dataclass

import torch
from torch import Tensor
from typing_extensions import override

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear
from pharmacell.perturbation.models.recurrent import GRUBody


@dataclass(frozen=True)
class GRU3AttnConfig:
    """Layers, width of their states, and the study's training."""

    n_layers: int = 3
    units: int = 64
    learning_rate: float = 0.001
    epochs: int = 300
    batch_size: int = 20

    def widths(self) -> list[int]:
        """Return the width of each layer."""
        return [self.units] * self.n_layers


class GRU3AttnBody(GRUBody):
    """Global attention of the last state over all states (Luong et al. 2015, Eqs. 5, 7 and 8, dot score).

    With the states h_t of the last layer and its last state h_T::

        a_t = softmax over t of (h_T . h_t / sqrt(units)),   c = sum over t of a_t h_t,   output = tanh(W [c; h_T])

    The division by sqrt(units) is not in the paper; it keeps the softmax soft at the start.

    Parameters
    ----------
    config
        Widths.
    n_tokens
        Length of the sequence.
    random
        Draws initial weights.
    """

    def __init__(self, config: GRU3AttnConfig, n_tokens: int, random: ReplicaRandom) -> None:
        super().__init__(config, n_tokens, random)
        self.output = StackedLinear(2 * config.units, config.units, random)

    @override
    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        x = self.states(x, keep)
        last = x[:, :, -1]
        score = (x @ last.unsqueeze(-1)).squeeze(-1) / self.width**0.5  # [R, n, T]
        if keep is not None:
            score = score.masked_fill(~keep, -torch.inf)
        context = (torch.softmax(score, -1).unsqueeze(-2) @ x).squeeze(-2)  # [R, n, units]
        return torch.tanh(self.output(torch.cat([context, last], -1)))
