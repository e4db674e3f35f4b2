"""Differential expression, scores of gene lists, and what random lists of matched expression would reach."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from pharmacell.evaluate.correlation import correlations as bootstrapped
from pharmacell.explanation.class_means import CLASSES

LIST_GENES = 100
GENES_AT_ONCE = 256  # ranked in one piece
TINY = 1e-9  # mean expression that a fold change adds, as in scanpy
CONTROLS = 50  # reference genes of each bin, as scanpy draws them
BINS = 25
GENES_PER_BIN = 20  # with few genes there are fewer bins
SIGNIFICANT = 0.05
RANDOM_LISTS = 1000
FEWEST_CELLS = 3  # of a class, for a comparison


def differential(
    x: np.ndarray, genes: Sequence[str], labels: Mapping[str, np.ndarray], log_scale: bool
) -> dict[str, pd.DataFrame]:
    """Compare two classes gene by gene with Wilcoxon's rank-sum test, for several ways to label the cells.

    With the mean rank of a class's cells and the variance of all ranks, which ties make smaller, the score is normal::

        z = (mean rank - (n + 1) / 2) / sqrt(variance * n_other / (n * n_own))

    Parameters
    ----------
    x
        Expression, [n_cells, n_genes].
    genes
        Names of the columns.
    labels
        Name to labels, 1 or 0, [n_cells].
    log_scale
        Whether ``x`` is log1p; then the log2 fold change is of the means before the logarithm, else it is the
        difference of the means.

    Returns
    -------
    dict
        For each name ``gene, class, score, log_fold_change, p, fdr, is_deg``, each class sorted by the score; a gene is
        a DEG of the class in which it is higher.
    """
    from scipy.stats import false_discovery_control, norm

    found = {}
    scores = rank_scores(x, np.stack(list(labels.values())).astype(bool))
    for (name, sensitive), score in zip(labels.items(), scores, strict=True):
        p = 2 * norm.sf(np.abs(score))
        means = [x[sensitive == label].mean(0, dtype=np.float64) for label in (0, 1)]
        change = means[1] - means[0]
        if log_scale:
            change = np.log2((np.expm1(means[1]) + TINY) / (np.expm1(means[0]) + TINY))
        table = pd.DataFrame(
            {"gene": list(genes), "score": score, "log_fold_change": change, "p": p, "fdr": false_discovery_control(p)}
        ).sort_values("score", ascending=False, kind="stable", ignore_index=True)
        mirrored = table.assign(score=-table["score"], log_fold_change=-table["log_fold_change"]).iloc[::-1]
        both = pd.concat(
            [table.assign(**{"class": CLASSES[1]}), mirrored.assign(**{"class": CLASSES[0]})], ignore_index=True
        )
        both["is_deg"] = (both["fdr"] < SIGNIFICANT) & (both["score"] > 0)
        found[name] = both[["gene", "class", "score", "log_fold_change", "p", "fdr", "is_deg"]]
    return found


def rank_scores(x: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the normal scores of Wilcoxon's rank-sum test; 0 for a gene that does not vary.

    Parameters
    ----------
    x
        Expression, [n_cells, n_genes].
    own
        Cells of the class that is compared with the others, bool [n_labellings, n_cells].

    Returns
    -------
    numpy.ndarray
        float64 [n_labellings, n_genes].
    """
    from scipy.stats import rankdata

    n_cells, n_own = len(x), own.sum(1)[:, None]
    found = np.zeros((len(own), x.shape[1]))
    for start in range(0, x.shape[1], GENES_AT_ONCE):
        ranks = rankdata(x[:, start : start + GENES_AT_ONCE].astype(np.float64), axis=0) - (n_cells + 1) / 2
        spread = np.sqrt(ranks.var(0, ddof=1) * (n_cells - n_own) / (n_cells * n_own))
        found[:, start : start + GENES_AT_ONCE] = np.divide(
            own @ ranks / n_own, spread, out=np.zeros_like(spread), where=spread > 0
        )
    return found


