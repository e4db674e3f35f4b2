"""Permutation tests of all cells of a sample, some cells at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pharmacell.data.cells import CHUNK_CELLS, CellMatrix
from pharmacell.evaluate.significance import PermutationTest, SampleTest, false_discovery_rate, number_of_axes
from pharmacell.response.neighbours import MOST_REFERENCE_CELLS, nearest_cells
from pharmacell.response.permuted_null import Null
from pharmacell.response.store import Bundle

CELLS_AT_ONCE = 1024  # each has 1,001 scores
AXES_CELLS = 1000  # over which axes are counted


@dataclass(frozen=True)
class CellTests:
    """What the permuted bulk responses say of a sample.

    Attributes
    ----------
    p, fdr
        Of each cell, [n_cells].
    deviation
        Of each cell from the sample's mean, under the real responses, [n_cells]; in units of the linear score.
    linear
        Test of the sample by the linear members.
    with_network
        The same with the network, on some of the cells and fewer permutations; None if it was not tested.
    axes
        Along how many axes the cells differ, see :func:`pharmacell.evaluate.significance.number_of_axes`.
    """

    p: np.ndarray
    fdr: np.ndarray
    deviation: np.ndarray
    linear: SampleTest
    with_network: SampleTest | None
    axes: float


def averaging(nearest: np.ndarray, n_cells: int) -> sparse.csr_matrix:
    """Return the matrix that averages scores over each cell and its neighbours.

    Parameters
    ----------
    nearest
        Cells that count for each, the cell itself first, int64 [n, 1 + k].
    n_cells
        Of the sample.
    """
    n, k = nearest.shape
    weights = np.full(nearest.size, 1 / k, np.float32)
    return sparse.csr_matrix((weights, nearest.ravel(), np.arange(0, nearest.size + 1, k)), shape=(n, n_cells))


def permutation_tests(null: Null, bundle: Bundle, cells: CellMatrix, nearest: np.ndarray, neighbours: int) -> CellTests:
    """Test every cell and the sample.

    Scores of all cells under all permutations would take gigabytes. Only those of the cells that count as somebody's
    neighbour are kept. Beyond 20,000 cells these are the reference cells: a cell then stands for its neighbours among
    them, without its own score, which is a sixteenth of the mean that is shown; so is every permuted score.

    Parameters
    ----------
    null
        What the responses' permutations gave.
    bundle
        The model.
    cells
        The prepared sample.
    nearest
        Cells over which each cell's score is averaged, int64 [n_cells, 1 + k].
    neighbours
        How many were asked for.
    """
    n, averaged = len(nearest), nearest.shape[1] > 1
    if averaged and n > MOST_REFERENCE_CELLS:
        nearest = nearest[:, 1:]
    centre, blocks = (averaged_scores if averaged else single_scores)(null, bundle, cells, nearest)
    test = PermutationTest(centre)
    p, deviation, for_axes = np.empty(n), np.empty(n, np.float32), []
    of_axes = np.isin(np.arange(n), np.linspace(0, n - 1, min(n, AXES_CELLS)).astype(int))
    for rows, scores in blocks:
        p[rows], deviation[rows] = test.add(scores)
        for_axes.append(scores[of_axes[rows], 1:] - test.centre[1:])
    linear = test.sample()
    return CellTests(
        p=p,
        fdr=false_discovery_rate(p, linear.p),
        deviation=deviation,
        linear=linear,
        with_network=network_test(null, cells, neighbours),
        axes=number_of_axes(np.concatenate(for_axes)),
    )


ScoreBlocks = Iterator[tuple[slice, np.ndarray]]  # rows and their scores under every order, [n, 1 + n_permutations]


def averaged_scores(
    null: Null, bundle: Bundle, cells: CellMatrix, nearest: np.ndarray
) -> tuple[np.ndarray, ScoreBlocks]:
    """Return the mean score under every order, [1 + n_permutations], and the scores of the cells, some at a time.

    Parameters
    ----------
    null, bundle, cells, nearest
        As in :func:`permutation_tests`.
    """
    shared = np.unique(nearest)
    weight = np.bincount(nearest.ravel(), minlength=len(nearest)) / nearest.size  # of each cell in the mean of all
    of_shared = np.empty((len(shared), len(null.weights)), np.float32)
    centre = np.zeros(len(null.weights))
    for start in range(0, len(shared), CHUNK_CELLS):
        rows = shared[start : start + CHUNK_CELLS]
        scores = bundle.standardise_cells(cells.rows(bundle.genes, rows)) @ null.weights.T
        of_shared[start : start + len(rows)] = scores
        centre += weight[rows] @ scores
    averages = averaging(np.searchsorted(shared, nearest), len(shared))

    def blocks() -> ScoreBlocks:
        for start in range(0, len(nearest), CELLS_AT_ONCE):
            rows = slice(start, min(start + CELLS_AT_ONCE, len(nearest)))
            yield rows, averages[rows] @ of_shared

    return centre, blocks()


def single_scores(null: Null, bundle: Bundle, cells: CellMatrix, nearest: np.ndarray) -> tuple[np.ndarray, ScoreBlocks]:
    """Return what :func:`averaged_scores` returns where every cell counts for itself alone.

    Parameters
    ----------
    null, bundle, cells, nearest
        As in :func:`permutation_tests`.
    """
    mean = np.zeros(null.weights.shape[1])
    for _, x in bundle.standardised_chunks(cells, CELLS_AT_ONCE):
        mean += x.sum(0, dtype=np.float64) / len(nearest)
    chunks = bundle.standardised_chunks(cells, CELLS_AT_ONCE)
    return null.weights @ mean, ((rows, x @ null.weights.T) for rows, x in chunks)


def network_test(null: Null, cells: CellMatrix, neighbours: int) -> SampleTest | None:
    """Test the sample by the scores with the network, averaged over neighbours among the cells that have one.

    Parameters
    ----------
    null, cells, neighbours
        As in :func:`permutation_tests`.
    """
    if null.network is None:
        return None
    scores = null.network.T
    if neighbours:
        components = cells.components()[null.positions]
        scores = averaging(nearest_cells(components, neighbours, np.random.default_rng(0)), len(scores)) @ scores
    test = PermutationTest(scores.mean(0))
    test.add(scores)
    return test.sample()
