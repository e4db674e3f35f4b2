"""Principal components and UMAP of a sample, for neighbours and pictures."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.seeds import generator, integer
from pharmacell.data.matrices import Matrix, Rows
from pharmacell.data.neighbour_graph import nearest_neighbours, umap_layout
from pharmacell.data.scale import blocks

N_COMPONENTS = 50
N_VARIABLE_GENES = 2000
MEAN_BINS = 20  # of genes, whose dispersions are compared within a bin
N_NEIGHBOURS = 14  # other cells; 15 as umap-learn counts
MOST_REFERENCE_CELLS = 20_000  # components and layout are fitted to so many; the others are projected
PROJECTED_ON = 5  # reference cells, whose mean place in the UMAP a projected cell gets
FEWEST_CELLS = 10  # for a UMAP to mean anything


@dataclass(frozen=True)
class Embedding:
    """Coordinates of all cells.

    Attributes
    ----------
    components
        Principal components, float32 [n_cells, n_components].
    umap
        float32 [n_cells, 2].
    statement
        A sentence about what the picture shows.
    """

    components: np.ndarray
    umap: np.ndarray
    statement: str


@dataclass(frozen=True)
class Axes:
    """Principal axes of a sample.

    Attributes
    ----------
    genes
        Columns that count, int [n_genes_used].
    vectors
        float32 [n_genes_used, n_components].
    origin
        Projection of the mean cell, float32 [n_components].
    """

    genes: np.ndarray
    vectors: np.ndarray
    origin: np.ndarray

    def project(self, matrix: Matrix) -> np.ndarray:
        """Return principal components, block by block.

        Parameters
        ----------
        matrix
            Cells on the scale of the fit, [n_cells, n_genes].

        Returns
        -------
        numpy.ndarray
            float32 [n_cells, n_components].
        """
        found = np.empty((matrix.shape[0], len(self.origin)), np.float32)
        for start, block in blocks(matrix):
            found[start : start + block.shape[0]] = block[:, self.genes] @ self.vectors - self.origin
        return found


def reference_cells(n_cells: int, seed: int) -> np.ndarray:
    """Return the positions of the cells that components and UMAP are fitted to, sorted; at most 20,000.

    Parameters
    ----------
    n_cells
        Cells of the sample.
    seed
        The user's seed.
    """
    if n_cells <= MOST_REFERENCE_CELLS:
        return np.arange(n_cells)
    return np.sort(generator(seed, "cells of the UMAP").choice(n_cells, MOST_REFERENCE_CELLS, replace=False))


def embed(matrix: Matrix, chosen: np.ndarray, reference: Rows, scale: str, seed: int) -> Embedding:
    """Place all cells on principal components and in a UMAP.

    Of more than 20,000 cells a random 20,000 make the components and the UMAP. The others are projected: onto the
    components, and in the UMAP to the mean place of the five reference cells nearest to them. Fewer than 10 cells get
    their first two components instead of a UMAP.

    Parameters
    ----------
    matrix
        All cells on their final scale, read in blocks, [n_cells, n_genes].
    chosen
        From :func:`reference_cells`.
    reference
        Those cells, [len(chosen), n_genes].
    scale
        For values other than z-scores, components are those of the 2000 most variable genes.
    seed
        The user's seed.
    """
    n_cells = matrix.shape[0]
    nowhere = np.zeros((n_cells, 2), dtype=np.float32)
    if min(matrix.shape) < 3:
        return Embedding(nowhere, nowhere, "too few cells or genes for a UMAP: all cells are drawn at one place")
    if not varies(reference):
        words = "no gene differs between the cells, so there is no UMAP: all are drawn at one place"
        return Embedding(nowhere, nowhere, words)
    components = principal_axes(reference, scale, seed).project(matrix)
    if n_cells < FEWEST_CELLS:
        words = f"{n_cells} cells are too few for a UMAP: the first two principal components stand in for it"
        return Embedding(components, components[:, :2], words)
    words = f"UMAP of {len(chosen)} cells on {components.shape[1]} principal components"
    if len(chosen) < n_cells:
        words += f"; the other {n_cells - len(chosen)} are projected onto it"
    return Embedding(components, place(components, chosen, seed), words)


def varies(x: Rows) -> bool:
    """Tell whether any gene differs between cells.

    Parameters
    ----------
    x
        [n_cells, n_genes].
    """
    most, least = (values.toarray() if sparse.issparse(values) else values for values in (x.max(axis=0), x.min(axis=0)))
    return bool((np.asarray(most) > np.asarray(least)).any())


def principal_axes(x: Rows, scale: str, seed: int) -> Axes:
    """Fit principal axes to reference cells.

    Parameters
    ----------
    x
        Reference cells, [n_cells, n_genes].
    scale
        ``zscore``: all genes count; else the most variable ones.
    seed
        The user's seed.
    """
    from sklearn.decomposition import PCA

    genes = np.arange(x.shape[1])
    if scale != "zscore" and len(genes) > N_VARIABLE_GENES and x.shape[0] >= FEWEST_CELLS:
        genes = np.flatnonzero(variable_genes(x, N_VARIABLE_GENES))
        x = x[:, genes]
    n_components = min(N_COMPONENTS, x.shape[0] - 1, x.shape[1] - 1)
    fitted = PCA(n_components, svd_solver="arpack", random_state=integer(seed, "components") % 2**32).fit(x)
    vectors = fitted.components_.T.astype(np.float32)
    return Axes(genes, vectors, (fitted.mean_ @ vectors).astype(np.float32))


def variable_genes(x: Rows, most: int) -> np.ndarray:
    """Mark the genes whose dispersion stands out among genes of similar mean (Satija et al. 2015; scanpy's "seurat").

    Parameters
    ----------
    x
        Natural log1p of expression, [n_cells, n_genes].
    most
        How many genes; more where several share the last place.

    Returns
    -------
    numpy.ndarray
        bool [n_genes].
    """
    n_cells, sums, squares = x.shape[0], np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for _, block in blocks(x):
        values = block.astype(np.float64)
        values = np.expm1(values) if isinstance(values, np.ndarray) else values.expm1()
        sums += np.asarray(values.sum(0)).ravel()
        squares += np.asarray((values**2 if isinstance(values, np.ndarray) else values.power(2)).sum(0)).ravel()
    mean = sums / n_cells
    variance = (squares - n_cells * mean**2) / (n_cells - 1)
    mean[mean == 0] = 1e-12
    dispersion = variance / mean
    dispersion[dispersion == 0] = np.nan
    table = pd.DataFrame({"bin": pd.cut(np.log1p(mean), MEAN_BINS), "dispersion": np.log(dispersion)})
    by_bin = table.groupby("bin", observed=True)["dispersion"]
    centre, spread = by_bin.transform("mean"), by_bin.transform("std")
    alone = spread.isna()  # a bin of one gene, which counts as one standard deviation above
    normalised = (table["dispersion"] - centre.where(~alone, 0)) / spread.where(~alone, centre)
    ranked = np.sort(normalised.dropna().to_numpy())[::-1]
    if not len(ranked):  # no bin holds two genes that differ
        return np.ones(len(mean), bool)
    return np.nan_to_num(normalised.to_numpy(), nan=-np.inf) >= ranked[min(most, len(ranked)) - 1]


def place(components: np.ndarray, chosen: np.ndarray, seed: int) -> np.ndarray:
    """Return the UMAP of all cells.

    Parameters
    ----------
    components
        [n_cells, n_components].
    chosen
        Positions of the reference cells, sorted.
    seed
        The user's seed.

    Returns
    -------
    numpy.ndarray
        float32 [n_cells, 2].
    """
    from sklearn.neighbors import KNeighborsRegressor

    reference = components[chosen]
    nearest = nearest_neighbours(reference, min(N_NEIGHBOURS, len(chosen) - 1))
    layout = umap_layout(*nearest, reference[:, :2], seed)
    if len(chosen) == len(components):
        return layout
    found = KNeighborsRegressor(PROJECTED_ON, algorithm="brute").fit(reference, layout).predict(components)
    found[chosen] = layout
    return found.astype(np.float32)
