"""What the values of an expression matrix are: counts, tpm, log1p or z-scores."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.matrices import Matrix, StoredRows

LARGEST_LOG = 30.0  # ln or log2 of any count or TPM plus one stays below
CHUNK = 4096  # rows
LOOKED_AT = 300  # cells whose sums and steps are compared
SAME_SUM = 0.02  # relative spread of the cells' sums that were made the same
TOTALS = (1e6, 1e4)  # that values are brought to before a logarithm
LEAST_OF_TOTAL = 0.6  # of it, that a table without some of its genes still holds
FEWEST_VALUES = 15  # of a cell, to see steps in them
SHARE_OF_STEPS = 0.9  # of the values that are multiples of the smallest one
SHARE_AT_WHOLE = 0.65  # of the values that lie at, or just below, a whole number; 0.45 would by chance
UNDO: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "e": np.expm1,
    "2": lambda x: np.exp2(x) - 1,
    "10": lambda x: np.power(10.0, x) - 1,
}
NATURAL = {"e": 1.0, "2": float(np.log(2)), "10": float(np.log(10))}  # what brings a logarithm to base e


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
    guess
        Scale that positive fractions speak for.
    why
        The reason for the guess, in words.
    base
        Of the logarithm, where the values show one: ``e``, ``2`` or ``10``.
    """

    low: float
    high: float
    whole: bool
    bad: tuple[int, int] | None
    negative: tuple[int, int] | None
    guess: str = "log1p"
    why: str = ""
    base: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether all values are zero, or there are none."""
        return self.bad is None and not (self.low < 0 or self.high > 0)

    def __str__(self) -> str:
        kind = "whole numbers" if self.whole else "fractions"
        return f"{kind} between {self.low:.4g} and {self.high:.4g}"


def blocks(matrix: Matrix) -> Iterator[tuple[int, sparse.csr_matrix | np.ndarray]]:
    """Yield the first row and the rows of each block of a matrix, which is never copied as a whole.

    Parameters
    ----------
    matrix
        csr, dense, or rows on disk; [n_cells, n_genes].
    """
    for start in range(0, matrix.shape[0], CHUNK):
        yield start, matrix[start : start + CHUNK]


def look_at(matrix: Matrix) -> Values:
    """Look at all values of a matrix, block by block.

    Parameters
    ----------
    matrix
        csr, dense, or rows on disk; [n_cells, n_genes].
    """
    low, high, whole, bad, negative = np.inf, -np.inf, True, None, None
    n_seen = 0
    guess: tuple[str, str, str | None] = ("log1p", "", None)
    for start, block in blocks(matrix):
        values = block if isinstance(block, np.ndarray) else block.data
        n_seen += values.size
        if values.size == 0:
            continue
        low, high = min(low, float(values.min())), max(high, float(values.max()))
        finite = np.isfinite(values)
        whole = whole and bool((values == np.rint(values)).all())
        if bad is None and not finite.all():
            bad = _place(block, ~finite, start)
        if negative is None and (values < 0).any():
            negative = _place(block, values < 0, start)
        if start == 0 and bad is None and negative is None and not whole:
            guess = _fractions(block)
    if n_seen < matrix.shape[0] * matrix.shape[1]:
        low, high = min(low, 0.0), max(high, 0.0)
    return Values(low, high, whole, bad, negative, *guess)


def _place(block: sparse.csr_matrix | np.ndarray, mask: np.ndarray, start: int) -> tuple[int, int]:
    """Return row and column of the first value that the mask marks."""
    first = int(np.flatnonzero(mask)[0])
    if isinstance(block, np.ndarray):
        return start + first // block.shape[1], first % block.shape[1]
    return start + int(np.searchsorted(block.indptr, first, side="right")) - 1, int(block.indices[first])


def _fractions(block: sparse.csr_matrix | np.ndarray) -> tuple[str, str, str | None]:
    """Return the scale that positive fractions speak for, why, and the base of a logarithm."""
    rows = block[np.linspace(0, block.shape[0] - 1, min(LOOKED_AT, block.shape[0])).astype(int)]
    csr = sparse.csr_matrix(rows)
    cells = [csr.data[a:b].astype(float) for a, b in zip(csr.indptr[:-1], csr.indptr[1:], strict=True) if b > a]
    cells = [cell[cell != 0] for cell in cells]
    cells = [cell for cell in cells if len(cell)]
    if not cells:
        return "log1p", "", None
    high = max(float(cell.max()) for cell in cells)
    if len(cells) > 2:
        if high <= LARGEST_LOG:
            spread = {base: _spread(_sums(cells, undo)) for base, undo in UNDO.items()}
            base = min(spread, key=lambda one: spread[one])
            if spread[base] <= SAME_SUM:
                return "log1p", f"the cells' sums are the same once the logarithm to base {base} is undone", base
        if _same([float(cell.sum()) for cell in cells]):
            return "tpm", "the cells' sums are the same", None
    if _steps(cells):
        if _same([float(cell.min()) for cell in cells]):
            return "counts", "all values are whole multiples of one number, as counts that were scaled are", None
        return "tpm", "the values of a cell are whole multiples of one number", None
    if high <= LARGEST_LOG:
        for base, undo in UNDO.items():
            if _steps([undo(cell) for cell in cells]):
                return "log1p", f"the values are whole multiples once the logarithm to base {base} is undone", base
    parts = np.concatenate(cells) % 1
    if np.mean((parts >= 0.6) | (parts <= 0.05)) >= SHARE_AT_WHOLE:
        return "counts", "most values lie at or just below whole numbers, as corrected counts do", None
    if high <= LARGEST_LOG:
        return _by_total(cells) or ("log1p", f"no value exceeds {LARGEST_LOG:g}", None)
    return "tpm", f"values exceed {LARGEST_LOG:g}", None


def _sums(cells: list[np.ndarray], undo: Callable[[np.ndarray], np.ndarray]) -> list[float]:
    """Return the cells' sums once a logarithm is undone."""
    return [float(undo(cell).sum()) for cell in cells]


