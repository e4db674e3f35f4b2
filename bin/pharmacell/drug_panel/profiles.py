"""Profiles on the scale of the bulk lines: pooled counts are treated like a line.

Bulk profiles are standardised within each line. A single cell's are too sparse for that, but counts pooled over like
cells are not: their logarithms, standardised within the profile and centred by the bulk's genes, can be treated like a
line, and are comparable between samples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.seeds import generator
from pharmacell.data.cells import CHUNK_CELLS, CellMatrix
from pharmacell.data.matrices import Rows
from pharmacell.data.shifts import line_profiles
from pharmacell.data.standardise import Standardiser

ZSCORE = "zscore"  # the scale of a sample without counts
NEIGHBOURS = 15  # the cell itself among them
MOST_REFERENCE_CELLS = 10_000  # of larger samples, neighbours are sought among so many, whose counts are held
PER = 1e5  # counts that a profile is brought to before the logarithm
PARTS = 20  # of a group's cells: what the bootstrap draws
MOST_SUMS = 4_000  # sums over parts that are held: with many groups each has fewer parts


@dataclass(frozen=True)
class BulkScale:
    """Brings profiles of lines and of pooled cells to one scale.

    Attributes
    ----------
    genes
        Shared genes.
    x
        The lines, each gene centred, float32 [n_lines, n_genes].
    scaler
        Mean of each gene over the lines, and the one deviation that all genes share.
    products
        Inner products of the lines, float64 [n_lines, n_lines].
    """

    genes: list[str]
    x: np.ndarray
    scaler: Standardiser
    products: np.ndarray

    @classmethod
    def fit(cls, lines: np.ndarray, genes: list[str]) -> "BulkScale":
        """Standardise lines within each line over the shared genes, then centre each gene; all have one scale.

        Another platform sees a gene more or less well by about the same amount whether it varies much over the lines or
        little. Divided by its own deviation, a gene that hardly varies would carry that error many times enlarged.

        Parameters
        ----------
        lines
            Expression as in the bulk file, [n_lines, n_genes].
        genes
            Names of the columns.
        """
        own = line_profiles(lines).astype(np.float32)
        mean = own.mean(0)
        level = np.sqrt(np.square(own - mean).mean())
        scaler = Standardiser(mean, np.full_like(mean, level if level > 0 else 1))
        x = scaler.apply(own)
        products = (x @ x.T).astype(np.float64)
        return cls(genes, x, scaler, products)

    def within(self, profiles: np.ndarray) -> np.ndarray:
        """Return profiles of this scale as they are standardised within the profile, [n, n_genes].

        Parameters
        ----------
        profiles
            On the bulk scale, [n, n_genes].
        """
        return profiles * self.scaler.std + self.scaler.mean

    def of_counts(self, counts: np.ndarray) -> np.ndarray:
        """Return pooled counts on the scale of the lines, float32 [n, n_genes].

        Parameters
        ----------
        counts
            Sums over cells, on the shared genes, [n, n_genes].
        """
        total = counts.sum(1, keepdims=True)
        logged = np.log1p(counts * (PER / np.where(total > 0, total, 1)))
        return self.scaler.apply(line_profiles(logged).astype(np.float32))


class ProfileScale(Protocol):
    """Brings pooled counts to profiles."""

    def of_counts(self, counts: np.ndarray, /) -> np.ndarray:
        """Return profiles, float32 [n, n_genes].

        Parameters
        ----------
        counts
            Sums over cells, [n, n_columns].
        """


@dataclass(frozen=True)
class RelativeScale:
    """Brings z-scored cells to the lines' genes; a profile says how cells differ from the sample's mean, no more.

    Attributes
    ----------
    scaler
        Of the sample's own cells, on the shared genes.
    """

    scaler: Standardiser

    def of_counts(self, counts: np.ndarray) -> np.ndarray:
        """Return mean profiles, float32 [n, n_genes].

        Parameters
        ----------
        counts
            Sums over cells, with the number of cells as the last column, [n, n_genes + 1].
        """
        return self.scaler.apply(counts[:, :-1] / np.maximum(counts[:, -1:], 1)).astype(np.float32)


@dataclass(frozen=True)
class Pooled:
    """Counts of groups of cells, and what the cells' own pooled profiles are made of.

    Attributes
    ----------
    parts
        Sums over each of up to 20 random parts of each group's cells, float64 [n_groups, n_parts, n_genes].
    reference
        Counts of the reference cells, csr [n_reference, n_genes]; no rows where cells are pooled with no other.
    nearest
        Of each cell, rows of ``reference`` that are pooled with it, int [n_cells, k].
    sizes
        Cells of each group, [n_groups].
    """

    parts: np.ndarray
    reference: sparse.csr_matrix
    nearest: np.ndarray
    sizes: np.ndarray

    def bootstrap(self, group: int, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Return a group's counts with its cells drawn with replacement, [n_draws, n_genes].

        Parts of the cells are drawn, which needs no second pass over them.

        Parameters
        ----------
        group
            Which.
        n_draws
            How often.
        rng
            Draws them.
        """
        own = self.parts[group][self.parts[group].sum(1) > 0]
        drawn = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), n_draws)
        return drawn @ own


