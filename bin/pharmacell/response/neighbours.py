"""Scores averaged over each cell and the cells most like it."""

import numpy as np

COMPONENTS = 20
MOST_REFERENCE_CELLS = 20_000  # of larger samples, neighbours are sought among so many cells drawn at random
CELLS_PER_NEIGHBOUR = 10  # a small sample has fewer neighbours, or all cells would be alike


def nearest_cells(components: np.ndarray, neighbours: int, rng: np.random.Generator) -> np.ndarray:
    """Find each cell's nearest cells.

    Parameters
    ----------
    components
        Principal components of all cells, the first 20 count, [n_cells, n_components].
    neighbours
        Wanted for each cell; at most a tenth of the cells.
    rng
        Draws the reference cells of samples of more than 20,000 cells.

    Returns
    -------
    numpy.ndarray
        Rows of the cell itself and of its neighbours, int64 [n_cells, 1 + k].
    """
    from sklearn.neighbors import NearestNeighbors

    n_cells, own = len(components), np.arange(len(components))[:, None]
    k = min(neighbours, n_cells // CELLS_PER_NEIGHBOUR)
    if k < 1:
        return own
    x = np.ascontiguousarray(components[:, :COMPONENTS], np.float32)
    reference = np.arange(n_cells)
    if n_cells > MOST_REFERENCE_CELLS:
        reference = np.sort(rng.choice(n_cells, MOST_REFERENCE_CELLS, replace=False))
    found = reference[
        NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(x[reference]).kneighbors(x, return_distance=False)
    ]
    others = found != own  # a reference cell finds itself; it is put first, once
    order = np.argsort(~others, axis=1, kind="stable")[:, :k]
    return np.hstack([own, np.take_along_axis(found, order, 1)])


def smooth(scores: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Average scores over each cell and its neighbours.

    With the nearest cells N(i) of cell i, itself among them::

        s~(i) = mean over j in N(i) of s(j)

    A cell's counts are a small sample of what it expresses; cells in the same state are repeats of the measurement.

    Parameters
    ----------
    scores
        [m, n_cells].
    nearest
        From :func:`nearest_cells`, [n_cells, 1 + k].

    Returns
    -------
    numpy.ndarray
        float32 [m, n_cells].
    """
    return np.stack([row[nearest].mean(1) for row in scores]).astype(np.float32)
