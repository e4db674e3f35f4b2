"""Do the cells come from a line that was trained on? Said in the report, because it flatters the predictions."""

from dataclasses import dataclass

import numpy as np

from pharmacell.core.progress import say
from pharmacell.data.lines import Lines
from pharmacell.linear.resemblance import FEWEST_GENES, FEWEST_LINES, line_correlations, stands_out
from pharmacell.response.model_card import ResembledLine

FEWEST_CELLS = 15  # of a cluster
LEAST_SPREAD = 0.2  # of the genes' means: where every gene was centred over the cells, no profile is left
CELLS_AT_ONCE = 1000


@dataclass(frozen=True)
class PooledCells:
    """The profiles of clusters of cells.

    Attributes
    ----------
    profiles
        Logarithm of the mean of what was logged, or the mean of z-scores, float64 [n_clusters, n_genes].
    sizes
        Cells of each cluster, int64 [n_clusters].
    """

    profiles: np.ndarray
    sizes: np.ndarray


def pool_clusters(rows: np.ndarray, clusters: np.ndarray, scale: str) -> PooledCells:
    """Pool the cells of each cluster, or all cells where every cluster has fewer than 15.

    Parameters
    ----------
    rows
        Expression of cells as quality control left it, float32 [n_cells, n_genes].
    clusters
        Cluster of each cell, from 0, [n_cells].
    scale
        What ``rows`` are: ``zscore``, or else logarithms.
    """
    sizes = np.bincount(clusters)
    if sizes.max() < FEWEST_CELLS:
        clusters, sizes = np.zeros_like(clusters), np.array([len(clusters)])
    sums = np.zeros((len(sizes), rows.shape[1]))
    for start in range(0, len(rows), CELLS_AT_ONCE):
        block = rows[start : start + CELLS_AT_ONCE]
        member = clusters[start : start + CELLS_AT_ONCE] == np.arange(len(sizes))[:, None]
        sums += member.astype(np.float32) @ (block if scale == "zscore" else np.expm1(block))
    means = sums / np.maximum(sizes, 1)[:, None]
    return PooledCells(means if scale == "zscore" else np.log1p(means), sizes)


def resembled_lines(cells: PooledCells, lines: Lines) -> list[ResembledLine] | None:
    """Find the bulk lines that clusters of cells look like.

    Parameters
    ----------
    cells
        Pooled, on the genes of the lines.
    lines
        Those that are trained on.

    Returns
    -------
    list of ResembledLine
        One for each cluster that looks like a line, by :func:`pharmacell.linear.resemblance.stands_out`; None where it
        cannot be told: fewer than 50 lines or 500 genes, no cluster of 15 cells, or genes that are centred over the
        cells.
    """
    large = np.flatnonzero(cells.sizes >= FEWEST_CELLS)
    centred = np.average(cells.profiles, axis=0, weights=cells.sizes).std() < LEAST_SPREAD
    if len(lines.labels) < FEWEST_LINES or len(lines.genes) < FEWEST_GENES or not len(large) or centred:
        return None
    found = []
    for cluster, correlations in zip(large, line_correlations(cells.profiles[large], lines.x), strict=True):
        clear, deviations = stands_out(correlations)
        first, second = np.argsort(-correlations)[:2]
        if clear:
            found.append(
                ResembledLine(
                    line=str(lines.labels.index[first]),
                    correlation=float(correlations[first]),
                    next_line=str(lines.labels.index[second]),
                    next_correlation=float(correlations[second]),
                    deviations=deviations,
                    n_cells=int(cells.sizes[cluster]),
                )
            )
    for one in found:
        say(sentence(one))
    return found


def sentence(found: ResembledLine) -> str:
    """Say what was found of one cluster.

    Parameters
    ----------
    found
        What it looks like.
    """
    return (
        f"{found.n_cells} cells look like the bulk line {found.line}, which was trained on (correlation "
        f"{found.correlation:.2f}; the next, {found.next_line}, {found.next_correlation:.2f}); --exclude_lines "
        f"{found.line} leaves it out, which is honest if they come from it or a relative of it"
    )


def notes(found: list[ResembledLine] | None) -> list[str]:
    """Return the sentences for the verdict, of the largest cluster of each line only.

    Parameters
    ----------
    found
        From :func:`resembled_lines`.
    """
    largest: dict[str, ResembledLine] = {}
    for one in sorted(found or [], key=lambda one: -one.n_cells):
        largest.setdefault(one.line, one)
    return [f"Note: {sentence(one)}" for one in largest.values()]
