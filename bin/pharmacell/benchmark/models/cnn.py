"""One-dimensional convolutional network over the genes."""

from dataclasses import dataclass

from torch import Tensor, nn
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.network_model import Classifier, NetworkModel
from pharmacell.nn.convolution import MatrixConv1d
from pharmacell.nn.keyed_dropout import KeyedDropout
from pharmacell.training.settings import FitConfig


@dataclass(frozen=True)
class CNNConfig(FitConfig):
    """Shape and training.

    Attributes
    ----------
    channels
        Channels of each convolution.
    kernel, stride
        Of the first convolution; the later ones have kernel 5 and stride 4.
    places
        Places along the genes that the last convolution is averaged to.
    hidden
        Width of the layer before the output.
    """

    channels: tuple[int, ...] = (8, 16, 32)
    kernel: int = 15
    stride: int = 8
    places: int = 12
    hidden: int = 64


class CNN(Classifier):
    """Convolutions with ReLU along the genes, then a perceptron (LeCun et al. 1998, 10.1109/5.726791)::

        h_l = max(0, norm(W_l * h_(l-1))),    logits = perceptron(average of h_L over each of the places)

    Genes stand in the order of the bulk file, which has no meaning of its own: what such a network can gain over a
    perceptron is regularisation by shared weights, nothing more. GroupNorm stands in for BatchNorm, because running
    statistics would mix the folds of a stack. Strides replace pooling, to keep it small.

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: CNNConfig, n_genes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        n_in = 1
        for place, n_out in enumerate(config.channels):
            kernel, stride = (config.kernel, config.stride) if place == 0 else (5, 4)
            layers += [MatrixConv1d(n_in, n_out, kernel, stride), nn.GroupNorm(n_out // 4 or 1, n_out), nn.ReLU()]
            n_in = n_out
        self.convolutions = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool1d(config.places)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            KeyedDropout(config.dropout),
            nn.Linear(n_in * config.places, config.hidden),
            nn.ReLU(),
            KeyedDropout(config.dropout),
            nn.Linear(config.hidden, 2),
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.convolutions(x.unsqueeze(1))))


class CNNModel(NetworkModel[CNNConfig]):
    """:class:`CNN` on the supervised rows of each fold."""

    config_class = CNNConfig

    @override
    def network(self, fold: Fold) -> CNN:
        return CNN(self.config, len(fold.genes))
