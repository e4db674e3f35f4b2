"""The baseline that looks at no gene: every cell gets the share of sensitive rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from pharmacell.benchmark.base import ComparedModel

if TYPE_CHECKING:
    import torch

    from pharmacell.benchmark.fold import Fold


@dataclass(frozen=True)
class PrevalenceConfig:
    """Nothing to set."""


@dataclass(frozen=True)
class Prevalence(ComparedModel):
    """Give every test cell the share of sensitive rows among those that the model may learn from::

        p = mean(y)

    Its AUROC is 0.5 and its average precision the prevalence of the test cells, whatever the data.
    """

    config: PrevalenceConfig = PrevalenceConfig()

    @override
    def fit_predict(self, folds: Sequence["Fold"], device: "torch.device") -> list[np.ndarray]:
        return [np.full(len(fold.test), fold.supervised_rows()[1].mean(), np.float32) for fold in folds]

    @override
    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        return 4 * (n_train + n_test) * n_genes
