"""Diffusion map and diffusion pseudotime of cells."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pharmacell.core.seeds import generator, integer
from pharmacell.data.neighbour_graph import memberships, nearest_neighbours, umap_layout

NEIGHBOURS = 15  # the cell itself among them
FEWEST_NEIGHBOURS = 5
DIFFUSION_COMPONENTS = 15  # the first, which is stationary, among them
CLOSEST_TO_ONE = 1e-6  # float32 does not tell eigenvalues closer to 1 from 1


@dataclass(frozen=True)
class DiffusionMap:
    """Leading eigenvectors of the transition matrix between cells, the stationary one left out.

    Attributes
    ----------
    eigenvalues
        Largest first, float64 [n_components].
    vectors
        float64 [n_cells, n_components].
    """

    eigenvalues: np.ndarray
    vectors: np.ndarray

    def coordinates(self) -> np.ndarray:
        """Return coordinates in which diffusion pseudotime is a Euclidean distance, float64 [n_cells, n_components].

        The distance of diffusion pseudotime (Haghverdi et al. 2016, Eq. 5) between cells x and y is::

            dpt(x, y)^2 = sum_{i > 0} (lambda_i / (1 - lambda_i))^2 (psi_i(x) - psi_i(y))^2

        with eigenvalues lambda and eigenvectors psi, which is Euclidean in ``lambda_i / (1 - lambda_i) psi_i``.

        Notes
        -----
        ``scanpy.tl.dpt`` takes this weight only for eigenvalues below 0.9994. On a clear path of about a thousand cells
        or more the leading eigenvalues are above, and its order is that of a higher component.
        """
        return self.vectors * (self.eigenvalues / np.maximum(1 - self.eigenvalues, CLOSEST_TO_ONE))


def neighbours(components: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact nearest neighbours of each cell: indices and distances, [n_cells, at most 14].

    Parameters
    ----------
    components
        Principal components, [n_cells, n_components].
    """
    counted = min(NEIGHBOURS, max(FEWEST_NEIGHBOURS, len(components) // 4))
    return nearest_neighbours(np.asarray(components, np.float32), counted - 1)


def neighbour_graph(components: np.ndarray) -> sparse.csr_matrix:
    """Return the weighted graph of nearest neighbours, symmetric, float32 [n_cells, n_cells].

    Parameters
    ----------
    components
        Principal components, [n_cells, n_components].
    """
    return memberships(*neighbours(components))


def parts(graph: sparse.csr_matrix) -> np.ndarray:
    """Return the connected part of the graph that each cell is in, int [n_cells]; 0 is the largest.

    Parameters
    ----------
    graph
        From :func:`neighbour_graph`.
    """
    from scipy.sparse.csgraph import connected_components

    _, found = connected_components(graph, directed=False)
    by_size = np.argsort(-np.bincount(found), kind="stable")
    return np.argsort(by_size)[found]


def clusters(graph: sparse.csr_matrix, seed: int) -> np.ndarray:
    """Return names of the cells' Leiden clusters on the graph (Traag et al. 2019), [n_cells].

    Parameters
    ----------
    graph
        From :func:`neighbour_graph`.
    seed
        The user's seed.
    """
    import random

    import igraph

    edges = sparse.triu(graph).tocoo()
    drawn = igraph.Graph(graph.shape[0], np.column_stack([edges.row, edges.col]))
    igraph.set_random_number_generator(random.Random(integer(seed, "clusters")))
    found = drawn.community_leiden("modularity", weights=edges.data.tolist(), n_iterations=2)
    return np.array([f"cluster {number}" for number in found.membership], dtype=object)


def diffusion_map(graph: sparse.csr_matrix, seed: int) -> DiffusionMap:
    """Return the diffusion map (Coifman et al. 2005) of a connected graph, with the density of the cells divided out.

    With weights W and q the sums of its rows::

        K = W / (q q^T),    T = K / sqrt(z z^T),    z the sums of the rows of K

    Parameters
    ----------
    graph
        From :func:`neighbour_graph`; of one connected part.
    seed
        The user's seed.

    Raises
    ------
    scipy.sparse.linalg.ArpackNoConvergence
        If the eigenvectors are not found.
    """
    from scipy.sparse.linalg import eigsh

    n_cells = graph.shape[0]
    weights = sparse.csr_array(graph, dtype=np.float64)
    density = sparse.diags_array(1 / weights.sum(0))
    kernel = density @ weights @ density
    norm = sparse.diags_array(1 / np.sqrt(kernel.sum(0)))
    n_components = min(DIFFUSION_COMPONENTS, n_cells - 1)
    values, vectors = eigsh(
        norm @ kernel @ norm,
        k=n_components,
        ncv=min(n_cells, max(2 * n_components + 1, int(np.sqrt(n_cells)))),
        v0=generator(seed, "diffusion map").normal(size=n_cells),
    )
    order = np.argsort(-values)[1:]
    return DiffusionMap(values[order], vectors[:, order])


def pseudotime(coordinates: np.ndarray, root: int) -> np.ndarray:
    """Return each cell's distance from the root cell, the largest being 1, float64 [n_cells].

    Parameters
    ----------
    coordinates
        From :meth:`DiffusionMap.coordinates`, [n_cells, n_components].
    root
        Position of the root cell.
    """
    distance = np.linalg.norm(coordinates - coordinates[root], axis=1)
    farthest = distance[np.isfinite(distance)].max(initial=0)
    return distance / farthest if farthest > 0 else distance


def diffusion_umap(found: DiffusionMap, seed: int) -> np.ndarray:
    """Return a UMAP of the diffusion map, float32 [n_cells, 2].

    Parameters
    ----------
    found
        The map.
    seed
        The user's seed.
    """
    space = found.vectors * found.eigenvalues
    return umap_layout(*neighbours(space), space[:, :2], seed)
