"""Matrices of any type and place, as rows of float32: csr or dense, in memory or read from disk in blocks."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias, Union

import numpy as np
from scipy import sparse

from pharmacell.core.command import is_out_of_memory
from pharmacell.core.errors import InputError
from pharmacell.data.entries_on_disk import ENTRIES_AT_ONCE, EntriesOnDisk
from pharmacell.data.input_file import reason

MOST_IN_MEMORY = 20_000_000  # stored values; more stay on disk and are read in blocks
SPARSE_FORMATS = {"csr_matrix": "csr", "csc_matrix": "csc", "csr": "csr", "csc": "csc"}
Rows: TypeAlias = sparse.csr_matrix | np.ndarray
Matrix = Union[sparse.csr_matrix, np.ndarray, "StoredRows"]


@dataclass(frozen=True)
class StoredRows:
    """Rows of a matrix that stays on disk.

    Attributes
    ----------
    read
        Reads the rows from a start up to a stop.
    shape
        Rows and columns, after the choice of columns.
    source
        The file, for a message.
    columns
        Places of the columns that are wanted; None for all.
    is_sparse
        Whether blocks are csr.
    factor
        What the values are multiplied by.
    """

    read: Callable[[int, int], Any]
    shape: tuple[int, int]
    source: str
    is_sparse: bool
    columns: np.ndarray | None = None
    factor: float = 1.0

    def __getitem__(self, rows: slice) -> Rows:
        start, stop, _ = rows.indices(self.shape[0])
        try:
            block = in_memory(self.read(start, stop))
        except Exception as error:  # whatever a library makes of a damaged file
            if is_out_of_memory(error):
                raise
            raise InputError(
                f"{self.source}: rows {start} to {stop} cannot be read ({reason(error)}); the file is damaged"
            ) from None
        block = block if self.columns is None else block[:, self.columns]
        return block if self.factor == 1.0 else block * np.float32(self.factor)

    def take(self, columns: np.ndarray) -> "StoredRows":
        """Return the same rows with only these of their columns.

        Parameters
        ----------
        columns
            Places, int [n_columns].
        """
        chosen = columns if self.columns is None else self.columns[columns]
        return replace(self, shape=(self.shape[0], len(columns)), columns=chosen)

    def times(self, factor: float) -> "StoredRows":
        """Return the same rows, multiplied.

        Parameters
        ----------
        factor
            What to multiply by.
        """
        return replace(self, factor=self.factor * factor)


def in_memory(matrix: Any) -> Rows:
    """Return a matrix as float32 rows: csr without stored zeros, sorted and free of duplicates, or a plain array.

    Parameters
    ----------
    matrix
        Sparse of any format, an array of any number type, a masked array, a DataFrame.

    Raises
    ------
    ValueError
        If the values are no real numbers, or a sparse matrix contradicts itself.
    """
    if sparse.issparse(matrix):
        rows = sparse.csr_matrix(matrix)
        if rows.dtype.kind not in "biuf":
            raise ValueError(f"values are of type {rows.dtype}, not real numbers")
        with np.errstate(over="ignore"):
            rows = rows.astype(np.float32, copy=rows is matrix)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        return rows
    if isinstance(matrix, np.ma.MaskedArray):
        matrix = np.ma.filled(matrix.astype(np.float32), np.nan)
    values = np.asarray(matrix)
    if values.dtype == object:
        values = values.astype(np.float64)
    if values.dtype.kind not in "biuf" or values.ndim != 2:
        raise ValueError(f"values are of type {values.dtype} in {values.ndim} dimensions, not real numbers in two")
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, dtype=np.float32)


def stored_matrix(node: Any, source: str) -> Matrix:
    """Open a matrix of an h5ad or zarr store; a large one by rows stays on disk.

    Parameters
    ----------
    node
        An array, or a group with ``data``, ``indices`` and ``indptr``; of h5py or zarr.
    source
        The file, for a message.

    Raises
    ------
    ValueError
        If the parts of a sparse matrix contradict each other.
    """
    if hasattr(node, "shape"):
        if len(node.shape) != 2:
            raise ValueError(f"a matrix of {len(node.shape)} dimensions")
        if node.shape[0] * node.shape[1] <= MOST_IN_MEMORY:
            return in_memory(node[...])
        return StoredRows(lambda start, stop: node[start:stop], tuple(node.shape), source, False)
    attributes = dict(node.attrs)
    kind = attributes.get("encoding-type", attributes.get("h5sparse_format", b"csr"))
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if kind not in SPARSE_FORMATS or "indptr" not in node:
        raise ValueError(f"a matrix of the unknown kind '{kind}'")
    form = SPARSE_FORMATS[kind]
    given = attributes.get("shape", attributes.get("h5sparse_shape"))
    shape = None if given is None else (int(given[0]), int(given[1]))
    return sparse_parts(node, shape, form, source)


def sparse_parts(node: Any, shape: tuple[int, int] | None, form: str, source: str) -> Matrix:
    """Open a sparse matrix of three arrays.

    Parameters
    ----------
    node
        Holds ``data``, ``indices`` and ``indptr``.
    shape
        Rows and columns; None where it is not known.
    form
        ``csr`` or ``csc``.
    source
        The file, for a message.

    Raises
    ------
    ValueError
        If the parts contradict each other.
    """
    indptr = np.asarray(node["indptr"][...]).astype(np.int64)
    n_stored = node["data"].shape[0]
    if len(indptr) == 0 or indptr[0] != 0 or (np.diff(indptr) < 0).any() or indptr[-1] > n_stored:
        raise ValueError("the pointers of a sparse matrix contradict its values")
    if node["indices"].shape[0] != n_stored:
        raise ValueError("a sparse matrix has other numbers of values and of places")
    if shape is None:
        most = int(np.asarray(node["indices"][...]).max(initial=-1)) + 1
        shape = (len(indptr) - 1, most) if form == "csr" else (most, len(indptr) - 1)
    if shape[["csr", "csc"].index(form)] != len(indptr) - 1:
        raise ValueError("the pointers of a sparse matrix contradict its shape")
    if form == "csr" and n_stored > MOST_IN_MEMORY:

        def read(start: int, stop: int) -> sparse.csr_matrix:
            first, last = int(indptr[start]), int(indptr[stop])
            parts = (node["data"][first:last], node["indices"][first:last], indptr[start : stop + 1] - first)
            return _checked(parts, (stop - start, shape[1]), "csr")

        return StoredRows(read, shape, source, True)
    if form == "csc" and n_stored > MOST_IN_MEMORY:
        return StoredRows(_by_rows(node, indptr, shape), shape, source, True)
    last = int(indptr[-1])
    return in_memory(_checked((node["data"][:last], node["indices"][:last], indptr), shape, form))


def _by_rows(node: Any, indptr: np.ndarray, shape: tuple[int, int]) -> Callable[[int, int], sparse.csr_matrix]:
    """Return what reads rows of a matrix that is stored by columns; it is sorted on disk when the first are read."""

    @cache
    def sorted_entries() -> EntriesOnDisk:
        entries = EntriesOnDisk(shape, int(indptr[-1]))
        ends = np.searchsorted(indptr, np.arange(0, indptr[-1], ENTRIES_AT_ONCE), side="left")
        for start, stop in pairwise(np.unique([0, *ends, shape[1]]).tolist()):
            first, last = int(indptr[start]), int(indptr[stop])
            parts = (node["data"][first:last], node["indices"][first:last], indptr[start : stop + 1] - first)
            block = _checked(parts, (shape[0], stop - start), "csc").tocoo()
            entries.add(block.row, block.col + start, block.data)
        return entries

    return lambda start, stop: sorted_entries().read(start, stop)


def _checked(parts: tuple, shape: tuple[int, int], form: str) -> sparse.csr_matrix:
    """Put a sparse matrix together; places outside of it are refused."""
    data, indices, indptr = parts
    indices, data = np.asarray(indices), np.asarray(data)
    width = shape[1] if form == "csr" else shape[0]
    if len(indices) and (indices.min() < 0 or indices.max() >= width):
        raise ValueError("a sparse matrix has values outside its shape")
    if data.dtype == bool or data.dtype == np.float16:  # types that scipy does not add up
        data = data.astype(np.float32)
    if max(indptr[-1], width) < 2**31:
        indices, indptr = indices.astype(np.int32, copy=False), indptr.astype(np.int32)
    kind = sparse.csr_matrix if form == "csr" else sparse.csc_matrix
    return kind((data, indices, indptr), shape=shape)


def by_columns(matrix: Matrix, columns: np.ndarray) -> Matrix:
    """Return only some columns of a matrix.

    Parameters
    ----------
    matrix
        Any of ours.
    columns
        Places, int [n_columns].
    """
    if isinstance(matrix, StoredRows):
        return matrix.take(columns)
    return matrix[:, columns]
