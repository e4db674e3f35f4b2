"""What the compared networks share: a classifier's loss, and the fit of many folds as one stack."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from pharmacell.benchmark.fold import Fold
from pharmacell.models.registry import BULK_LINES
from pharmacell.nn.keyed_dropout import KeyedDropout
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.vmapped import VmappedStack
from pharmacell.train.stacked_fit import FitConfig, StackedRows, fit_classes, predict, stacked_rows


class Classifier(nn.Module):
    """Base of the compared networks: ``forward`` maps [n, n_genes] to logits [n, 2] (resistant, sensitive)."""

    def loss(self, x: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted mean cross-entropy::

            L = mean over rows i of  m_i * -log softmax(f(x_i))[y_i]
        """
        return (weights * cross_entropy(self(x), labels, reduction="none")).mean()

    def stop_value(self, x: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        """Return what decides when to stop: the cross-entropy alone."""
        return Classifier.loss(self, x, labels, weights)


def perceptron(widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Return affine maps with ReLU and dropout between them; the last one is affine only."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths[:-1]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU(), KeyedDropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


class NetworkModel:
    """Fits a network to the supervised rows of each fold; all folds with equally many rows train as one stack.

    Parameters
    ----------
    config
        Training and widths; the class's own configuration by default.
    """

    config_class: ClassVar[type[FitConfig]]

    def __init__(self, config: FitConfig | None = None) -> None:
        self.config = config or self.config_class()

    def network(self, fold: Fold) -> Classifier:
        """Return an untrained network for the genes of a fold."""
        raise NotImplementedError

    def rows(self, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows and labels that the network learns from."""
        return fold.supervised_rows()

    def target(self, fold: Fold) -> np.ndarray | None:
        """Return the unlabelled cells that the network may look at; None for a model without transfer."""
        return None

    def train(self, stack: VmappedStack, data: StackedRows) -> None:
        """Train a stack."""
        fit_classes(stack, data, self.config, "classes")

    def fit_predict(self, folds: Sequence[Fold], device: torch.device) -> list[np.ndarray]:
        """See :class:`pharmacell.models.registry.ComparedModel`."""
        groups: dict[Hashable, list[int]] = defaultdict(list)
        for place, fold in enumerate(folds):
            groups[self.shape(fold)].append(place)
        found: list[np.ndarray] = [np.empty(0)] * len(folds)
        for places in groups.values():
            for place, probability in zip(places, self.fit_group([folds[p] for p in places], device), strict=True):
                found[place] = probability
        return found

    def shape(self, fold: Fold) -> Hashable:
        """Return what folds must have in common to train as one stack."""
        unlabelled = self.target(fold)
        return len(self.rows(fold)[0]), None if unlabelled is None else len(unlabelled)

    def fit_group(self, folds: Sequence[Fold], device: torch.device) -> list[np.ndarray]:
        """Fit and predict folds that have equally many rows."""
        seeds = [fold.seed for fold in folds]
        random = ReplicaRandom(seeds, device)
        stack = VmappedStack(lambda place: self.network(folds[place]), random)
        targets = [self.target(fold) for fold in folds]
        data = stacked_rows([self.rows(fold) for fold in folds], seeds, device,
                            None if targets[0] is None else targets)
        self.train(stack, data)
        return predict(stack, [fold.test for fold in folds], device)

    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        """See :class:`pharmacell.models.registry.ComparedModel`.

        Counted are the rows and one copy of them, and for each parameter its value, gradient, two moments of AdamW
        and the best value so far.
        """
        rows = 2 * (max(n_train, BULK_LINES) + n_test) * n_genes
        return 4 * (rows + 5 * self.n_parameters(n_genes) + self.activations(n_genes))

    def n_parameters(self, n_genes: int) -> int:
        """Return the number of the network's parameters."""
        genes = np.empty((0, n_genes), np.float32)
        blank = Fold((0, 0), [f"gene{i}" for i in range(n_genes)], genes, np.empty(0, np.int64), np.empty(0),
                     np.empty(0, str), genes, np.empty(0, np.int64), genes, None, 0)
        with torch.device("meta"):
            return sum(value.numel() for value in self.network(blank).parameters())

    def activations(self, n_genes: int) -> int:
        """Return the numbers that one training step keeps for the backward pass, beside the rows."""
        return 4 * self.config.batch_size * n_genes
