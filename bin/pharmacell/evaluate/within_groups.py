"""AUROC over pairs of one group: tells lines apart within a tissue, not tissues from each other."""

import numpy as np

from pharmacell.evaluate.metrics import auroc


def auroc_within(truth: np.ndarray, score: np.ndarray, groups: np.ndarray) -> float:
    """Return the AUROC within groups, each group weighted by its number of (sensitive, resistant) pairs.

    Groups with one class count for nothing; when no group has both, the groups are ignored.

    Parameters
    ----------
    truth, score
        1 or 0, and any score, [n].
    groups
        Group of each row, [n].
    """
    total = weights = 0.0
    for group in np.unique(groups):
        rows = groups == group
        positives = int(truth[rows].sum())
        pairs = positives * (int(rows.sum()) - positives)
        if pairs:
            total += pairs * auroc(truth[rows], score[rows])
            weights += pairs
    return total / weights if weights else auroc(truth, score)
