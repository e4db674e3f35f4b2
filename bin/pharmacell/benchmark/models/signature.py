"""The gene-correlation signature as a compared model: the baseline that is hard to beat on real cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from pharmacell.benchmark.base import ComparedModel
from pharmacell.benchmark.bulk_scores import bulk_bytes, bulk_probability
from pharmacell.linear.fits import LinearFits

if TYPE_CHECKING:
    import torch

    from pharmacell.benchmark.fold import Fold


@dataclass(frozen=True)
class SignatureConfig:
    """Nothing to set."""


@dataclass(frozen=True)
class SignatureModel(ComparedModel):
    """Weight each gene by its correlation with the lines' response (:class:`pharmacell.linear.fits.LinearFits`).

    It learns from bulk lines alone, under every protocol: what it reaches is what needs no cell label.
    """

    config: SignatureConfig = SignatureConfig()

    @override
    def fit_predict(self, folds: Sequence["Fold"], device: "torch.device") -> list[np.ndarray]:
        return [bulk_probability(fold, self.weights) for fold in folds]

    def weights(self, x: np.ndarray, response: np.ndarray) -> np.ndarray:
        """Return the weights [n_genes] for lines [n, n_genes] and responses [n].

        Parameters
        ----------
        x
            Lines, [n, n_genes].
        response
            Minus the standardised ln IC50, [n].
        """
        return LinearFits(x).signature(response[:, None])[0]

    @override
    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        return bulk_bytes(n_genes, n_test)
