"""Read Matrix Market in pieces.

SciPy's reader ends the whole process on some damaged files, where no Python code can say so.
"""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data import matrices
from pharmacell.data.entries_on_disk import EntriesOnDisk
from pharmacell.data.input_file import is_packed, opener_of
from pharmacell.data.matrices import Matrix, StoredRows, in_memory

PIECE = 1 << 24  # bytes
MOST_LISTED = 100_000_000  # values of the form that lists all, zeros too
KINDS = {"integer": 3, "real": 3, "double": 3, "unsigned-integer": 3, "pattern": 2}  # and numbers of an entry


def shape_of(path: Path) -> tuple[int, int]:
    """Return rows and columns as the head of the file says.

    Parameters
    ----------
    path
        Matrix Market, packed or not: coordinate form, or array form of at most 100 million values.

    Raises
    ------
    InputError
        If it is no such file.
    """
    with opener_of(path)(path, "rb") as file:
        return _head(file, path)[0][:2]


def read_matrix_market(path: Path, cells_in_columns: bool) -> Matrix:
    """Read a matrix; of a large one the entries are sorted on disk.

    Parameters
    ----------
    path
        Matrix Market, packed or not: coordinate form, or array form of at most 100 million values.
    cells_in_columns
        Whether its columns are cells, as Cell Ranger writes it.

    Returns
    -------
    Matrix
        float32 [n_cells, n_genes]; entries of one place are added up.

    Raises
    ------
    InputError
        If it is no such file, is cut short, or an entry lies outside the matrix.
    """
    with opener_of(path)(path, "rb") as file:
        (n_rows, n_columns, n_entries), width = _head(file, path)
        if width == 1:
            values = _read_array(file, (n_rows, n_columns), path)
            return in_memory(values.T if cells_in_columns else values)
        shape = (n_columns, n_rows) if cells_in_columns else (n_rows, n_columns)
        on_disk = EntriesOnDisk(shape, n_entries) if n_entries > matrices.MOST_IN_MEMORY else None
        parts, filled = [], 0
        for entries in _pieces(file, width, path):
            filled += len(entries)
            if filled > n_entries:
                raise InputError(f"{path}: more entries than its head says ({n_entries}); the file is damaged")
            places = _places(entries, (n_rows, n_columns), path)
            cells, genes = places[::-1] if cells_in_columns else places
            values = entries[:, 2].astype(np.float32) if width > 2 else np.ones(len(entries), np.float32)
            if on_disk is None:
                parts.append((cells, genes, values))
            else:
                on_disk.add(cells, genes, values)
    if filled != n_entries:
        raise InputError(f"{path}: {filled} of {n_entries} entries are there; the file is cut short, copy it again")
    if on_disk is not None:
        return StoredRows(on_disk.read, shape, str(path), True)
    cells, genes, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return in_memory(sparse.coo_matrix((values, (cells, genes)), shape=shape))


def _pieces(file: IO[bytes], width: int, path: Path) -> Iterator[np.ndarray]:
    """Yield the entries in pieces, float64 [n, width]."""
    left = b""
    while piece := file.read(PIECE):
        text, newline, left = (left + piece).rpartition(b"\n")
        yield _entries(text + newline, width, path)
    yield _entries(left, width, path)


def _head(file: IO[bytes], path: Path) -> tuple[tuple[int, int, int], int]:
    """Read the lines above the entries; return rows, columns and entries, and how many numbers an entry has."""
    words = file.readline(1000).decode("latin-1").lower().split()
    if words[:2] != ["%%matrixmarket", "matrix"] or len(words) < 5:
        raise InputError(f"{path}: does not begin with %%MatrixMarket; the file is damaged or of another kind")
    is_array = words[2] == "array"
    if words[4] != "general":
        raise InputError(
            f"{path}: a {words[4]} matrix, which counts of cells and genes cannot be; it may hold distances or graph "
            "weights: give the matrix of counts"
        )
    if words[2] not in ("coordinate", "array") or words[3] not in KINDS or (is_array and words[3] == "pattern"):
        raise InputError(f"{path}: Matrix Market of the kind '{' '.join(words[2:5])}'; give coordinate integer general")
    line = file.readline(1000)
    while line.startswith(b"%") or (line and not line.strip()):
        line = file.readline(1_000_000)
    try:
        sizes = [int(word) for word in line.split()]
        n_rows, n_columns, n_entries = [*sizes, sizes[0] * sizes[1]] if is_array else sizes
    except (ValueError, IndexError):
        raise InputError(f"{path}: no line with rows, columns and entries; the file is damaged") from None
    if min(n_rows, n_columns, n_entries) < 0 or n_entries > n_rows * n_columns or max(n_rows, n_columns) >= 2**31:
        raise InputError(f"{path}: {n_entries} entries in {n_rows} x {n_columns}; the file is damaged")
    if is_array and n_entries > MOST_LISTED:
        raise InputError(
            f"{path}: lists all {n_rows} x {n_columns} values, zeros too, which is too much; write it in coordinate "
            "form (R: Matrix::writeMM of a sparse matrix)"
        )
    if not is_packed(path) and n_entries * 2 > path.stat().st_size:
        raise InputError(f"{path}: too short for {n_entries} entries; the file is cut short, copy it again")
    return (n_rows, n_columns, n_entries), 1 if is_array else KINDS[words[3]]


def _read_array(file: IO[bytes], shape: tuple[int, int], path: Path) -> np.ndarray:
    """Read values that are listed column by column."""
    values = _entries(file.read(), 1, path).ravel()
    if len(values) != shape[0] * shape[1]:
        raise InputError(f"{path}: {len(values)} of {shape[0] * shape[1]} values are there; copy the file again")
    return values.reshape(shape, order="F")


def _entries(text: bytes, width: int, path: Path) -> np.ndarray:
    """Return the numbers of whole lines, float64 [n, width]."""
    if not text.strip():
        return np.empty((0, width))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            numbers = np.fromstring(text.decode("latin-1"), dtype=np.float64, sep=" ")
    except (DeprecationWarning, ValueError):
        raise InputError(f"{path}: something among its entries is not a number; the file is damaged") from None
    if len(numbers) % width:
        raise InputError(f"{path}: an entry without {width} numbers; the file is damaged")
    return numbers.reshape(-1, width)


def _places(entries: np.ndarray, shape: tuple[int, int], path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of entries from 0, int32 [n]."""
    places = entries[:, :2]
    if not ((places >= 1) & (places < 2**31) & (places == np.rint(places))).all():
        raise InputError(f"{path}: an entry's place is not a whole number from 1; the file is damaged")
    if not (places <= shape).all():
        raise InputError(f"{path}: an entry lies outside of {shape[0]} x {shape[1]}; the file is damaged")
    rows, columns = (places - 1).astype(np.int32).T
    return rows, columns