class CountMatrix:
    """Counts of a prepared sample on some genes, read in chunks; what was logged is taken back where there are none.

    Z-scores are read as they are, with a column of ones behind them, so that sums over cells tell how many cells they
    are of.

    Parameters
    ----------
    cells
        The prepared sample.
    genes
        Wanted, all of them the sample's.
    """

    def __init__(self, cells: CellMatrix, genes: list[str]) -> None:
        from anndata.io import sparse_dataset

        self.n_cells = len(cells)
        self.columns = cells.columns_of(genes)
        self.standardised = cells.uns.get("scale") == ZSCORE
        self.n_columns = len(genes) + self.standardised
        layer = cells.file.get("layers/counts")
        self.logged = layer is None
        self.rows = cells.x if layer is None else sparse_dataset(layer) if hasattr(layer, "keys") else layer

    def __iter__(self) -> Iterator[tuple[slice, Rows]]:
        """Yield positions and counts, csr or dense, float32 [<= 2048, n_genes]."""
        for start in range(0, self.n_cells, CHUNK_CELLS):
            where = slice(start, min(start + CHUNK_CELLS, self.n_cells))
            block = self.rows[where][:, self.columns].astype(np.float32)
            if self.standardised:
                block = block if isinstance(block, np.ndarray) else block.toarray()
                block = np.column_stack([block, np.ones(len(block), np.float32)])
            elif self.logged:
                block = block.expm1() if sparse.issparse(block) else np.expm1(block)
            yield where, block


def pool(counts: CountMatrix, groups: np.ndarray, components: np.ndarray | None, seed: int) -> Pooled:
    """Pool the counts of groups, and keep what is needed to pool those of each cell's neighbours, in one pass.

    Parameters
    ----------
    counts
        Of all cells.
    groups
        Group of each cell, from 0, [n_cells].
    components
        Principal components of the cells; neighbours are sought in the first 20. None: a cell is pooled with no other.
    seed
        Draws the parts and the reference cells.
    """
    from pharmacell.response.neighbours import CELLS_PER_NEIGHBOUR, COMPONENTS

    rng, n_cells = generator(seed, "panel pools"), len(groups)
    n_groups = int(groups.max()) + 1
    n_parts = min(PARTS, int(np.bincount(groups).max()), max(MOST_SUMS // n_groups, 1))
    slot = groups * n_parts + _random_parts(groups, n_parts, rng)
    k = min(NEIGHBOURS - 1, n_cells // CELLS_PER_NEIGHBOUR) if components is not None else 0
    reference = np.arange(n_cells if k else 0)
    if len(reference) > MOST_REFERENCE_CELLS:
        reference = np.sort(rng.choice(n_cells, MOST_REFERENCE_CELLS, replace=False))
    is_reference = np.zeros(n_cells, bool)
    is_reference[reference] = True
    sums = np.zeros((n_groups * n_parts, counts.n_columns))
    held = []
    for where, block in counts:
        own = slot[where]
        member = sparse.csr_matrix((np.ones(len(own), np.float32), (own, np.arange(len(own)))), (len(sums), len(own)))
        found = member @ block
        sums += found.toarray() if sparse.issparse(found) else found
        held.append(sparse.csr_matrix(block[is_reference[where]]))
    nearest = np.empty((n_cells, 0), int)
    if components is not None and k:
        nearest = _nearest(np.ascontiguousarray(components[:, :COMPONENTS], np.float32), reference, k)
    return Pooled(sums.reshape(n_groups, n_parts, -1), sparse.vstack(held, format="csr"), nearest, np.bincount(groups))


def _random_parts(groups: np.ndarray, n_parts: int, rng: np.random.Generator) -> np.ndarray:
    """Return the part of each cell, from 0: parts of a group are equally large but for one cell."""
    part = np.empty(len(groups), int)
    for group in range(int(groups.max()) + 1):
        own = np.flatnonzero(groups == group)
        part[own] = rng.permutation(len(own)) % n_parts
    return part


def _nearest(components: np.ndarray, reference: np.ndarray, k: int) -> np.ndarray:
    """Return rows among the reference cells of each cell's nearest others, [n_cells, k]."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(components[reference])
    found = search.kneighbors(components, return_distance=False)
    others = reference[found] != np.arange(len(components))[:, None]  # a reference cell finds itself: put last
    order = np.argsort(~others, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(found, order, 1)


def cell_profiles(counts: CountMatrix, pooled: Pooled, scale: ProfileScale) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield positions and profiles of cells pooled with their neighbours, float32 [<= 2048, n_genes].

    Parameters
    ----------
    counts
        Of all cells.
    pooled
        From :func:`pool`.
    scale
        Of the sample's profiles.
    """
    for where, block in counts:
        nearest = pooled.nearest[where]
        own = block if isinstance(block, np.ndarray) else block.toarray()
        if nearest.shape[1]:
            rows = np.repeat(np.arange(len(nearest)), nearest.shape[1])
            shape = (len(nearest), pooled.reference.shape[0])
            picks = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, nearest.ravel())), shape)
            own = own + (picks @ pooled.reference).toarray()
        yield where, scale.of_counts(own)


def shared_genes(bulk: pd.Index, sample: pd.Index) -> list[str]:
    """Return the bulk genes that the sample has too, in the order of the bulk file.

    Parameters
    ----------
    bulk, sample
        Names of genes.
    """
    return list(bulk[bulk.isin(sample)])