def list_size(n_genes: int) -> int:
    """Return how many genes a list has at most: 100, or a tenth of the genes when they are few.

    Parameters
    ----------
    n_genes
        Of the model.
    """
    return max(min(LIST_GENES, n_genes // 10), 1)


def deg_list(table: pd.DataFrame, name: str, most: int) -> list[str]:
    """Return up to ``most`` DEGs of a class, the clearest first.

    Parameters
    ----------
    table
        From :func:`differential`, of one labelling.
    name
        The class.
    most
        Length of the list.
    """
    return table.loc[(table["class"] == name) & table["is_deg"], "gene"].head(most).tolist()


def bin_count(n_genes: int) -> int:
    """Return the number of expression bins: 25, or fewer when there are few genes.

    Parameters
    ----------
    n_genes
        That are binned.
    """
    return max(2, min(BINS, n_genes // GENES_PER_BIN))


def expression_bins(means: np.ndarray) -> np.ndarray:
    """Return the bin of each gene by its mean expression [n_genes], as ``scanpy.tl.score_genes`` makes them.

    Parameters
    ----------
    means
        Of each gene over the cells, [n_genes].
    """
    items = max(int(np.round(len(means) / (bin_count(len(means)) - 1))), 1)
    return (pd.Series(means).rank(method="min") // items).to_numpy(int)


def list_scores(x: np.ndarray, genes: Sequence[str], lists: dict[str, list[str]], seed: int) -> pd.DataFrame:
    """Score lists of genes in every cell (Satija et al. 2015), with the numbers of ``scanpy.tl.score_genes``.

    A score is the mean of the list minus that of reference genes: up to 50 from each expression bin of the list.

    Parameters
    ----------
    x
        Expression, [n_cells, n_genes].
    genes
        Names of the columns.
    lists
        Name to genes; an empty list is left out.
    seed
        Seed of the choice of reference genes.

    Returns
    -------
    DataFrame
        One column for each list, [n_cells, n_lists].
    """
    bins = pd.Series(expression_bins(x.mean(0, dtype=np.float64)), list(genes))
    columns = pd.Index(genes)
    scores = {}
    for name, members in lists.items():
        if not members:
            continue
        state, reference = np.random.RandomState(seed), pd.Index([])
        for of_list in np.unique(bins[members]):
            inside = bins.index[bins == of_list]
            if len(inside) > CONTROLS:
                inside = inside.to_series().sample(CONTROLS, random_state=state).index
            reference = reference.union(inside.difference(members))
        means = [x[:, columns.get_indexer(chosen)].mean(1, dtype=np.float64) for chosen in (members, reference)]
        scores[name] = means[0] - means[1]
    return pd.DataFrame(scores)


def random_scores(
    x: np.ndarray, members: np.ndarray, rng: np.random.Generator, n_lists: int = RANDOM_LISTS, controls: int = CONTROLS
) -> np.ndarray:
    """Score random lists that have as many genes in each expression bin as a given list has.

    Parameters
    ----------
    x
        Expression, [n_cells, n_genes].
    members
        Columns of the given list, int [n_members].
    rng
        Draws lists and reference genes.
    n_lists
        How many lists.
    controls
        Reference genes of each bin at most.

    Returns
    -------
    numpy.ndarray
        float32 [n_cells, n_lists]; each as ``scanpy.tl.score_genes`` would score its list.
    """
    bins = expression_bins(x.mean(0))
    chosen = np.zeros((n_lists, x.shape[1]), bool)
    reference = np.zeros_like(chosen)
    for of_bin, count in zip(*np.unique(bins[members], return_counts=True), strict=True):
        inside = np.flatnonzero(bins == of_bin)
        mark(chosen, inside, count, rng)
        mark(reference, inside, min(controls, len(inside)), rng)
    return x @ score_weights(chosen, reference & ~chosen).T


def mark(marks: np.ndarray, columns: np.ndarray, count: int, rng: np.random.Generator) -> None:
    """Mark ``count`` of the columns in each row, drawn without replacement.

    Parameters
    ----------
    marks
        Changed in place, bool [n_lists, n_genes].
    columns
        To draw from.
    count
        How many in each row.
    rng
        Draws them.
    """
    drawn = columns[rng.random((len(marks), len(columns))).argsort(1)[:, :count]]
    np.put_along_axis(marks, drawn, True, 1)


def score_weights(chosen: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the weight of each gene in a list's score: mean of the list minus mean of the reference genes.

    Parameters
    ----------
    chosen, reference
        bool, [n_lists, n_genes].

    Returns
    -------
    numpy.ndarray
        float32 [n_lists, n_genes].
    """
    sizes = [np.maximum(marks.sum(1, keepdims=True), 1) for marks in (chosen, reference)]
    return (chosen / sizes[0] - reference / sizes[1]).astype(np.float32)


def correlations(scores: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of each column of scores [n_cells, n] with a reference [n_cells]; 0 if constant.

    Parameters
    ----------
    scores
        [n_cells, n].
    reference
        [n_cells].
    """
    scores, reference = scores - scores.mean(0), reference - reference.mean()
    norm = np.sqrt((scores**2).sum(0) * (reference**2).sum())
    return np.divide(reference @ scores, norm, out=np.zeros(scores.shape[1]), where=norm > 0)


def empirical_p(observed: float, null: np.ndarray) -> float:
    """Return how often the null is as large, the observed value counted in, so never 0 (Phipson and Smyth 2010).

    Parameters
    ----------
    observed
        The statistic.
    null
        The same of random lists, [n_lists].
    """
    return float((1 + (null >= observed).sum()) / (1 + len(null)))


def correlation_test(
    score: np.ndarray, reference: np.ndarray, null: np.ndarray, units: np.ndarray, seed: int
) -> dict[str, float | int]:
    """Return Pearson's correlation, its 95 % interval and its place among those of random lists.

    Cells of one origin or of one kind are no independent cases, so the interval is that of a bootstrap of whole units.

    Parameters
    ----------
    score, reference
        [n_cells].
    null
        Correlations of random lists, [n_lists].
    units
        Group or cluster of each cell, [n_cells]; with one unit only, cells are drawn.
    seed
        Of the bootstrap.
    """
    found = bootstrapped(reference, score, units, seed).set_index("method").loc["pearson"]
    return {
        "pearson": float(found["value"]),
        "low": float(found["low"]),
        "high": float(found["high"]),
        "n_units": int(found["n_units"]),
        "p": empirical_p(found["value"], null),
        "null_mean": float(null.mean()),
        "null_high": float(np.quantile(null, 0.975)),
        "n_lists": len(null),
    }
