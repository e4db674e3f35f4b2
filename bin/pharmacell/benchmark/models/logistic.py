"""Logistic regression as a compared model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from pharmacell.benchmark.base import BULK_LINES, ComparedModel

if TYPE_CHECKING:
    import torch

    from pharmacell.benchmark.fold import Fold


@dataclass(frozen=True)
class LogisticConfig:
    """Penalty.

    Attributes
    ----------
    c
        Inverse penalty on the squared weights, for standardised genes.
    """

    c: float = 1e-3


@dataclass(frozen=True)
class LogisticModel(ComparedModel):
    """Logistic regression with a ridge penalty, both classes weighted equally (Cox 1958; le Cessie, Houwelingen 1992)::

        min over w, b of  |w|^2 / 2 + C * sum over rows i of  m_i log(1 + exp(-s_i (w . x_i + b)))

    with ``s_i = +-1`` for the class of row i and ``m_i`` inversely proportional to the size of that class. It learns
    from the labelled cells where the protocol gives enough of them, else from bulk lines.
    """

    config: LogisticConfig = LogisticConfig()

    @override
    def fit_predict(self, folds: Sequence["Fold"], device: "torch.device") -> list[np.ndarray]:
        from sklearn.linear_model import LogisticRegression

        found = []
        for fold in folds:
            x, labels = fold.supervised_rows()
            fitted = LogisticRegression(C=self.config.c, class_weight="balanced", max_iter=1000).fit(x, labels)
            found.append(fitted.predict_proba(fold.test)[:, 1].astype(np.float32))
        return found

    @override
    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        return 2 * 4 * (max(n_train, BULK_LINES) + n_test) * n_genes
