"""Read Matrix Market in pieces.

SciPy's reader ends the whole process on some damaged files, where no Python code can say so.
"""

import gzip
import warnings
from pathlib import Path
from typing import IO

import numpy as np
from scipy import sparse

from pharmacell.core.errors import InputError

PIECE = 1 << 24  # bytes
KINDS = {"integer": 3, "real": 3, "double": 3, "unsigned-integer": 3, "pattern": 2}  # and numbers of an entry


def read_matrix_market(path: Path) -> sparse.csr_matrix:
    """Read a sparse matrix.

    Parameters
    ----------
    path
        Matrix Market in coordinate form, plain or gzipped.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32, as in the file; entries of one place are added up.

    Raises
    ------
    InputError
        If it is no such file, is cut short, or an entry lies outside the matrix.
    """
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rb") as file:
        (n_rows, n_columns, n_entries), width = _head(file, path)
        rows, columns = np.empty(n_entries, np.int32), np.empty(n_entries, np.int32)
        values, filled, left = np.ones(n_entries, np.float32), 0, b""
        while piece := file.read(PIECE):
            text, newline, left = (left + piece).rpartition(b"\n")
            filled = _fill((rows, columns, values), filled, _entries(text + newline, width, path), path)
        filled = _fill((rows, columns, values), filled, _entries(left, width, path), path)
    if filled != n_entries:
        raise InputError(f"{path}: {filled} of {n_entries} entries are there; the file is cut short, copy it again")
    for places, size in ((rows, n_rows), (columns, n_columns)):
        if n_entries and (places.min() < 1 or places.max() > size):
            raise InputError(f"{path}: an entry lies outside of {n_rows} x {n_columns}; the file is damaged")
    return sparse.coo_matrix((values, (rows - 1, columns - 1)), shape=(n_rows, n_columns)).tocsr()


def _head(file: IO[bytes] | gzip.GzipFile, path: Path) -> tuple[tuple[int, int, int], int]:
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


def _fill(into: tuple[np.ndarray, ...], filled: int, entries: np.ndarray, path: Path) -> int:
    """Put entries in their place; return how many are there then."""
    end = filled + len(entries)
    if end > len(into[0]):
        raise InputError(f"{path}: more entries than its head says ({len(into[0])}); the file is damaged")
    outside = entries[:, :2]
    if len(entries) and not ((outside >= 1) & (outside < 2**31) & (outside == np.rint(outside))).all():
        raise InputError(f"{path}: an entry's place is not a whole number from 1; the file is damaged")
    for part, values in zip(into, entries.T, strict=False):
        part[filled:end] = values
    return end
