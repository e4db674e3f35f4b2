"""Nearest neighbours of cells as a weighted graph, and its layout in two dimensions, by UMAP.

Importing ``umap-learn`` compiles for ten seconds in every new process; igraph's layout is ready.
"""

import numpy as np
from scipy import sparse

from pharmacell.core.seeds import integer

MIN_DIST = 0.5  # between neighbours in the layout
EPOCHS = 200
SPREAD = 10.0  # of the coordinates that the layout starts from
BISECTIONS = 64
SMALLEST_SCALE = 1e-3  # of a cell's kernel, in mean distances to its neighbours


def nearest_neighbours(x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest other cells, exactly.

    Parameters
    ----------
    x
        Coordinates, [n_cells, n_dimensions].
    k
        How many, fewer than ``n_cells``.

    Returns
    -------
    indices
        int [n_cells, k], the nearest first.
    distances
        Euclidean, [n_cells, k].
    """
    from sklearn.neighbors import NearestNeighbors

    distances, indices = NearestNeighbors(n_neighbors=k).fit(x).kneighbors()
    return indices, distances


def memberships(indices: np.ndarray, distances: np.ndarray) -> sparse.csr_matrix:
    """Return UMAP's weights of the edges between neighbours (McInnes, Healy and Melville 2018, algorithms 2 and 3).

    With the distance ``rho_i`` to the nearest cell and ``sigma_i`` such that the weights of a cell sum to
    ``log2(k + 1)``, the cell itself being counted as a neighbour::

        v_ij = exp(-max(0, d_ij - rho_i) / sigma_i),    w_ij = v_ij + v_ji - v_ij v_ji

    Parameters
    ----------
    indices, distances
        From :func:`nearest_neighbours`, [n_cells, k].

    Returns
    -------
    csr_matrix
        Symmetric, float32 [n_cells, n_cells].
    """
    n_cells, k = indices.shape
    positive = np.where(distances > 0, distances, np.inf).min(1, keepdims=True)
    rho = np.where(np.isfinite(positive), positive, 0)
    beyond = np.maximum(distances - rho, 0)
    low, high, scale = np.zeros((n_cells, 1)), np.full((n_cells, 1), np.inf), np.ones((n_cells, 1))
    for _ in range(BISECTIONS):
        too_wide = np.exp(-beyond / scale).sum(1, keepdims=True) > np.log2(k + 1)
        high, low = np.where(too_wide, scale, high), np.where(too_wide, low, scale)
        scale = np.where(np.isfinite(high), (low + high) / 2, 2 * scale)
    # as in umap-learn, means count the cell itself
    mean = np.where(rho > 0, distances.sum(1, keepdims=True) / (k + 1), distances.sum() / (n_cells * (k + 1)))
    scale = np.maximum(scale, SMALLEST_SCALE * mean)
    weights = np.exp(-np.divide(beyond, scale, out=np.zeros_like(beyond), where=beyond > 0))
    rows = np.repeat(np.arange(n_cells), k)
    directed = sparse.csr_matrix((weights.ravel().astype(np.float32), (rows, indices.ravel())), (n_cells, n_cells))
    return sparse.csr_matrix(directed + directed.T - directed.multiply(directed.T))


def umap_layout(indices: np.ndarray, distances: np.ndarray, start: np.ndarray, seed: int) -> np.ndarray:
    """Lay cells out in two dimensions by UMAP.

    Parameters
    ----------
    indices, distances
        From :func:`nearest_neighbours`, [n_cells, k].
    start
        Coordinates to start from, such as two principal components, [n_cells, 2].
    seed
        The user's seed.

    Returns
    -------
    numpy.ndarray
        float32 [n_cells, 2].
    """
    import random

    import igraph

    n_cells, k = indices.shape
    edges = np.column_stack([np.repeat(np.arange(n_cells), k), indices.ravel()])
    graph = igraph.Graph(n_cells, edges, directed=True)
    igraph.set_random_number_generator(random.Random(integer(seed, "umap")))
    layout = graph.layout_umap(
        dist=distances.ravel().tolist(),
        seed=(SPREAD * start / max(float(np.abs(start).max()), 1e-12)).tolist(),
        min_dist=MIN_DIST,
        epochs=EPOCHS,
    )
    return np.array(layout.coords, np.float32)
