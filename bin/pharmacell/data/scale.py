"""What the values of an expression matrix are: counts, tpm, log1p or z-scores."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pharmacell.core.errors import InputError

LARGEST_LOG = 30.0  # ln or log2 of any count or TPM plus one stays below
CHUNK = 4096  # rows


@dataclass(frozen=True)
class Values:
    """What was seen in a matrix.

    Attributes
    ----------
    low, high
        Smallest and largest value.
    whole
        Whether all values are whole numbers.
    bad
        Row and column of the first value that is not finite, if there is one.
    negative
        Row and column of the first negative value, if there is one.
    """

    low: float
    high: float
    whole: bool
    bad: tuple[int, int] | None
    negative: tuple[int, int] | None

    def __str__(self) -> str:
        kind = "whole numbers" if self.whole else "fractions"
        return f"{kind} between {self.low:.4g} and {self.high:.4g}"


def blocks(matrix: sparse.csr_matrix | np.ndarray) -> Iterator[tuple[int, sparse.csr_matrix | np.ndarray]]:
    """Yield the first row and the rows of each block of a matrix, which is never copied as a whole."""
    for start in range(0, matrix.shape[0], CHUNK):
        yield start, matrix[start : start + CHUNK]


def look_at(matrix: sparse.csr_matrix | np.ndarray) -> Values:
    """Look at all values of a matrix [n_cells, n_genes], block by block."""
    low, high, whole, bad, negative = np.inf, -np.inf, True, None, None
    for start, block in blocks(matrix):
        values = block.data if sparse.issparse(block) else block
        if values.size == 0:
            continue
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        finite = np.isfinite(values)
        whole = whole and bool((values == np.rint(values)).all())
        if bad is None and not finite.all():
            bad = _place(block, ~finite, start)
        if negative is None and (values < 0).any():
            negative = _place(block, values < 0, start)
    if sparse.issparse(matrix) and matrix.nnz < matrix.shape[0] * matrix.shape[1]:
        low, high = min(low, 0.0), max(high, 0.0)
    return Values(low, high, whole, bad, negative)


def _place(block: sparse.csr_matrix | np.ndarray, mask: np.ndarray, start: int) -> tuple[int, int]:
    """Return row and column of the first value that the mask marks."""
    first = int(np.flatnonzero(mask)[0])
    if not sparse.issparse(block):
        return start + first // block.shape[1], first % block.shape[1]
    return start + int(np.searchsorted(block.indptr, first, side="right")) - 1, int(block.indices[first])


def settle_scale(values: Values, told: str, source: str, place: str = "") -> tuple[str, str]:
    """Decide on the scale.

    Parameters
    ----------
    values
        What was seen.
    told
        What the user says, or ``auto``.
    source
        The file, for a message.
    place
        Where the first negative value stands, in words, for a message.

    Returns
    -------
    scale : str
        ``counts``, ``tpm``, ``log1p`` or ``zscore``.
    statement : str
        A sentence saying so, and why.

    Raises
    ------
    InputError
        If the values contradict what the user says.
    """
    seen = _detect(values)
    if told in ("auto", seen):
        how = "detected" if told == "auto" else "as told"
        return seen, f"values are {seen} ({how}: {values})"
    if (seen, told) == ("counts", "tpm"):  # rounded TPM
        return told, f"values are {told} (as told: {values})"
    where = f", {place} is negative" if values.low < 0 and place else ""
    raise InputError(
        f"{source}: --scale {told} contradicts the values, which are {values}{where} and look like {seen}; "
        f"use --scale {seen} or auto, or give the right matrix"
    )


def _detect(values: Values) -> str:
    """Return the scale that the values speak for."""
    if values.low < 0:
        return "zscore"
    if values.whole:
        return "counts"
    return "log1p" if values.high <= LARGEST_LOG else "tpm"
