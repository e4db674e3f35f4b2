"""Diffusion map and diffusion pseudotime of cells."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.seeds import integer

if TYPE_CHECKING:
    from anndata import AnnData

NEIGHBOURS = 15
DIFFUSION_COMPONENTS = 15  # the first, which is stationary, among them
CLOSEST_TO_ONE = 1e-6  # float32 does not tell eigenvalues closer to 1 from 1
FEWEST_FOR_SPECTRAL = 30  # cells; below that the layout starts at random


def neighbour_graph(components: np.ndarray, seed: int) -> "AnnData":
    """Return cells with the graph of their nearest neighbours.

    Parameters
    ----------
    components
        Principal components, [n_cells, n_components].
    seed
        The user's seed.

    Notes
    -----
    Neighbours are exact: the approximate ones crash with the locked packages on large samples.
    """
    import anndata as ad
    import scanpy as sc

    cells = ad.AnnData(np.asarray(components, np.float32))
    sc.pp.neighbors(
        cells,
        n_neighbors=min(NEIGHBOURS, max(5, cells.n_obs // 4)),
        use_rep="X",
        transformer="sklearn",
        random_state=integer(seed, "neighbours"),
    )
    return cells


def parts(cells: "AnnData") -> np.ndarray:
    """Return the connected part of the graph that each cell is in, int [n_cells]; 0 is the largest."""
    from scipy.sparse.csgraph import connected_components

    _, found = connected_components(cells.obsp["connectivities"], directed=False)
    by_size = np.argsort(-np.bincount(found), kind="stable")
    return np.argsort(by_size)[found]


def clusters(cells: "AnnData", seed: int) -> np.ndarray:
    """Return names of the cells' Leiden clusters on the graph (Traag et al. 2019), [n_cells]."""
    import scanpy as sc

    sc.tl.leiden(cells, flavor="igraph", n_iterations=2, directed=False, random_state=integer(seed, "clusters"))
    return ("cluster " + cells.obs["leiden"].astype(str)).to_numpy()


def diffusion_coordinates(cells: "AnnData", seed: int) -> np.ndarray:
    """Add the diffusion map (Coifman et al. 2005) to a connected graph; return the coordinates of pseudotime.

    The distance of diffusion pseudotime (Haghverdi et al. 2016, Eq. 5) between cells x and y,

        dpt(x, y)^2 = sum_{i > 0} (lambda_i / (1 - lambda_i))^2 (psi_i(x) - psi_i(y))^2

    with eigenvalues lambda and eigenvectors psi of the transition matrix, is Euclidean in the coordinates
    lambda_i / (1 - lambda_i) psi_i.

    Returns
    -------
    ndarray
        float64 [n_cells, n_components].

    Notes
    -----
    ``scanpy.tl.dpt`` takes this weight only for eigenvalues below 0.9994. On a clear path of about a thousand cells or
    more the leading eigenvalues are above, and its order is that of a higher component; so it is computed here.
    """
    import scanpy as sc

    sc.tl.diffmap(cells, n_comps=DIFFUSION_COMPONENTS, random_state=integer(seed, "diffusion map"))
    eigenvalues = np.asarray(cells.uns["diffmap_evals"], float)[1:]
    weights = eigenvalues / np.maximum(1 - eigenvalues, CLOSEST_TO_ONE)
    return cells.obsm["X_diffmap"][:, 1:] * weights


def pseudotime(coordinates: np.ndarray, root: int) -> np.ndarray:
    """Return each cell's distance from the root cell, the largest being 1, float64 [n_cells]."""
    distance = np.linalg.norm(coordinates - coordinates[root], axis=1)
    farthest = distance[np.isfinite(distance)].max(initial=0)
    return distance / farthest if farthest > 0 else distance


def diffusion_umap(cells: "AnnData", seed: int) -> np.ndarray:
    """Return a UMAP of the diffusion map without its stationary component, float32 [n_cells, 2]."""
    import scanpy as sc

    eigenvalues = np.asarray(cells.uns["diffmap_evals"], np.float32)[1:]
    space = neighbour_graph(cells.obsm["X_diffmap"][:, 1:] * eigenvalues, seed)
    sc.tl.umap(
        space,
        random_state=integer(seed, "diffusion umap"),
        init_pos="spectral" if space.n_obs > FEWEST_FOR_SPECTRAL else "random",
    )
    return space.obsm["X_umap"].astype(np.float32)
