"""A perceptron in the shape of an autoencoder."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import relu
from typing_extensions import override

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedMLP
from pharmacell.perturbation.models.body import Body
from pharmacell.perturbation.models.inputs import WIDTH


@dataclass(frozen=True)
class AutoencoderConfig:
    """Hidden widths with the latent in the middle, the dense layer behind them, and the study's training."""

    units: tuple[int, ...] = (256, 64, 64, 256)
    dense: int = 128
    learning_rate: float = 0.003
    epochs: int = 500
    batch_size: int = 70


class AutoencoderBody(Body):
    """Encoder 256, then 64, the latent; decoder 64, 256; dense 128, with ReLU throughout.

    The study gives no term that reconstructs the input, so the widths are trained by the loss of the genes alone.

    Parameters
    ----------
    config
        Widths.
    n_tokens
        Length of the sequence.
    random
        Draws initial weights.
    """

    def __init__(self, config: AutoencoderConfig, n_tokens: int, random: ReplicaRandom) -> None:
        super().__init__()
        self.layers = StackedMLP((n_tokens * WIDTH, *config.units, config.dense), 0.0, random)
        self.width = config.dense

    @override
    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        return relu(self.layers(x.flatten(2)))
