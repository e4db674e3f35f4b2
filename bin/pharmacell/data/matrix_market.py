"""Read Matrix Market in pieces.

SciPy's reader ends the whole process on some damaged files, where no Python code can say so.
"""

import gzip
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data import matrices
from pharmacell.data.entries_on_disk import EntriesOnDisk
from pharmacell.data.matrices import Matrix, StoredRows, in_memory

File: TypeAlias = IO[bytes] | gzip.GzipFile
PIECE = 1 << 24  # bytes
KINDS = {"integer": 3, "real": 3, "double": 3, "unsigned-integer": 3, "pattern": 2}  # and numbers of an entry


def shape_of(path: Path) -> tuple[int, int]:
    """Return rows and columns as the head of the file says.

    Parameters
    ----------
    path
        Matrix Market in coordinate form, plain or gzipped.

    Raises
    ------
    InputError
        If it is no such file.
    """
    with _open(path) as file:
        return _head(file, path)[0][:2]


def read_matrix_market(path: Path, cells_in_columns: bool) -> Matrix:
    """Read a sparse matrix; of a large one the entries are sorted on disk.

    Parameters
    ----------
    path
        Matrix Market in coordinate form, plain or gzipped.
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
    with _open(path) as file:
        (n_rows, n_columns, n_entries), width = _head(file, path)
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


def _open(path: Path) -> File:
    """Open a file, plain or gzipped."""
    return gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")


def _pieces(file: File, width: int, path: Path) -> Iterator[np.ndarray]:
    """Yield the entries in pieces, float64 [n, width]."""
    left = b""
    while piece := file.read(PIECE):
        text, newline, left = (left + piece).rpartition(b"\n")
        yield _entries(text + newline, width, path)
    yield _entries(left, width, path)


def _head(file: File, path: Path) -> tuple[tuple[int, int, int], int]:
    """Read the lines above the entries; return rows, columns and entries, and how many numbers an entry has."""
    words = file.readline(1000).decode("latin-1").lower().split()
    if words[:2] != ["%%matrixmarket", "matrix"] or len(words) < 5:
        raise InputError(f"{path}: does not begin with %%MatrixMarket; the file is damaged or of another kind")
    if words[2] != "coordinate" or words[3] not in KINDS or words[4] != "general":
        raise InputError(f"{path}: Matrix Market of the kind '{' '.join(words[2:5])}'; give coordinate integer general")
    line = file.readline(1000)
    while line.startswith(b"%") or (line and not line.strip()):
        line = file.readline(1_000_000)
    try:
        n_rows, n_columns, n_entries = (int(word) for word in line.split())
    except ValueError:
        raise InputError(f"{path}: no line with rows, columns and entries; the file is damaged") from None
    if min(n_rows, n_columns, n_entries) < 0 or n_entries > n_rows * n_columns or max(n_rows, n_columns) >= 2**31:
        raise InputError(f"{path}: {n_entries} entries in {n_rows} x {n_columns}; the file is damaged")
    if not path.name.lower().endswith(".gz") and n_entries * 2 > path.stat().st_size:
        raise InputError(f"{path}: too short for {n_entries} entries; the file is cut short, copy it again")
    return (n_rows, n_columns, n_entries), KINDS[words[3]]


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
