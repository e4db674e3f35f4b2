"""Sparse autoencoder with a classifier on its code."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import mse_loss
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.network_model import Classifier, NetworkModel, perceptron
from pharmacell.training.settings import FitConfig


@dataclass(frozen=True)
class SAConfig(FitConfig):
    """Shape and training.

    Attributes
    ----------
    encoder
        Hidden widths of the encoder; the decoder mirrors them.
    code
        Width of the code.
    activity
        Mean activity that each unit of the code is drawn to.
    sparsity
        Weight of the sparsity term.
    reconstruction
        Weight of the reconstruction.
    """

    encoder: tuple[int, ...] = (128,)
    code: int = 64
    activity: float = 0.1
    sparsity: float = 0.1
    reconstruction: float = 1.0


class SparseAutoencoder(Classifier):
    """Autoencoder whose code is sparse, with a linear classifier on the code (Ng 2011, CS294A lecture notes).

    With the code ``a(x) = sigmoid(encoder(x))``, its mean ``r_j`` over a batch, and the wanted activity ``r``::

        KL_j = r log(r / r_j) + (1 - r) log((1 - r) / (1 - r_j))
        L = cross-entropy + reconstruction * mean |decoder(a(x)) - x|^2 + sparsity * mean over j of KL_j

    Code and classifier are learnt together, so that the code keeps what the classes need.

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: SAConfig, n_genes: int) -> None:
        super().__init__()
        self.config = config
        widths = (n_genes, *config.encoder, config.code)
        self.encoder = perceptron(widths, config.dropout)
        self.decoder = perceptron(widths[::-1], 0.0)
        self.classifier = perceptron((config.code, 2), 0.0)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.encoder(x).sigmoid())

    @override
    def loss(self, x: Tensor, labels: Tensor, weights: Tensor, *target: Tensor) -> Tensor:
        code = self.encoder(x).sigmoid()
        wanted, found = self.config.activity, code.mean(0).clamp(1e-6, 1 - 1e-6)
        divergence = wanted * torch.log(wanted / found) + (1 - wanted) * torch.log((1 - wanted) / (1 - found))
        return (
            self.cross_entropy(self.classifier(code), labels, weights)
            + self.config.reconstruction * mse_loss(self.decoder(code), x)
            + self.config.sparsity * divergence.mean()
        )


class SAModel(NetworkModel[SAConfig]):
    """:class:`SparseAutoencoder` on the supervised rows of each fold."""

    config_class = SAConfig

    @override
    def network(self, fold: Fold) -> SparseAutoencoder:
        return SparseAutoencoder(self.config, len(fold.genes))
