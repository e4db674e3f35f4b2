"""From a linear score that was fitted on bulk lines to probabilities of test cells."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.benchmark.base import BULK_LINES
from pharmacell.linear.calibration import balanced_platt

if TYPE_CHECKING:
    from pharmacell.benchmark.fold import Fold

PARTS = 5  # of the lines; each is scored by a fit on the others, and the link is fitted to these scores


def bulk_probability(fold: "Fold", weights: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """Fit on all lines of a fold and score its test cells.

    The link from score to probability is fitted to scores of lines that a fit did not see (Platt 1999)::

        p(x) = 1 / (1 + exp(-(slope * w . x + intercept)))

    Parameters
    ----------
    fold
        Bulk lines, their response and test cells.
    weights
        Maps lines [n, n_genes] and responses [n] to gene weights [n_genes].

    Returns
    -------
    numpy.ndarray
        float32 [n_test].
    """
    from scipy.special import expit
    from sklearn.model_selection import StratifiedKFold

    scores = np.empty(len(fold.bulk))
    smallest = int(np.bincount(fold.bulk_labels, minlength=2).min())
    splitter = StratifiedKFold(min(PARTS, smallest), shuffle=True, random_state=fold.seed % 2**31)
    for learn, held in splitter.split(fold.bulk, fold.bulk_labels):
        scores[held] = fold.bulk[held] @ weights(fold.bulk[learn], fold.bulk_response[learn])
    slope, intercept = balanced_platt(scores, fold.bulk_labels)
    final = weights(fold.bulk, fold.bulk_response)
    return expit(slope * (fold.test @ final) + intercept).astype(np.float32)


def bulk_bytes(n_genes: int, n_test: int) -> int:
    """Return the memory in bytes of one such fit: lines and their centred copy, the test cells, and the eigenbasis.

    Parameters
    ----------
    n_genes, n_test
        Genes, and test cells of a fold.
    """
    return 4 * (2 * BULK_LINES + n_test) * n_genes + 2 * 8 * BULK_LINES**2
