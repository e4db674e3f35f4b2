"""ResNet-18 in one dimension."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import relu
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.network_model import Classifier, NetworkModel
from pharmacell.nn.convolution import MatrixConv1d
from pharmacell.nn.keyed_dropout import KeyedDropout
from pharmacell.training.settings import FitConfig

KERNEL = 15  # of the first convolution, at least


@dataclass(frozen=True)
class ResNet18Config(FitConfig):
    """Shape and training.

    Attributes
    ----------
    channels
        Channels of the four stages; (64, 128, 256, 512) is the size for images.
    stride
        Of the first convolution; 2 is the one for images. Its kernel is 15, or what it takes for every gene to be read.
    """

    patience: int = 10
    batch_size: int = 64
    learning_rate: float = 3e-3
    channels: tuple[int, int, int, int] = (8, 16, 32, 64)
    stride: int = 32


class BasicBlock(nn.Module):
    """Two convolutions of width 3 beside a shortcut (He et al. 2016, Eq. 1 and 2).

    Parameters
    ----------
    n_in, n_out
        Channels.
    stride
        Of the first convolution.
    """

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.first = MatrixConv1d(n_in, n_out, 3, stride)
        self.second = MatrixConv1d(n_out, n_out, 3)
        self.norms = nn.ModuleList(nn.GroupNorm(max(n_out // 8, 1), n_out) for _ in range(2))
        same = n_in == n_out and stride == 1
        self.shortcut = nn.Identity() if same else MatrixConv1d(n_in, n_out, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, n_in, length] to [n, n_out, length / stride].

        Parameters
        ----------
        x
            [n, n_in, length].
        """
        h = relu(self.norms[0](self.first(x)))
        return relu(self.norms[1](self.second(h)) + self.shortcut(x))


class ResNet18(Classifier):
    """ResNet-18 along the genes (He et al. 2016, 10.1109/CVPR.2016.90): 17 convolutions and one affine map.

    A block adds a correction to what it is given, with the projection ``W_s`` only where the shape changes::

        y = max(0, F(x, {W_i}) + W_s x)

    Four stages of two blocks follow a strided convolution and a maximum over two neighbours; channels are an eighth of
    those for images. GroupNorm stands in for BatchNorm, because running statistics would mix the folds of a stack.

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: ResNet18Config, n_genes: int) -> None:
        super().__init__()
        first, *_ = config.channels
        self.stem = nn.Sequential(
            MatrixConv1d(1, first, max(KERNEL, 2 * config.stride - 1), config.stride),
            nn.GroupNorm(max(first // 8, 1), first),
            nn.ReLU(),
            nn.MaxPool1d(2, ceil_mode=True),
        )
        blocks: list[nn.Module] = []
        n_in = first
        for stage, n_out in enumerate(config.channels):
            blocks += [BasicBlock(n_in, n_out, 1 if stage == 0 else 2), BasicBlock(n_out, n_out, 1)]
            n_in = n_out
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool1d(1), nn.Flatten(), KeyedDropout(config.dropout), nn.Linear(n_in, 2)
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.blocks(self.stem(x.unsqueeze(1))))


class ResNet18Model(NetworkModel[ResNet18Config]):
    """:class:`ResNet18` on the supervised rows of each fold."""

    config_class = ResNet18Config

    @override
    def network(self, fold: Fold) -> ResNet18:
        return ResNet18(self.config, len(fold.genes))
