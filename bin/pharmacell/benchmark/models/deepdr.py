"""DeepDR: an autoencoder learnt on unlabelled profiles, then a predictor on its code."""

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor
from torch.nn.functional import mse_loss, relu
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.network_model import Classifier, NetworkModel, perceptron
from pharmacell.nn.vmapped import VmappedStack
from pharmacell.training.settings import FitConfig
from pharmacell.training.stacked_fit import StackedRows, fit_classes


@dataclass(frozen=True)
class DeepDRConfig(FitConfig):
    """Shape and training.

    Attributes
    ----------
    encoder
        Hidden widths of the encoder; the decoder mirrors them.
    code
        Width of the code.
    predictor
        Hidden widths of the predictor.
    autoencoder_epochs
        Most epochs of an autoencoder.
    """

    encoder: tuple[int, ...] = (128,)
    code: int = 64
    predictor: tuple[int, ...] = (64, 32)
    autoencoder_epochs: int = 10


class DeepDR(Classifier):
    """Pretrained encoder and predictor (Chiu et al. 2019, 10.1186/s12920-018-0460-9).

    Two steps, the second of which also adapts the encoder::

        1.  min  mean |decoder(encoder(x)) - x|^2                   over profiles without labels
        2.  min  cross-entropy(predictor(encoder(x)), y)            over labelled rows

    The published model has a second encoder for mutations, which cells do not have, and tumours as profiles without
    labels; here these are all lines and training cells of the fold.

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: DeepDRConfig, n_genes: int) -> None:
        super().__init__()
        widths = (n_genes, *config.encoder, config.code)
        self.encoder = perceptron(widths, config.dropout)
        self.decoder = perceptron(widths[::-1], 0.0)
        self.predictor = perceptron((config.code, *config.predictor, 2), config.dropout)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.predictor(relu(self.encoder(x)))

    def reconstruction_loss(self, _x: Tensor, _labels: Tensor, _weights: Tensor, unlabelled: Tensor) -> Tensor:
        """Return the loss of step 1 on unlabelled profiles.

        Parameters
        ----------
        _x, _labels, _weights
            Not used.
        unlabelled
            Profiles without labels, [n, n_genes].
        """
        return mse_loss(self.decoder(relu(self.encoder(unlabelled))), unlabelled)

    def reconstruction_value(self, x: Tensor, *_others: Tensor) -> Tensor:
        """Return the loss of step 1 on the rows that decide when to stop.

        Parameters
        ----------
        x
            Rows, [n, n_genes].
        *_others
            Not used.
        """
        return mse_loss(self.decoder(relu(self.encoder(x))), x)


class DeepDRModel(NetworkModel[DeepDRConfig]):
    """:class:`DeepDR` on the lines and training cells of each fold."""

    config_class = DeepDRConfig
    is_transfer = True

    @override
    def network(self, fold: Fold) -> DeepDR:
        return DeepDR(self.config, len(fold.genes))

    @override
    def target(self, fold: Fold) -> tuple[np.ndarray]:
        return (np.concatenate([fold.bulk, fold.train]),)

    @override
    def train(self, stack: VmappedStack, data: StackedRows) -> None:
        shorter = replace(self.config, epochs=self.config.autoencoder_epochs)
        fit_classes(
            stack,
            data,
            shorter,
            "autoencoder",
            "reconstruction_loss",
            "reconstruction_value",
            trained=("encoder", "decoder"),
        )
        fit_classes(stack, data, self.config, "classes", trained=("encoder", "predictor"))