def _spread(sums: list[float]) -> float:
    """Return the relative spread of the cells' sums."""
    return float(np.std(sums) / np.mean(sums))


def _same(sums: list[float]) -> bool:
    """Tell whether the cells' sums were made the same."""
    return _spread(sums) <= SAME_SUM


def _by_total(cells: list[np.ndarray]) -> tuple[str, str, str] | None:
    """Return scale, reason and base where the sums of nearly all cells lie just below a total that is commonly used."""
    found = {}
    for base, undo in UNDO.items():
        sums = np.array(_sums(cells, undo))
        for total in TOTALS:
            if np.mean((sums >= LEAST_OF_TOTAL * total) & (sums <= 1.001 * total)) >= SHARE_OF_STEPS:
                found[base, total] = abs(float(np.median(sums)) / total - 1)
    if not found:
        return None
    base, total = min(found, key=lambda one: found[one])
    return "log1p", f"the cells' sums are just below {total:,.0f} once the logarithm to base {base} is undone", base


def _steps(cells: list[np.ndarray]) -> bool:
    """Tell whether the values of most cells are whole multiples of their smallest one, or of its half or third."""
    shares = []
    for values in cells:
        if len(values) < FEWEST_VALUES:
            continue
        ratio = values / values.min()
        ratio = ratio[(ratio > 1.05) & (ratio < 12)]  # the smallest values say nothing
        if len(np.unique(np.round(ratio, 2))) < 2:  # one ratio may be whole by chance
            continue
        shares.append(max(float(np.mean(np.abs(k * ratio - np.rint(k * ratio)) < 0.04)) for k in (1, 2, 3)))
    return bool(shares) and float(np.median(shares)) >= SHARE_OF_STEPS


def settle_scale(values: Values, asked: str, source: str, place: str = "") -> tuple[str, str]:
    """Decide on the scale: what the user says, unless the values cannot be that, else what they speak for.

    Parameters
    ----------
    values
        What was seen.
    asked
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
        If the values cannot be what the user says: negative ones are no counts, and no logarithm exceeds 30.
    """
    seen, why = detect(values)
    if asked == "auto":
        return seen, f"values are {seen} (detected: {values}{'; ' if why else ''}{why})"
    impossible = (asked != "zscore" and values.low < 0) or (asked == "log1p" and values.high > LARGEST_LOG)
    if impossible:
        where = f", {place} is negative" if values.low < 0 and place else ""
        raise InputError(
            f"{source}: --scale {asked} contradicts the values, which are {values}{where} and look like {seen}; "
            f"use --scale {seen} or auto, or give the right matrix"
        )
    doubt = "" if asked == seen else f"; they look like {seen}{', because ' if why else ''}{why}"
    return asked, f"values are {asked} (as asked: {values}{doubt})"


def detect(values: Values) -> tuple[str, str]:
    """Return the scale that the values speak for, and why.

    Parameters
    ----------
    values
        What was seen.
    """
    if values.low < 0:
        return "zscore", ""
    if values.whole:
        return "counts", ""
    if values.guess == "log1p" and values.high > LARGEST_LOG:  # the first cells did not show it
        return "tpm", f"values exceed {LARGEST_LOG:g}"
    return values.guess, values.why


def to_natural_log(matrix: Matrix, values: Values) -> tuple[Matrix, list[str]]:
    """Bring logarithms to base e; return the matrix, and a sentence where the base was another.

    Parameters
    ----------
    matrix
        csr, dense, or rows on disk, on the scale log1p.
    values
        What was seen in it.
    """
    if values.base in (None, "e"):
        return matrix, []
    note = f"logarithms to base {values.base} are brought to base e"
    factor = NATURAL[values.base]
    return matrix.times(factor) if isinstance(matrix, StoredRows) else matrix * np.float32(factor), [note]
