"""The network without transfer: learnt on bulk lines, applied to cells as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.fold_stack import stacked_network_bytes
from pharmacell.benchmark.network_model import NetworkModel
from pharmacell.response.network import ATSDP
from pharmacell.response.settings import ATSDPConfig
from pharmacell.training.loop import History, Stage, run_stage
from pharmacell.training.losses import reconstruction
from pharmacell.training.noise import corrupt
from pharmacell.training.settings import FitConfig
from pharmacell.training.stacked_fit import ROWS_AT_ONCE, stacked_rows


@dataclass(frozen=True)
class SourceOnlyConfig(FitConfig):
    """Shape and training; the shape is that of ATSDP-NET.

    Attributes
    ----------
    bottleneck, encoder, predictor, network_heads
        See :class:`pharmacell.response.settings.ATSDPConfig`; the sweep over heads leaves ``network_heads`` alone.
    noise_rate
        Share of genes masked in the input, of autoencoder and classifier.
    autoencoder_epochs
        Most epochs of the autoencoder.
    """

    dropout: float = 0.5
    bottleneck: int = 512
    encoder: tuple[int, ...] = (256, 128)
    predictor: tuple[int, ...] = (128, 64)
    network_heads: int = 8
    noise_rate: float = 0.5
    autoencoder_epochs: int = 10

    def shape(self) -> ATSDPConfig:
        """Return the shape of the network."""
        return ATSDPConfig(self.bottleneck, self.encoder, self.predictor, self.dropout, self.network_heads)


def weighted_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean cross-entropy [n_folds] of logits [n_folds, n, 2] and labels, weights [n_folds, n].

    Parameters
    ----------
    logits
        [n_folds, n, 2].
    labels, weights
        Classes and weights of the rows, [n_folds, n].
    """
    losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view_as(labels)
    return (weights * losses).mean(1)


class SourceOnlyModel(NetworkModel[SourceOnlyConfig]):
    """Encoder, attention and predictor of ATSDP-NET (10.3389/fmed.2025.1631898) after pretraining on bulk lines alone.

    Its denoising autoencoder and its classifier minimise, with masked copies ``n(x)`` of the lines::

        mean |decoder(encoder(n(x))) - x|^2,    then    cross-entropy(predictor(encoder(n(x))), y)

    Cells pass through the same encoder: Eq. 16 without its second and third term, and without a target encoder. What
    ATSDP-NET gains over it is what transfer gains.
    """

    config_class = SourceOnlyConfig

    @override
    def rows(self, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        return fold.bulk, fold.bulk_labels

    @override
    def learns_from_cells(self, fold: Fold) -> bool:
        return False

    @override
    def fit_stack(self, folds: Sequence[Fold], fits: Sequence[Sequence[int]], device: torch.device) -> list[np.ndarray]:
        first = [folds[places[0]] for places in fits]
        seeds = [self.seed(fold) for fold in first]
        model = ATSDP(self.config.shape(), len(first[0].genes), seeds, device)
        data = stacked_rows([self.rows(fold) for fold in first], seeds, device)
        held, held_labels, held_weights = data.batch(data.held)
        training, random = self.config.training(), model.random

        def denoise(rows: Tensor) -> dict[str, Tensor]:
            x = data.batch(rows)[0]
            return {"total": reconstruction(model.source(corrupt(x, "dropout", self.config.noise_rate, random)), x)}

        def classify(rows: Tensor) -> dict[str, Tensor]:
            x, labels, weights = data.batch(rows)
            logits = model.logits(corrupt(x, "dropout", self.config.noise_rate, random), "source")
            return {"total": weighted_cross_entropy(logits, labels, weights)}

        def batches() -> list[Tensor]:
            return data.epoch(random, self.config.batch_size)

        run_stage(
            Stage(
                "autoencoder",
                model.source,
                random,
                batches,
                denoise,
                lambda: {"total": reconstruction(model.source(held), held)},
            ),
            replace(training, epochs=self.config.autoencoder_epochs),
            History(),
        )
        run_stage(
            Stage(
                "classes",
                nn.ModuleList([model.source.encoder, model.predictor]),
                random,
                batches,
                classify,
                lambda: {"total": weighted_cross_entropy(model.logits(held, "source"), held_labels, held_weights)},
            ),
            training,
            History(),
        )
        return [
            self.probabilities(model, place, np.concatenate([folds[p].test for p in places]), device)
            for place, places in enumerate(fits)
        ]

    @torch.no_grad()
    def probabilities(self, model: ATSDP, place: int, x: np.ndarray, device: torch.device) -> np.ndarray:
        """Return one replica's probabilities of cells [n, n_genes].

        Parameters
        ----------
        model
            A trained stack.
        place
            Of the replica in the stack.
        x
            Cells, [n, n_genes].
        device
            Where the stack lives.
        """
        blocks = torch.as_tensor(x, device=device).split(ROWS_AT_ONCE)
        return torch.cat([model.probability(block, "source")[place] for block in blocks]).cpu().numpy()

    @override
    def network_bytes(self, fold: Fold) -> int:
        return stacked_network_bytes(self.config.shape(), len(fold.genes), self.config.batch_size)
