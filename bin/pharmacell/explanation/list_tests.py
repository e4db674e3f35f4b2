"""Scores of the lists of genes in each cell, and the tests that rest on them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pharmacell.core.seeds import generator, integer
from pharmacell.explanation.class_means import CLASSES
from pharmacell.explanation.deg_scores import correlation_test, correlations, list_scores, random_scores
from pharmacell.explanation.expression import Expression
from pharmacell.explanation.separation import separation
from pharmacell.training.clusters import cluster_cells

TESTS = (
    "class",
    "score",
    "reference",
    "pearson",
    "low",
    "high",
    "resampled",
    "n_units",
    "p",
    "null_mean",
    "null_high",
    "n_lists",
)


@dataclass(frozen=True)
class ListTests:
    """Scores and tests of one sample.

    Parameters
    ----------
    scores
        One column for each list, named ``<labels>_<class>``; rows as of the expression.
    tests
        ``TESTS``: Pearson's correlation of a list's score with a reference, its interval, which of ``n_units`` groups
        or clusters of cells were resampled for it, and where it stands among the correlations of random lists.
    null
        ``class, list, pearson``: of random lists of matched expression.
    separation
        From :func:`pharmacell.explanation.separation.separation`, with ``labels``: which labels are told apart; None
        when a score is missing.
    """

    scores: pd.DataFrame
    tests: pd.DataFrame
    null: pd.DataFrame
    separation: pd.DataFrame | None


def list_tests(cells: Expression, lists: dict[str, list[str]], seed: int) -> ListTests:
    """Score the lists and test the scores.

    The score of the DEGs of predicted labels is compared with that of the DEGs of true labels; without truth, with the
    predicted probability of the class.

    Parameters
    ----------
    cells
        Expression and labels.
    lists
        ``truth_<class>``, ``predicted_<class>``, ``key_<class>`` to genes; those that are not empty are used.
    seed
        Seed of reference genes, random lists and resampling.
    """
    scores = list_scores(cells.x, cells.genes, lists, integer(seed, "reference genes") % 2**32)
    columns, (resampled, units) = pd.Index(cells.genes), independent_units(cells, seed)
    tests, nulls = [], []
    for name in CLASSES[::-1]:
        score, reference = f"predicted_{name}", f"truth_{name}"
        against = scores.get(reference)
        if cells.truth is None:
            reference = f"probability of being {name}"
            against = pd.Series(cells.probability if name == "sensitive" else 1 - cells.probability)
        if score not in scores or against is None or against.nunique() < 2 or scores[score].nunique() < 2:
            continue
        random = random_scores(cells.x, columns.get_indexer(lists[score]), generator(seed, f"random lists {name}"))
        null = correlations(random, against.to_numpy(np.float32))
        tests.append(
            {
                "class": name,
                "score": score,
                "reference": reference,
                "resampled": resampled,
                **correlation_test(scores[score].to_numpy(), against.to_numpy(), null, units, seed),
            }
        )
        nulls.append(pd.DataFrame({"class": name, "list": np.arange(len(null)), "pearson": null}))
    empty = pd.DataFrame(columns=["class", "list", "pearson"])
    return ListTests(
        scores,
        pd.DataFrame(tests, columns=list(TESTS)),
        pd.concat(nulls) if nulls else empty,
        separations(cells, scores, seed),
    )


def independent_units(cells: Expression, seed: int) -> tuple[str, np.ndarray]:
    """Return what is resampled as a whole, and the unit of each cell, [n_cells].

    Parameters
    ----------
    cells
        Expression and groups.
    seed
        Of the clustering.

    Returns
    -------
    name
        ``groups``, the cells' origin where it is known; else ``clusters`` of their expression, or ``cells`` where there
        is one cluster only.
    units
        One for each cell.
    """
    if cells.groups is not None and len(set(cells.groups)) > 1:
        return "groups", cells.groups
    clusters = cluster_cells(cells.x, "louvain", integer(seed, "clusters of the gene lists"))
    return ("clusters" if clusters.max() > 0 else "cells"), clusters


def separations(cells: Expression, scores: pd.DataFrame, seed: int) -> pd.DataFrame | None:
    """Compare key genes and DEGs of predicted labels, each as the sensitive list's score minus the resistant one's.

    Parameters
    ----------
    cells
        Labels and groups.
    scores
        From :func:`pharmacell.explanation.deg_scores.list_scores`.
    seed
        Of the resampling.
    """
    needed = [f"{source}_{name}" for source in ("key", "predicted") for name in CLASSES]
    if not set(needed) <= set(scores):
        return None
    compared = {
        title: (scores[f"{source}_sensitive"] - scores[f"{source}_resistant"]).to_numpy()
        for title, source in (("key genes", "key"), ("DEGs", "predicted"))
    }
    labels = cells.labels if cells.truth is None else cells.truth
    table = separation(labels, compared, cells.groups, seed)
    return table.assign(labels="predicted" if cells.truth is None else "true")
