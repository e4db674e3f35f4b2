"""One or more recurrent layers: gated recurrent units, or long short-term memory."""

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn
from typing_extensions import override

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.recurrent import StackedGRU, StackedLSTM
from pharmacell.perturbation.models.body import Body
from pharmacell.perturbation.models.inputs import WIDTH


@dataclass(frozen=True)
class GRUConfig:
    """Width of the state of one layer, and the study's training."""

    units: int = 128
    learning_rate: float = 0.001
    epochs: int = 300
    batch_size: int = 30

    def widths(self) -> list[int]:
        """Return the width of each layer."""
        return [self.units]


@dataclass(frozen=True)
class LSTMConfig(GRUConfig):
    """The same, with the study's width."""

    units: int = 16


@dataclass(frozen=True)
class GRU3Config:
    """Widths of the states and the study's training.

    The study's text says three layers and its table lists two widths, 128 and 64; layers beyond the second get the
    last width again.
    """

    n_layers: int = 3
    units: tuple[int, ...] = (128, 64)
    learning_rate: float = 0.001
    epochs: int = 300
    batch_size: int = 30

    def widths(self) -> list[int]:
        """Return the width of each layer."""
        return [self.units[min(layer, len(self.units) - 1)] for layer in range(self.n_layers)]


class RecurrentBody(Body):
    """The last state of the last layer; each layer reads the states of the one before.

    Parameters
    ----------
    config
        Widths.
    n_tokens
        Length of the sequence.
    random
        Draws initial weights.
    """

    layer: ClassVar[type[StackedGRU] | type[StackedLSTM]]

    def __init__(self, config: Any, n_tokens: int, random: ReplicaRandom) -> None:
        super().__init__()
        widths = config.widths()
        self.layers = nn.ModuleList(
            self.layer(n_in, units, random) for n_in, units in zip([WIDTH, *widths[:-1]], widths, strict=True)
        )
        self.width = widths[-1]

    def states(self, x: Tensor, keep: Tensor | None) -> Tensor:
        """Map a sequence [n_replicas, n, n_tokens, 16] to the last layer's states, [n_replicas, n, n_tokens, units].

        Parameters
        ----------
        x
            Sequence, [n_replicas, n, n_tokens, 16].
        keep
            Which tokens are no padding, bool [n_replicas, n, n_tokens]; None: all.
        """
        for layer in self.layers:
            x = layer(x, keep)
        return x

    @override
    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        return self.states(x, keep)[:, :, -1]


class GRUBody(RecurrentBody):
    """Layers of gated recurrent units."""

    layer = StackedGRU


class LSTMBody(RecurrentBody):
    """Layers of long short-term memory."""

    layer = StackedLSTM
