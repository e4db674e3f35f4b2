"""Gradient-boosted trees."""

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
class GradientBoostingConfig:
    """Trees and how they are grown.

    Attributes
    ----------
    trees
        Most trees.
    leaves
        Leaves of a tree.
    shrinkage
        Of each tree's contribution.
    gene_share, row_share
        Share of genes and of rows that a tree sees.
    bins
        Cuts of a gene that are tried.
    patience
        Trees without improvement on the rows held out for stopping, after which growing stops.
    """

    trees: int = 150
    leaves: int = 7
    shrinkage: float = 0.1
    gene_share: float = 0.1
    row_share: float = 0.8
    bins: int = 31
    patience: int = 15


@dataclass(frozen=True)
class GradientBoostingModel(ComparedModel):
    """Boosted trees by LightGBM (Friedman 2001, 10.1214/aos/1013203451; Ke et al. 2017, NeurIPS)::

        F_m(x) = F_(m-1)(x) + shrinkage * T_m(x),    p = 1 / (1 + exp(-F_M(x)))

    where tree ``T_m`` follows the gradient of the log loss with both classes weighted equally. It learns from the
    labelled cells where the protocol gives enough of them, else from bulk lines.
    """

    config: GradientBoostingConfig = GradientBoostingConfig()

    @override
    def fit_predict(self, folds: Sequence["Fold"], device: "torch.device") -> list[np.ndarray]:
        return [self.fit_fold(fold) for fold in folds]

    def fit_fold(self, fold: "Fold") -> np.ndarray:
        """Grow trees for one fold and return the probabilities of its test cells.

        Parameters
        ----------
        fold
            What the fit may see.
        """
        import torch
        from lightgbm import LGBMClassifier, early_stopping

        from pharmacell.training.stacked_fit import stop_rows

        x, labels = fold.supervised_rows()
        learn, held = stop_rows(labels, fold.seed)
        model = LGBMClassifier(
            n_estimators=self.config.trees,
            num_leaves=self.config.leaves,
            learning_rate=self.config.shrinkage,
            colsample_bytree=self.config.gene_share,
            subsample=self.config.row_share,
            subsample_freq=1,
            class_weight="balanced",
            random_state=fold.seed % 2**31,
            n_jobs=torch.get_num_threads(),
            max_bin=self.config.bins,
            deterministic=True,
            force_col_wise=True,
            verbose=-1,
        )
        model.fit(
            x[learn],
            labels[learn],
            eval_X=x[held],
            eval_y=labels[held],
            eval_metric="binary_logloss",
            callbacks=[early_stopping(self.config.patience, verbose=False)],
        )
        return np.asarray(model.booster_.predict(fold.test), np.float32)

    @override
    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        return 3 * 4 * (max(n_train, BULK_LINES) + n_test) * n_genes
