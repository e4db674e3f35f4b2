"""Clusters of cells for the cluster regulariser."""

import numpy as np

NEIGHBOURS = 15
COMPONENTS = 30


def cluster_cells(x: np.ndarray, kind: str, seed: int) -> np.ndarray:
    """Cluster cells on a nearest-neighbour graph of their principal components.

    Parameters
    ----------
    x
        Standardised expression, [n_cells, n_genes].
    kind
        ``louvain`` (igraph's multilevel optimisation of modularity) or ``leiden``.
    seed
        Seed of the principal components and of the clustering.

    Returns
    -------
    numpy.ndarray
        Cluster of each cell, int64 [n_cells], from 0 without gaps.
    """
    import random

    import igraph
    from sklearn.decomposition import PCA
    from sklearn.neighbors import kneighbors_graph

    n_cells = len(x)
    if n_cells < 3:
        return np.zeros(n_cells, np.int64)
    components = min(COMPONENTS, n_cells - 1, x.shape[1])
    latent = PCA(components, svd_solver="randomized", random_state=seed).fit_transform(x)
    edges = kneighbors_graph(latent, min(NEIGHBOURS, n_cells - 1)).tocoo()
    graph = igraph.Graph(n_cells, list(zip(edges.row.tolist(), edges.col.tolist(), strict=True))).simplify()
    igraph.set_random_number_generator(random.Random(seed))  # another step may have set one of its own
    if kind == "leiden":
        import leidenalg

        found = leidenalg.find_partition(graph, leidenalg.ModularityVertexPartition, seed=seed % 2**31)
    else:
        found = graph.community_multilevel()
    return np.asarray(found.membership, np.int64)
