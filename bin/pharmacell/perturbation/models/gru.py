"""One layer of gated recurrent units."""

from dataclasses import dataclass

from torch import Tensor, nn

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.recurrent import StackedGRU
from pharmacell.perturbation.models.inputs import WIDTH


@dataclass(frozen=True)
class GRUConfig:
    """Width of the state, and the study's training."""

    units: int = 128
    learning_rate: float = 0.001
    epochs: int = 300
    batch_size: int = 30


class GRUBody(nn.Module):
    """The last state of one GRU.

    Parameters
    ----------
    config
        Widths.
    n_tokens
        Length of the sequence.
    random
        Draws initial weights.
    """

    def __init__(self, config: GRUConfig, n_tokens: int, random: ReplicaRandom) -> None:
        super().__init__()
        self.gru, self.width = StackedGRU(WIDTH, config.units, random), config.units

    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        """Map a sequence [n_replicas, n, n_tokens, 16] to [n_replicas, n, units].

        Parameters
        ----------
        x
            Sequence, [n_replicas, n, n_tokens, 16].
        keep
            Which tokens are no padding, bool [n_replicas, n, n_tokens]; None: all.
        """
        return self.gru(x, keep)[:, :, -1]
