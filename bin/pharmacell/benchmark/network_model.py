"""What the compared networks share: a classifier's loss, and the fit of many folds as one stack."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from typing_extensions import override

from pharmacell.benchmark.base import BULK_LINES, ComparedModel
from pharmacell.benchmark.fold import Fold
from pharmacell.core.seeds import integer
from pharmacell.nn.keyed_dropout import KeyedDropout
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.vmapped import VmappedStack
from pharmacell.training.memory import training_bytes
from pharmacell.training.settings import FitConfig
from pharmacell.training.stacked_fit import StackedRows, fit_classes, predict, stacked_rows

Config = TypeVar("Config", bound=FitConfig)


class Classifier(nn.Module):
    """Base of the compared networks."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of rows, [n, 2] (resistant, sensitive).

        Parameters
        ----------
        x
            Expression, [n, n_genes].
        """
        raise NotImplementedError

    def loss(self, x: Tensor, labels: Tensor, weights: Tensor, *target: Tensor) -> Tensor:
        """Return what is minimised: the cross-entropy, unless a network says otherwise.

        Parameters
        ----------
        x, labels, weights
            Rows [n, n_genes], their classes [n] and weights [n].
        *target
            What a transfer model knows of unlabelled cells, see :meth:`NetworkModel.target`.
        """
        return self.cross_entropy(self(x), labels, weights)

    def stop_value(self, x: Tensor, labels: Tensor, weights: Tensor, *target: Tensor) -> Tensor:
        """Return what decides when to stop: the cross-entropy.

        Parameters
        ----------
        x, labels, weights, *target
            See :meth:`loss`.
        """
        return self.cross_entropy(self(x), labels, weights)

    @staticmethod
    def cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted mean cross-entropy::

        L = mean over rows i of  m_i * -log softmax(logits_i)[y_i]

        Parameters
        ----------
        logits
            [n, 2].
        labels, weights
            Classes and weights of the rows, [n].
        """
        return (weights * cross_entropy(logits, labels, reduction="none")).mean()


