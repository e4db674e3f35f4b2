"""Resampling of the training part, so that both classes weigh the same."""

from typing import get_args

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.training.settings import Sampling

KINDS: tuple[str, ...] = get_args(Sampling)


def resample(x: np.ndarray, labels: np.ndarray, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Resample training rows with imbalanced-learn; never call it on rows that are scored.

    Parameters
    ----------
    x
        Training rows, float32 [n, n_genes].
    labels
        Their classes, [n].
    kind
        ``none``, ``over`` (random over-sampling), ``under``, ``smote`` or ``adasyn``.
    seed
        Seed of the sampler.

    Raises
    ------
    InputError
        If a class has too few rows for the sampler.
    """
    if kind == "none":
        return x, labels
    from imblearn.over_sampling import ADASYN, SMOTE, RandomOverSampler
    from imblearn.under_sampling import RandomUnderSampler

    smallest = int(np.bincount(labels, minlength=2).min())
    if kind in ("smote", "adasyn") and smallest < 2:
        raise InputError(
            f"--sampling {kind}: the smaller class has {smallest} training rows, it needs at least 2; "
            "use --sampling over"
        )
    neighbours = min(5, smallest - 1)
    samplers = {
        "over": lambda: RandomOverSampler(random_state=seed),
        "under": lambda: RandomUnderSampler(random_state=seed),
        "smote": lambda: SMOTE(random_state=seed, k_neighbors=neighbours),
        "adasyn": lambda: ADASYN(random_state=seed, n_neighbors=neighbours),
    }
    try:
        x, labels = samplers[kind]().fit_resample(x, labels)
    except ValueError as error:  # adasyn finds no neighbour of the other class
        raise InputError(f"--sampling {kind}: {error}; use --sampling over") from error
    return np.asarray(x, np.float32), np.asarray(labels)


def resampled_positions(
    x: np.ndarray, labels: np.ndarray, kind: str, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which training rows stay, how often, and what rows a sampler makes beside them.

    Parameters
    ----------
    x, labels, kind, seed
        As of :func:`resample`.

    Returns
    -------
    positions
        Of the rows that stay, some of them more than once, int64 [n_positions].
    made, made_labels
        Rows between others, float32 [n_made, n_genes], and their classes, [n_made].
    """
    if kind in ("over", "under"):
        positions, _ = resample(np.arange(len(labels), dtype=np.float64)[:, None], labels, kind, seed)
        return positions[:, 0].astype(np.int64), x[:0], labels[:0]
    longer, classes = resample(x, labels, kind, seed)  # the rows themselves come first
    return np.arange(len(x)), longer[len(x) :], classes[len(x) :]
