"""Ridge regression of the lines' response as a compared model."""

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
class RidgeConfig:
    """Penalty.

    Attributes
    ----------
    alpha
        On the squared weights, for standardised genes. Cells are noisier than lines, which a strong one allows for.
    """

    alpha: float = 1e5


@dataclass(frozen=True)
class RidgeModel(ComparedModel):
    """Regress minus the standardised ln IC50 on the genes of bulk lines (Hoerl and Kennard 1970)::

        w = argmin |X w - r|^2 + alpha |w|^2,    score = w . x

    It learns from bulk lines alone, under every protocol, because a cell has no ln IC50.
    """

    config: RidgeConfig = RidgeConfig()

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
        return LinearFits(x).ridge(response[:, None], self.config.alpha)[0]

    @override
    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        return bulk_bytes(n_genes, n_test)
