"""SCAD: adversarial domain adaptation from bulk lines to cells."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, relu
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.network_model import Classifier, NetworkModel, perceptron
from pharmacell.training.settings import FitConfig


@dataclass(frozen=True)
class SCADConfig(FitConfig):
    """Shape and training.

    Attributes
    ----------
    encoder
        Widths of the feature extractor.
    predictor
        Hidden widths of the predictor.
    discriminator
        Hidden widths of the domain discriminator.
    adversary
        Weight ``lambda`` of the reversed gradient.
    """

    encoder: tuple[int, ...] = (128, 64)
    predictor: tuple[int, ...] = (32,)
    discriminator: tuple[int, ...] = (32,)
    adversary: float = 0.2


class SCAD(Classifier):
    """One encoder for lines and cells that a discriminator fails to tell apart (Zheng et al. 2023).

    Published as 10.1002/advs.202204113. With encoder G, predictor F and discriminator D, lines ``x_s`` with classes y,
    and cells ``x_t`` without::

        min over G, F   cross-entropy(F(G(x_s)), y) - lambda * L_D
        min over D      L_D = -mean log D(G(x_s)) - mean log(1 - D(G(x_t)))

    Both are one step with a layer that reverses the gradient between G and D (Ganin et al. 2016, Eq. 9-10). No cell
    label is used, whatever the protocol.

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: SCADConfig, n_genes: int) -> None:
        super().__init__()
        self.adversary = config.adversary
        self.encoder = perceptron((n_genes, *config.encoder), config.dropout)
        self.predictor = perceptron((config.encoder[-1], *config.predictor, 2), config.dropout)
        self.discriminator = perceptron((config.encoder[-1], *config.discriminator, 1), config.dropout)

    def features(self, x: Tensor) -> Tensor:
        """Map [n, n_genes] to features [n, width].

        Parameters
        ----------
        x
            Lines or cells, [n, n_genes].
        """
        return relu(self.encoder(x))

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.predictor(self.features(x))

    @override
    def loss(self, x: Tensor, labels: Tensor, weights: Tensor, *target: Tensor) -> Tensor:
        (cells,) = target
        features = self.features(torch.cat([x, cells]))
        is_line = (torch.arange(len(features), device=x.device) < len(x)).to(x.dtype)
        # value of the features, gradient times -lambda
        reversed_features = -self.adversary * features + (1 + self.adversary) * features.detach()
        domain = self.discriminator(reversed_features).squeeze(-1)
        return self.cross_entropy(
            self.predictor(features[: len(x)]), labels, weights
        ) + 2 * binary_cross_entropy_with_logits(domain, is_line)  # the sum of both means


class SCADModel(NetworkModel[SCADConfig]):
    """:class:`SCAD` from the bulk lines to the training cells of each fold."""

    config_class = SCADConfig
    is_transfer = True

    @override
    def network(self, fold: Fold) -> SCAD:
        return SCAD(self.config, len(fold.genes))

    @override
    def rows(self, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        return fold.bulk, fold.bulk_labels

    @override
    def target(self, fold: Fold) -> tuple[np.ndarray]:
        return (fold.train,)
