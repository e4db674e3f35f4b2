"""AUROC over pairs of one group: tells lines apart within a tissue, not tissues from each other."""

import numpy as np

from pharmacell.evaluate.metrics import auroc


def auroc_within(truth: np.ndarray, score: np.ndarray, groups: np.ndarray) -> float:
    """Return the AUROC within groups: the share of (sensitive, resistant) pairs of one group in the right order.

    A tie counts one half. Groups with one class have no pair; when no group has both, the groups are ignored.

    Parameters
    ----------
    truth, score
        1 or 0, and any score, [n].
    groups
        Group of each row, [n].
    """
    if np.isnan(score).any():
        return float("nan")
    positive, negative = np.flatnonzero(truth == 1), np.flatnonzero(truth != 1)
    pairs = groups[positive][:, None] == groups[negative]  # [n_positive, n_negative]
    if not pairs.any():
        return auroc(truth, score)
    apart = score[positive][:, None] - score[negative]
    return float(
        (np.count_nonzero(pairs & (apart > 0)) + np.count_nonzero(pairs & (apart == 0)) / 2) / np.count_nonzero(pairs)
    )
