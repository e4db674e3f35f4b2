"""A model whose labels are shuffled: what it scores above chance is a leak."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from pharmacell.benchmark.base import ComparedModel
from pharmacell.benchmark.models.mlp import MLPConfig, MLPModel
from pharmacell.core.seeds import generator

if TYPE_CHECKING:
    import torch

    from pharmacell.benchmark.fold import Fold


@dataclass(frozen=True)
class PermutedConfig:
    """Training of the perceptron that is given shuffled labels.

    Attributes
    ----------
    epochs, user_seed
        Handed on to it; None leaves its own epochs.
    """

    epochs: int | None = None
    user_seed: int = 0


@dataclass(frozen=True)
class PermutedModel(ComparedModel):
    """A perceptron after a permutation of the labels (Ojala and Garriga 2010, Test 1)::

        y'_i = y_s(i)

    with one random permutation s of the lines of a fold and one of its labelled cells. Their shares are kept, their
    bond to the genes is not, so that over folds and repeats the scores must be those of ``prevalence``.
    """

    config: PermutedConfig = PermutedConfig()

    @override
    def fit_predict(self, folds: Sequence["Fold"], device: "torch.device") -> list[np.ndarray]:
        return self.base().fit_predict([shuffled(fold) for fold in folds], device)

    @override
    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        return self.base().stack_bytes(n_genes, n_train, n_test)

    def base(self) -> MLPModel:
        """Return the model that is given shuffled labels."""
        config = MLPConfig(user_seed=self.config.user_seed)
        return MLPModel(config if self.config.epochs is None else replace(config, epochs=self.config.epochs))


def shuffled(fold: "Fold") -> "Fold":
    """Return the fold with the labels of its lines, and of its labelled cells, shuffled.

    Parameters
    ----------
    fold
        What the fit may see.
    """
    rng = generator(fold.seed, "permuted labels")
    order = rng.permutation(len(fold.bulk_labels))
    labels, labelled = fold.train_labels.copy(), np.flatnonzero(fold.train_labels >= 0)
    labels[labelled] = labels[rng.permutation(labelled)]
    return replace(
        fold,
        bulk_labels=fold.bulk_labels[order],
        bulk_response=fold.bulk_response[order],
        train_labels=labels,
        lines=None,
        split=None,
    )
