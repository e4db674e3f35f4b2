"""Do key genes separate the classes better than differentially expressed genes do?"""

import numpy as np
import pandas as pd

from pharmacell.evaluate.bootstrap import interval, resamples
from pharmacell.evaluate.metrics import Ranked

RESAMPLES = 1000
FEWEST_GROUPS = 3  # of each class, for whole groups to be drawn


def separation(labels: np.ndarray, scores: dict[str, np.ndarray], groups: np.ndarray | None, seed: int) -> pd.DataFrame:
    """Compare how well two scores separate two classes, by a paired bootstrap of the difference in AUROC.

    Parameters
    ----------
    labels
        1 or 0, [n_cells]; both must occur.
    scores
        Two scores by name, each [n_cells]; the difference is the first minus the second.
    groups
        Origin of each cell, [n_cells], or None. Whole groups are drawn when each class has cells of at least three.
    seed
        Seed of the resampling.

    Returns
    -------
    DataFrame
        ``score, auroc, low, high, p, drawn``: a row for each score and one for the ``difference``, the only one with a
        (two-sided) p; ``drawn`` says whether groups or cells were drawn.
    """
    enough = groups is not None and all(len(set(groups[labels == label])) >= FEWEST_GROUPS for label in (0, 1))
    units = groups if enough else np.arange(len(labels))
    ranked = [Ranked(labels, ranks(values)) for values in scores.values()]
    pairs = zip(*(resamples(each, RESAMPLES, seed, units) for each in ranked), strict=True)
    drawn = np.hstack(
        [[each.scores(weights)["auroc"] for each, weights in zip(ranked, pair, strict=True)] for pair in pairs]
    )
    whole = [float(each.scores(np.ones((1, len(labels))))["auroc"][0]) for each in ranked]
    drawn = np.vstack([drawn, drawn[0] - drawn[1]])
    whole.append(whole[0] - whole[1])
    rows = [
        (name, value, *interval([values], 0.95))
        for name, value, values in zip([*scores, "difference"], whole, drawn, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["score", "auroc", "low", "high"])
    defined = drawn[2][np.isfinite(drawn[2])]
    tails = [(1 + (defined <= 0).sum()) / (1 + len(defined)), (1 + (defined >= 0).sum()) / (1 + len(defined))]
    table["p"] = [np.nan, np.nan, min(1.0, 2 * min(tails))]
    return table.assign(drawn="groups" if enough else "cells")


def ranks(values: np.ndarray) -> np.ndarray:
    """Return values as ranks between 0 and 1: the order is all that AUROC sees.

    Parameters
    ----------
    values
        [n_cells].
    """
    from scipy.stats import rankdata

    return rankdata(values) / len(values)
