"""Sparse matrices in any order, brought to rows without holding them: their entries wait in temporary files."""

import tempfile
from typing import IO

import numpy as np
from scipy import sparse

ENTRIES_AT_ONCE = 4_000_000  # of a file, on average; 48 MB
ENTRY = np.dtype([("row", np.int32), ("column", np.int32), ("value", np.float32)])


class EntriesOnDisk:
    """Entries of a matrix, sorted into files by their row.

    Each file takes the entries of successive rows as they come; they are put in order when the rows are read. The
    files lie in the folder for temporary files (``TMPDIR``), have no names and are gone with the process.

    Parameters
    ----------
    shape
        Rows and columns.
    n_entries
        How many there will be, about.
    """

    def __init__(self, shape: tuple[int, int], n_entries: int) -> None:
        n_files = max(1, n_entries // ENTRIES_AT_ONCE)
        self.shape = shape
        self.rows_of_a_file = max(1, -(-shape[0] // n_files))
        self.files: dict[int, IO[bytes]] = {}
        self.read_last: tuple[int, sparse.csr_matrix] | None = None

    def add(self, rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> None:
        """Take entries.

        Parameters
        ----------
        rows, columns
            Their places, int [n].
        values
            [n].
        """
        entries = np.empty(len(rows), ENTRY)
        entries["row"], entries["column"], entries["value"] = rows, columns, values
        numbers = rows // self.rows_of_a_file
        order = np.argsort(numbers, kind="stable")
        entries, numbers = entries[order], numbers[order]
        found, starts = np.unique(numbers, return_index=True)
        for number, first, last in zip(found.tolist(), starts, [*starts[1:], len(entries)], strict=False):
            if number not in self.files:
                self.files[number] = tempfile.TemporaryFile()  # noqa: SIM115  (it must live as long as the matrix)
            self.files[number].write(entries[first:last].tobytes())

    def read(self, start: int, stop: int) -> sparse.csr_matrix:
        """Return rows, float32 [stop - start, n_columns]; entries of one place are added up.

        Parameters
        ----------
        start, stop
            The first row and the one behind the last.
        """
        size = self.rows_of_a_file
        parts = [
            self._rows_of(number)[max(start - number * size, 0) : stop - number * size]
            for number in range(start // size, -(-stop // size))
        ]
        return sparse.vstack(parts, format="csr") if len(parts) > 1 else parts[0]

    def _rows_of(self, number: int) -> sparse.csr_matrix:
        """Return all rows of a file; those read last are kept, as a block of rows may end within them."""
        if self.read_last is None or self.read_last[0] != number:
            first = number * self.rows_of_a_file
            entries = np.empty(0, ENTRY)
            if number in self.files:
                self.files[number].seek(0)
                entries = np.frombuffer(self.files[number].read(), ENTRY)
            shape = (min(self.rows_of_a_file, self.shape[0] - first), self.shape[1])
            places = (entries["row"] - first, entries["column"])
            self.read_last = number, sparse.coo_matrix((entries["value"], places), shape=shape).tocsr()
        return self.read_last[1]
