"""Chunked reading of the expression of a prepared sample: never dense as a whole."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.data.annotations import obs_of_drug
from pharmacell.data.matrices import Rows

CHUNK_CELLS = 2048


class CellMatrix:
    """Rows of ``X`` of a prepared sample, restricted to given genes, read from disk in chunks.

    Parameters
    ----------
    path
        A ``<sample>.h5ad`` written by QC.
    drug
        Whose known response is meant, where the sample has that to several drugs.

    Raises
    ------
    InputError
        If the file is missing or is not an h5ad.
    """

    def __init__(self, path: str | Path, drug: str | None = None) -> None:
        import h5py
        from anndata.io import read_elem, sparse_dataset

        if not Path(path).is_file():
            raise InputError(f"{path}: no such file; give the h5ad that qc wrote")
        try:
            self.file = h5py.File(path)
            self.obs = read_elem(self.file["obs"])
            self.uns = dict(read_elem(self.file["uns/pharmacell"]))
            self.genes = read_elem(self.file["var"]).index
            x = self.file["X"]
        except (OSError, KeyError) as error:
            raise InputError(f"{path}: not an h5ad written by qc ({error}); run qc on the sample first") from error
        if drug:
            self.obs = obs_of_drug(self.obs, drug)
        self.is_sparse = not isinstance(x, h5py.Dataset)
        self.x = sparse_dataset(x) if self.is_sparse else x

    def __len__(self) -> int:
        return len(self.obs)

    def components(self) -> np.ndarray:
        """Return the principal components of all cells, float32 [n_cells, n_components].

        Raises
        ------
        InputError
            If the file has none.
        """
        from anndata.io import read_elem

        if "obsm/X_pca" not in self.file:
            raise InputError(f"{self.file.filename}: obsm has no X_pca; run qc on the sample first")
        return read_elem(self.file["obsm/X_pca"])

    def block(self, rows: slice, columns: np.ndarray) -> Rows:
        """Return a block of rows, float32 [n, len(columns)], csr or dense as it is in the file.

        Parameters
        ----------
        rows
            Which cells.
        columns
            Which of the sample's genes, int [n_columns].
        """
        block = self.x[rows]
        return block[:, columns].astype(np.float32, copy=False)

    def columns_of(self, genes: Sequence[str]) -> np.ndarray:
        """Return the columns of genes, int [n_genes].

        Parameters
        ----------
        genes
            Their names.

        Raises
        ------
        InputError
            If a gene is not among the sample's.
        """
        columns = self.genes.get_indexer(list(genes))
        if (columns < 0).any():
            missing = [gene for gene, column in zip(genes, columns, strict=True) if column < 0]
            raise InputError(
                f"{len(missing)} genes of the model are not in the sample ({', '.join(missing[:3])}); "
                "predict the sample that the model was adapted to"
            )
        return columns

    def blocks(self, genes: Sequence[str], size: int = CHUNK_CELLS) -> Iterator[Rows]:
        """Yield blocks [<= size, n_genes] in the order of the cells, csr or dense as they are in the file.

        Parameters
        ----------
        genes
            Their names.
        size
            Cells of a block.

        Raises
        ------
        InputError
            If a gene is not among the sample's.
        """
        columns = self.columns_of(genes)
        for start in range(0, len(self), size):
            yield self.block(slice(start, start + size), columns)

    def chunks(self, genes: Sequence[str], size: int = CHUNK_CELLS) -> Iterator[np.ndarray]:
        """Yield the blocks of :meth:`blocks` as dense arrays.

        Parameters
        ----------
        genes, size
            As in :meth:`blocks`.

        Raises
        ------
        InputError
            If a gene is not among the sample's.
        """
        for block in self.blocks(genes, size):
            yield block if isinstance(block, np.ndarray) else block.toarray()

    def rows(self, genes: Sequence[str], positions: np.ndarray) -> np.ndarray:
        """Return some cells, float32 [n, n_genes]; only they are ever dense.

        Parameters
        ----------
        genes
            Their names.
        positions
            Of the cells, sorted, [n].

        Raises
        ------
        InputError
            If a gene is not among the sample's.
        """
        found = np.empty((len(positions), len(genes)), np.float32)
        for place, block in self._chosen(genes, positions):
            found[place] = block if isinstance(block, np.ndarray) else block.toarray()
        return found

    def rows_as_stored(self, genes: Sequence[str], positions: np.ndarray) -> Rows:
        """Return some cells, float32 [n, n_genes], csr or dense as they are in the file.

        Parameters
        ----------
        genes, positions
            As in :meth:`rows`.

        Raises
        ------
        InputError
            If a gene is not among the sample's.
        """
        from scipy.sparse import vstack

        if not self.is_sparse:
            return self.rows(genes, positions)
        return vstack([block for _, block in self._chosen(genes, positions)], format="csr")

    def _chosen(self, genes: Sequence[str], positions: np.ndarray) -> Iterator[tuple[slice, Rows]]:
        """Yield some cells in blocks, and the place of each block among them."""
        columns = self.columns_of(genes)
        for start in range(0, len(self), CHUNK_CELLS):
            first, last = np.searchsorted(positions, [start, start + CHUNK_CELLS])
            if first < last:
                block = self.x[start : start + CHUNK_CELLS][positions[first:last] - start][:, columns]
                yield slice(first, last), block.astype(np.float32, copy=False)

    def sample(self, genes: Sequence[str], most: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return up to ``most`` cells, drawn at random: their positions (sorted) and their rows [n, n_genes].

        Parameters
        ----------
        genes
            Names of the genes.
        most
            How many cells.
        rng
            Draws them.
        """
        chosen = np.arange(len(self))
        if len(self) > most:
            chosen = np.sort(rng.choice(len(self), most, replace=False))
        return chosen, self.rows(genes, chosen)
