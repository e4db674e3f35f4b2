"""scDEAL: two denoising autoencoders whose codes are brought together by the maximum mean discrepancy."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import mse_loss, relu
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.network_model import Classifier, NetworkModel, perceptron
from pharmacell.nn.keyed_dropout import KeyedDropout
from pharmacell.nn.vmapped import VmappedStack
from pharmacell.training.clusters import cluster_cells
from pharmacell.training.losses import cluster_regulariser, mmd
from pharmacell.training.settings import FitConfig
from pharmacell.training.stacked_fit import STOP_SHARE, StackedRows, fit_classes

MOST_CLUSTERS = 12  # of the cells


@dataclass(frozen=True)
class ScDEALConfig(FitConfig):
    """Shape and training.

    Attributes
    ----------
    encoder
        Hidden widths of an encoder; its decoder mirrors them.
    code
        Width of the code.
    predictor
        Hidden widths of the predictor.
    autoencoder_epochs
        Most epochs of an autoencoder.
    noise
        Share of genes masked in the input of the autoencoders.
    discrepancy
        Weight of the maximum mean discrepancy.
    clusters
        Weight of the cluster regulariser.
    encoder_init
        ``random``, or ``bulk``: the cells' encoder starts from the lines' encoder.
    """

    encoder: tuple[int, ...] = (128,)
    code: int = 64
    predictor: tuple[int, ...] = (32,)
    autoencoder_epochs: int = 10
    noise: float = 0.2
    discrepancy: float = 1.0
    clusters: float = 0.1
    encoder_init: str = "random"


class ScDEAL(Classifier):
    """Transfer from bulk lines to cells (Chen et al. 2022, 10.1038/s41467-022-34277-7).

    Four steps, with lines ``x_s`` of class y, cells ``x_t``, and noise ``n`` that masks genes::

        1.  min  mean |decoder_s(encoder_s(n(x_s))) - x_s|^2
        2.  min  cross-entropy(predictor(encoder_s(x_s)), y)
        3.  min  mean |decoder_t(encoder_t(n(x_t))) - x_t|^2
        4.  min  cross-entropy + discrepancy * MMD^2(encoder_s(x_s), encoder_t(x_t)) + clusters * R(encoder_t(x_t))

    where R draws cells of one cluster together (:func:`pharmacell.training.losses.cluster_regulariser`). Cells pass
    through ``encoder_t``. With ``encoder_init`` random the encoders start apart, and matched distributions leave it
    open which end of the code is sensitive, so that an AUROC far below 0.5 is as likely as one above. No cell label is
    used, whatever the protocol. ``docs/compared_models.md`` says where the public code differs from these equations.

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: ScDEALConfig, n_genes: int) -> None:
        super().__init__()
        self.config = config
        widths = (n_genes, *config.encoder, config.code)
        self.source_encoder, self.target_encoder = (perceptron(widths, config.dropout) for _ in range(2))
        self.source_decoder, self.target_decoder = (perceptron(widths[::-1], 0.0) for _ in range(2))
        self.predictor = perceptron((config.code, *config.predictor, 2), config.dropout)
        self.noise = KeyedDropout(config.noise)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.predictor(relu(self.target_encoder(x)))

    def source_reconstruction(self, x: Tensor, *_others: Tensor) -> Tensor:
        """Return the loss of step 1.

        Parameters
        ----------
        x
            Lines, [n, n_genes].
        *_others
            Not used.
        """
        return mse_loss(self.source_decoder(relu(self.source_encoder(self.noise(x)))), x)

    def source_classes(self, x: Tensor, labels: Tensor, weights: Tensor, *_others: Tensor) -> Tensor:
        """Return the loss of step 2.

        Parameters
        ----------
        x, labels, weights
            Lines [n, n_genes], their classes [n] and weights [n].
        *_others
            Not used.
        """
        return self.cross_entropy(self.predictor(relu(self.source_encoder(x))), labels, weights)

    def target_reconstruction(self, cells: Tensor, *_others: Tensor) -> Tensor:
        """Return the loss of step 3.

        Parameters
        ----------
        cells
            Training cells, [n, n_genes].
        *_others
            Not used.
        """
        return mse_loss(self.target_decoder(relu(self.target_encoder(self.noise(cells)))), cells)

    @override
    def loss(self, x: Tensor, labels: Tensor, weights: Tensor, *target: Tensor) -> Tensor:
        cells, clusters = target
        of_lines, of_cells = relu(self.source_encoder(x)), relu(self.target_encoder(cells))
        discrepancy = mmd(of_lines[None], of_cells[None])[0]
        spread = cluster_regulariser(of_cells[None], clusters[None], MOST_CLUSTERS)[0]
        return (
            self.cross_entropy(self.predictor(of_lines), labels, weights)
            + self.config.discrepancy * discrepancy
            + self.config.clusters * spread
        )


class ScDEALModel(NetworkModel[ScDEALConfig]):
    """:class:`ScDEAL` from the bulk lines to the training cells of each fold."""

    config_class = ScDEALConfig
    is_transfer = True

    @override
    def network(self, fold: Fold) -> ScDEAL:
        return ScDEAL(self.config, len(fold.genes))

    @override
    def rows(self, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        return fold.bulk, fold.bulk_labels

    @override
    def target(self, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        clusters = cluster_cells(fold.train, "louvain", fold.seed % 2**32)
        return fold.train, np.minimum(clusters, MOST_CLUSTERS - 1)  # small clusters come last and share the last number

    @override
    def train(self, stack: VmappedStack, data: StackedRows) -> None:
        cells = data.target[0]
        n_held = max(1, round(STOP_SHARE * cells.shape[1]))
        order = stack.random.permutations(cells.shape[1])
        only_cells = StackedRows(cells, torch.zeros_like(order), order[:, n_held:], order[:, :n_held])
        shorter = replace(self.config, epochs=self.config.autoencoder_epochs)

        def step(name: str, rows: StackedRows, config: ScDEALConfig, *trained: str) -> None:
            fit_classes(stack, rows, config, name, name, name, trained)

        step("source_reconstruction", data, shorter, "source_")
        step("source_classes", data, self.config, "source_encoder", "predictor")
        if self.config.encoder_init == "bulk":
            stack.copy("source_encoder", "target_encoder")
        step("target_reconstruction", only_cells, shorter, "target_")
        fit_classes(
            stack, data, self.config, "transfer", "loss", "loss", ("source_encoder", "target_encoder", "predictor")
        )
