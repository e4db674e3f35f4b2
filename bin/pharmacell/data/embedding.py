"""Principal components and UMAP of a sample, for pictures."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.seeds import generator, integer

if TYPE_CHECKING:
    from anndata import AnnData

N_COMPONENTS = 50
N_VARIABLE_GENES = 2000
N_NEIGHBOURS = 15
MOST_CELLS = 50_000  # in the UMAP
FEWEST_CELLS = 10  # for a UMAP to mean anything


def embed(sample: "AnnData", scale: str, seed: int) -> str:
    """Add ``obsm["X_pca"]`` and ``obsm["X_umap"]`` (float32), in place.

    Parameters
    ----------
    sample
        X on its final scale.
    scale
        For values other than z-scores, components are those of the 2000 most variable genes.
    seed
        The user's seed.

    Returns
    -------
    str
        A sentence about what the picture shows.

    Notes
    -----
    Of more than 50,000 cells a random 50,000 get a place in the UMAP, the others NaN. Fewer than 10 cells get their
    first two components instead.
    """
    n_cells = sample.n_obs
    if min(sample.shape) < 3:
        sample.obsm["X_pca"] = sample.obsm["X_umap"] = np.zeros((n_cells, 2), dtype=np.float32)
        return "too few cells or genes for a UMAP: all cells are drawn at one place"
    sample.obsm["X_pca"] = components(sample, scale, seed)
    umap = np.full((n_cells, 2), np.nan, dtype=np.float32)
    if n_cells < FEWEST_CELLS:
        umap[:] = sample.obsm["X_pca"][:, :2]
        sample.obsm["X_umap"] = umap
        return f"{n_cells} cells are too few for a UMAP: the first two principal components stand in for it"
    shown = np.arange(n_cells)
    if n_cells > MOST_CELLS:
        shown = np.sort(generator(seed, "cells of the UMAP").choice(n_cells, MOST_CELLS, replace=False))
    umap[shown] = _umap(sample.obsm["X_pca"][shown], seed)
    sample.obsm["X_umap"] = umap
    return f"UMAP of {len(shown)} cells on {sample.obsm['X_pca'].shape[1]} principal components"


def components(sample: "AnnData", scale: str, seed: int) -> np.ndarray:
    """Return principal components, float32 [n_cells, at most 50]."""
    import scanpy as sc

    chosen = None
    if scale != "zscore" and sample.n_vars > N_VARIABLE_GENES and sample.n_obs >= FEWEST_CELLS:
        table = sc.pp.highly_variable_genes(sample, n_top_genes=N_VARIABLE_GENES, flavor="seurat", inplace=False)
        chosen = table["highly_variable"].to_numpy()
    x = sample.X if chosen is None else sample.X[:, chosen]
    n_components = min(N_COMPONENTS, x.shape[0] - 1, x.shape[1] - 1)
    return sc.pp.pca(x, n_comps=n_components, random_state=integer(seed, "components")).astype(np.float32)


def _umap(components: np.ndarray, seed: int) -> np.ndarray:
    """Return the UMAP of components, float32 [n_cells, 2]."""
    import anndata as ad
    import scanpy as sc

    cells = ad.AnnData(components)
    random_state = integer(seed, "umap")
    # exact neighbours: the approximate ones take longer to compile than these to compute, up to tens of thousands
    sc.pp.neighbors(
        cells,
        n_neighbors=min(N_NEIGHBOURS, cells.n_obs - 1),
        use_rep="X",
        random_state=random_state,
        transformer="sklearn",
    )
    sc.tl.umap(cells, random_state=random_state, init_pos="spectral" if cells.n_obs > 3 * FEWEST_CELLS else "random")
    return cells.obsm["X_umap"].astype(np.float32)
