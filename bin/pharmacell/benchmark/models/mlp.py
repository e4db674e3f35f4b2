"""A multilayer perceptron."""

from dataclasses import dataclass

from torch import Tensor
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.network_model import Classifier, NetworkModel, perceptron
from pharmacell.training.settings import FitConfig


@dataclass(frozen=True)
class MLPConfig(FitConfig):
    """Shape and training.

    Attributes
    ----------
    hidden
        Widths of the hidden layers.
    """

    hidden: tuple[int, ...] = (128, 64)


class MLP(Classifier):
    """Affine maps with ReLU and dropout between them (Rumelhart, Hinton and Williams 1986, 10.1038/323533a0)::

    h_0 = x,    h_l = dropout(max(0, W_l h_(l-1) + b_l)),    logits = W h_L + b

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: MLPConfig, n_genes: int) -> None:
        super().__init__()
        self.layers = perceptron((n_genes, *config.hidden, 2), config.dropout)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class MLPModel(NetworkModel[MLPConfig]):
    """:class:`MLP` on the supervised rows of each fold."""

    config_class = MLPConfig

    @override
    def network(self, fold: Fold) -> MLP:
        return MLP(self.config, len(fold.genes))
