"""AUROC over pairs of one group: tells lines apart within a tissue, not tissues from each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pharmacell.core.seeds import generator
from pharmacell.evaluate.bootstrap import interval
from pharmacell.evaluate.metrics import auroc

RESAMPLES = 500
LEVEL = 0.95


@dataclass(frozen=True)
class Ranking:
    """Rows that one model ranked.

    Attributes
    ----------
    truth, score
        1 or 0, and any score, [n].
    groups
        Group of each row, [n].
    unit
        What the row is a measurement of, such as a line, int64 [n].
    """

    truth: np.ndarray
    score: np.ndarray
    groups: np.ndarray
    unit: np.ndarray


def mean_auroc_within(rankings: Sequence[Ranking], seed: int = 0) -> tuple[float, float, float]:
    """Return the mean AUROC within groups of several rankings with the 95 % bootstrap interval of this same number.

    Whole units are drawn with replacement, the same for all rankings, so that a line that several models scored is
    drawn or left out in all of them.

    Parameters
    ----------
    rankings
        Of the same or of different rows.
    seed
        Seed of the resampling.

    Returns
    -------
    value, low, high
        NaN where undefined.
    """
    value = float(np.mean([auroc_within(one.truth, one.score, one.groups) for one in rankings]))
    n_units = max(int(one.unit.max()) for one in rankings) + 1
    drawn = generator(seed, "bootstrap of units").multinomial(n_units, np.full(n_units, 1 / n_units), RESAMPLES)
    draws = np.stack([weighted_auroc_within(one, drawn[:, one.unit]) for one in rankings])
    return value, *interval([draws.mean(0)], LEVEL)


def weighted_auroc_within(ranking: Ranking, weights: np.ndarray) -> np.ndarray:
    """Return the AUROC within groups of a ranking whose rows count as often as they were drawn, [n_resamples].

    Parameters
    ----------
    ranking
        The rows.
    weights
        How often each was drawn, [n_resamples, n].
    """
    positive, negative = np.flatnonzero(ranking.truth == 1), np.flatnonzero(ranking.truth != 1)
    pairs = ranking.groups[positive][:, None] == ranking.groups[negative]
    if not pairs.any():
        pairs = np.ones_like(pairs)
    apart = ranking.score[positive][:, None] - ranking.score[negative]
    right = pairs * ((apart > 0) + (apart == 0) / 2)
    of_positive, of_negative = weights[:, positive].astype(float), weights[:, negative].astype(float)
    total = ((of_positive @ pairs) * of_negative).sum(1)
    return ((of_positive @ right) * of_negative).sum(1) / np.where(total > 0, total, np.nan)


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


def aurocs_within(truth: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return :func:`auroc_within` of many rankings of the same rows, [n_rankings].

    Ranks take the place of pairs: with the rows ranked group by group, each group's part is a Mann-Whitney U. Equal
    scores are ranked in the order of the rows, not as halves.

    Parameters
    ----------
    truth
        1 or 0 of each row in each ranking, [n_rankings, n].
    scores
        Any scores without NaN, [n_rankings, n].
    groups
        Group of each row, [n].
    """
    number = np.unique(groups, return_inverse=True)[1]
    size = np.bincount(number)
    positive = truth @ (number[:, None] == np.arange(len(size))).astype(np.float32)  # [n_rankings, n_groups]
    pairs = (positive * (size - positive)).sum(1)
    if len(size) > 1 and not pairs.all():
        everyone = aurocs_within(truth, scores, np.zeros(len(groups), int))
        return np.where(pairs > 0, aurocs_within_pairs(truth, scores, number, positive), everyone)
    return aurocs_within_pairs(truth, scores, number, positive)


def aurocs_within_pairs(truth: np.ndarray, scores: np.ndarray, number: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return the AUROC within groups of each ranking, NaN where no group has both classes, [n_rankings].

    Parameters
    ----------
    truth, scores
        As in :func:`aurocs_within`.
    number
        Group of each row, from 0, [n].
    positive
        Rows of class 1 by ranking and group, [n_rankings, n_groups].
    """
    size = np.bincount(number)
    grouped = np.argsort(number, kind="stable")  # rows of a group stand together
    own = scores[:, grouped]
    u = -(positive * (positive + 1) / 2).sum(1)
    for start, stop in zip(np.cumsum(size) - size, np.cumsum(size), strict=True):
        order = np.argsort(own[:, start:stop], axis=1)
        classes = np.take_along_axis(truth[:, grouped[start:stop]], order, 1)
        u = u + classes @ np.arange(1, stop - start + 1)
    pairs = (positive * (size - positive)).sum(1)
    return np.where(pairs > 0, u / np.where(pairs > 0, pairs, 1), np.nan)
