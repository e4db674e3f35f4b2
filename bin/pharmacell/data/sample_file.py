"""The h5ad of a prepared sample, written block by block."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from pharmacell.data.matrices import Rows

if TYPE_CHECKING:
    import h5py

AT_ONCE = 1 << 17  # values that are compressed together
COUNTS = "layers/counts"
COMPRESSED = {"compression": "lzf", "shuffle": True, "chunks": (AT_ONCE,), "maxshape": (None,)}


class SampleFile:
    """An h5ad whose cells are appended; they are never in memory as a whole.

    The logged values stand in ``X``. Counts stand in ``layers["counts"]``, which shares the places of its values with
    ``X``: both names lead to one array in the file (a hard link of HDF5).

    Parameters
    ----------
    file
        Open for writing.
    n_genes
        Columns of the matrix.
    """

    def __init__(self, file: "h5py.File", n_genes: int) -> None:
        self.file, self.n_genes = file, n_genes
        self.pointers = [np.zeros(1, np.int64)]
        self.n_cells = 0
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        self.annotate({name: {} for name in ("layers", "varm", "obsp", "varp")})

    def append(self, x: Rows, counts: sparse.csr_matrix | None = None) -> None:
        """Add cells below those that are there.

        Parameters
        ----------
        x
            Rows on their final scale, float32 [n, n_genes]; all blocks sparse or all dense.
        counts
            Their counts, with values at the places of those of ``x``; None where the sample has none.
        """
        if isinstance(x, np.ndarray):
            self._extend("X", x)
        else:
            self._extend("X/data", x.data)
            self._extend("X/indices", x.indices.astype(np.int32, copy=False))
            self.pointers.append(self.pointers[-1][-1] + x.indptr[1:].astype(np.int64))
            if counts is not None:
                self._extend(f"{COUNTS}/data", counts.data)
        self.n_cells += x.shape[0]

    def _extend(self, name: str, values: np.ndarray) -> None:
        """Add values, or rows, to the end of an array of the file."""
        if name not in self.file:
            options: Any = COMPRESSED
            if values.ndim == 2:
                rows = max(1, AT_ONCE // self.n_genes)
                options = COMPRESSED | {"chunks": (rows, self.n_genes), "maxshape": (None, self.n_genes)}
            self.file.create_dataset(name, data=values, **options)
            return
        array = self.file[name]
        end = len(array)
        array.resize(end + len(values), axis=0)
        array[end:] = values

    def complete(self) -> None:
        """Write what makes matrices of the values, once all cells are there."""
        if len(self.pointers) == 1:
            self.file["X"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
            return
        pointers = np.concatenate(self.pointers)
        small = pointers[-1] <= np.iinfo(np.int32).max
        self.file["X"].create_dataset(
            "indptr", data=pointers.astype(np.int32) if small else pointers, compression="lzf"
        )
        shape = np.array((self.n_cells, self.n_genes), np.int64)
        for name in ("X", COUNTS):
            if name in self.file:
                self.file[name].attrs.update(
                    {"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": shape}
                )
        if COUNTS in self.file:
            for part in ("indices", "indptr"):
                self.file[f"{COUNTS}/{part}"] = self.file[f"X/{part}"]

    def annotate(self, parts: Mapping[str, Any]) -> None:
        """Write what stands beside the matrices.

        Parameters
        ----------
        parts
            Name, such as ``obs``, to content.
        """
        from anndata.io import write_elem

        for name, content in parts.items():
            write_elem(self.file, name, content, dataset_kwargs={"compression": "lzf"})
