"""The genes behind the predictions, and whether the methods that find them agree."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from pharmacell.explanation.attribution import METHODS
from pharmacell.explanation.class_means import CLASSES, ClassAttributions

TOP = 100
SIGNIFICANT = 0.05
SCORE = "whole score"
COLUMNS = (
    "gene",
    "class",
    "attribution",
    "std",
    "fdr",
    "log_fold_change",
    "is_deg",
    "rank",
    "expressed",
    "p",
    "network",
    "network_std",
    "deep_lift",
    "relevance",
)


def key_gene_table(
    found: dict[str, ClassAttributions], genes: Sequence[str], profiles: np.ndarray, degs: pd.DataFrame
) -> pd.DataFrame:
    """Return one row for each class and gene, the most important first.

    Parameters
    ----------
    found
        Attributions towards each class.
    genes
        Their genes.
    profiles
        The mean standardised cell of each class as predicted, resistant first, [2, n_genes].
    degs
        Differential expression: ``gene, class, log_fold_change, is_deg`` of both classes. Here a gene is a DEG when it
        is one of either class; the fold change tells of which.

    Returns
    -------
    DataFrame
        ``COLUMNS``: mean ``attribution`` of the score over the class's cells and its ``std`` over replicas; ``fdr`` and
        ``p`` under permuted labels; ``expressed`` higher or lower than in the other class; ``network`` and
        ``network_std``: of the network's logit difference alone, by integrated gradients; the other two methods' means.
    """
    tables = []
    for name, of_class in found.items():
        higher = profiles[CLASSES.index(name)] >= profiles[1 - CLASSES.index(name)]
        network, deep, relevance = of_class.methods.mean(1)
        tables.append(
            pd.DataFrame(
                {
                    "gene": list(genes),
                    "class": name,
                    "attribution": of_class.score.mean(0),
                    "std": spread(of_class.score),
                    "fdr": of_class.fdr,
                    "p": of_class.p,
                    "expressed": np.where(higher, "higher", "lower"),
                    "network": network,
                    "network_std": spread(of_class.methods[0]),
                    "deep_lift": deep,
                    "relevance": relevance,
                }
            )
            .sort_values("attribution", ascending=False, kind="stable")
            .assign(rank=np.arange(1, len(genes) + 1))
        )
    degs = degs.assign(is_deg=degs.groupby("gene")["is_deg"].transform("any"))
    table = pd.concat(tables).merge(degs[["gene", "class", "log_fold_change", "is_deg"]], "left", ["gene", "class"])
    return table[list(COLUMNS)]


def spread(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation over replicas [n_replicas, n_genes] of each gene; 0 with one replica.

    Parameters
    ----------
    values
        [n_replicas, n_genes].
    """
    return values.std(0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])


def key_list(table: pd.DataFrame, name: str, most: int) -> list[str]:
    """Return up to ``most`` genes whose higher expression in a class's cells speaks for that class, the first first.

    Only significant genes with a positive attribution are taken. A gene that speaks by its absence is left out: it is
    on the other class's list, and a score of expression would count it the wrong way round.

    Parameters
    ----------
    table
        From :func:`key_gene_table`.
    name
        The class.
    most
        Length of the list.
    """
    chosen = table[
        (table["class"] == name)
        & (table["expressed"] == "higher")
        & (table["attribution"] > 0)
        & (table["fdr"] < SIGNIFICANT)
    ]
    return chosen["gene"].head(most).tolist()


def agreement(found: dict[str, ClassAttributions], top: int = TOP) -> pd.DataFrame:
    """Compare the methods' mean attributions, pair by pair.

    Parameters
    ----------
    found
        Attributions towards each class.
    top
        How many genes of each method are compared.

    Returns
    -------
    DataFrame
        ``class, method, other, spearman, overlap, overlap_by_chance``: the rank correlation over all genes and the
        share of common genes among the ``top`` ones.
    """
    from scipy.stats import spearmanr

    rows = []
    for name, of_class in found.items():
        means = dict(zip(METHODS, of_class.methods.mean(1), strict=True)) | {SCORE: of_class.score.mean(0)}
        size = len(means[SCORE])
        first = {method: set(np.argsort(-values, kind="stable")[:top]) for method, values in means.items()}
        rows += [
            (
                name,
                one,
                two,
                float(spearmanr(means[one], means[two]).statistic),
                len(first[one] & first[two]) / min(top, size),
                min(top, size) / size,
            )
            for one, two in combinations(means, 2)
        ]
    return pd.DataFrame(rows, columns=["class", "method", "other", "spearman", "overlap", "overlap_by_chance"])


def degs_among(table: pd.DataFrame, top: int = TOP) -> dict[str, dict[str, float]]:
    """Return for each class how many of its top genes are differentially expressed, and how many chance would give.

    Parameters
    ----------
    table
        From :func:`key_gene_table`.
    top
        How many genes of each class count as its top ones.
    """
    from scipy.stats import hypergeom

    result = {}
    for name, rows in table.groupby("class"):
        n, degs = min(top, len(rows)), int(rows["is_deg"].sum())
        hits = int(rows["is_deg"].iloc[:n].sum())
        result[str(name)] = {
            "top": n,
            "degs": hits,
            "by_chance": n * degs / len(rows),
            "p": float(hypergeom.sf(hits - 1, len(rows), degs, n)),
        }
    return result