def perceptron(widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Return affine maps with ReLU and dropout between them; the last one is affine only.

    Parameters
    ----------
    widths
        Of input, hidden layers and output.
    dropout
        Rate after each hidden layer.
    """
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths[:-1]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU(), KeyedDropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


class NetworkModel(ComparedModel, Generic[Config]):
    """Fits a network to the supervised rows of each fold; all fits with equally many rows train as one stack.

    Folds of a repeat that learn from the same bulk lines and no cell share one fit.

    Parameters
    ----------
    config
        Training and widths; the class's own configuration by default.
    """

    config_class: type[Config]
    is_transfer: ClassVar[bool] = False  # whether it looks at unlabelled cells

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or self.config_class()

    def network(self, fold: Fold) -> Classifier:
        """Return an untrained network for the genes of a fold.

        Parameters
        ----------
        fold
            With the genes.
        """
        raise NotImplementedError

    def rows(self, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows and labels that the network learns from.

        Parameters
        ----------
        fold
            What the fit may see.
        """
        return fold.supervised_rows()

    def target(self, fold: Fold) -> tuple[np.ndarray, ...]:
        """Return what the network may know of unlabelled cells, [m, ...] each; empty for a model without transfer.

        Parameters
        ----------
        fold
            What the fit may see.
        """
        return ()

    def train(self, stack: VmappedStack, data: StackedRows) -> None:
        """Train a stack.

        Parameters
        ----------
        stack
            Untrained networks, one a fit.
        data
            Their rows.
        """
        fit_classes(stack, data, self.config, "classes")

    @override
    def fit_predict(self, folds: Sequence[Fold], device: torch.device) -> list[np.ndarray]:
        fits: dict[Hashable, list[int]] = defaultdict(list)
        for place, fold in enumerate(folds):
            fits[self.shared_key(fold) or place].append(place)
        stacks: dict[Hashable, list[list[int]]] = defaultdict(list)
        for places in fits.values():
            stacks[self.shape(folds[places[0]])].append(places)
        found: list[np.ndarray] = [np.empty(0)] * len(folds)
        for stacked in stacks.values():
            for places, probabilities in zip(stacked, self.fit_stack(folds, stacked, device), strict=True):
                tests = np.cumsum([len(folds[place].test) for place in places])[:-1]
                for place, probability in zip(places, np.split(probabilities, tests), strict=True):
                    found[place] = probability
        return found

    def shared_key(self, fold: Fold) -> Hashable | None:
        """Return what folds that learn from the very same bulk lines have in common: they share one fit.

        None for a fold that learns from cells of its own.

        Parameters
        ----------
        fold
            What the fit may see.
        """
        if self.learns_from_cells(fold):
            return None
        return fold.key[0], blake2b(fold.bulk.tobytes() + fold.bulk_labels.tobytes()).digest()

    def learns_from_cells(self, fold: Fold) -> bool:
        """Tell whether the fit depends on the training cells of the fold.

        Parameters
        ----------
        fold
            What the fit may see.
        """
        return self.is_transfer or bool((fold.train_labels >= 0).any())

    def seed(self, fold: Fold) -> int:
        """Return the seed of a fit: of the fold, or of its repeat where folds share it.

        Parameters
        ----------
        fold
            What the fit may see.
        """
        return fold.seed if self.shared_key(fold) is None else integer(self.config.user_seed, f"repeat {fold.key[0]}")

    def shape(self, fold: Fold) -> Hashable:
        """Return what fits must have in common to train as one stack.

        Parameters
        ----------
        fold
            What the fit may see.
        """
        return len(self.rows(fold)[0]), self.is_transfer and (len(fold.bulk), len(fold.train))

    def fit_stack(self, folds: Sequence[Fold], fits: Sequence[Sequence[int]], device: torch.device) -> list[np.ndarray]:
        """Fit and predict.

        Parameters
        ----------
        folds
            All folds.
        fits
            The folds of each fit; all fits have equally many rows.
        device
            Where to train.

        Returns
        -------
        list of numpy.ndarray
            For each fit, the probabilities of the test cells of its folds one after another.
        """
        first = [folds[places[0]] for places in fits]
        seeds = [self.seed(fold) for fold in first]
        stack = VmappedStack(lambda place: self.network(first[place]), ReplicaRandom(seeds, device))
        data = stacked_rows([self.rows(fold) for fold in first], seeds, device, [self.target(fold) for fold in first])
        self.train(stack, data)
        return predict(stack, [np.concatenate([folds[place].test for place in places]) for places in fits], device)

    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        """Return the predicted peak: rows, one copy of them, and the training of the network.

        Parameters
        ----------
        n_genes, n_train, n_test
            See :class:`pharmacell.benchmark.base.ComparedModel`.
        """
        unlabelled = n_train + BULK_LINES if self.is_transfer else 0
        rows = max(n_train, BULK_LINES) + unlabelled + n_test
        return 2 * rows * n_genes * np.dtype(np.float32).itemsize + self.network_bytes(blank_fold(n_genes))

    def network_bytes(self, fold: Fold) -> int:
        """Return what the training of one network takes, beside its rows.

        Parameters
        ----------
        fold
            With the genes of a fit, and no line or cell.
        """
        size, n_genes = self.config.batch_size, len(fold.genes)
        with torch.device("meta"):
            network = self.network(fold)
            x, labels, weights = torch.empty(size, n_genes), torch.empty(size, dtype=torch.long), torch.empty(size)
            target = [torch.as_tensor(values).new_empty(size, *values.shape[1:]) for values in self.target(fold)]
            return training_bytes(network, lambda: network.loss(x, labels, weights, *target))


def blank_fold(n_genes: int) -> Fold:
    """Return a fold without lines and cells, which is enough to build a network.

    Parameters
    ----------
    n_genes
        Genes of the fold.
    """
    rows, classes = np.empty((0, n_genes), np.float32), np.empty(0, np.int64)
    return Fold(
        key=(0, 0),
        genes=[f"gene{i}" for i in range(n_genes)],
        bulk=rows,
        bulk_labels=classes,
        bulk_response=np.empty(0),
        bulk_groups=np.empty(0, str),
        train=rows,
        train_labels=classes,
        test=rows,
        smiles=None,
        seed=0,
    )
