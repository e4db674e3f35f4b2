"""Which of a file's matrices is used: X, raw or a layer."""

import numpy as np
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.contents import Candidate, Contents
from pharmacell.data.matrices import Matrix
from pharmacell.data.scale import Values, detect, look_at

COUNT_LAYERS = ("counts", "raw_counts", "count", "raw", "umi_counts", "umis", "umi", "counts_raw", "x_counts", "raw_x")
LOOKED_AT = 2000  # cells, to tell what a matrix holds
PARTS = 4  # of the matrix that they are taken from
ORDER = ("counts", "log1p", "tpm", "zscore")


def choose_matrix(contents: Contents, asked: str | None, scale: str, source: str) -> tuple[Candidate, list[str]]:
    """Choose the matrix to use.

    Parameters
    ----------
    contents
        Of the file.
    asked
        ``X``, ``raw`` or the name of a layer; None: counts before logged values before z-scores, and of two alike X
        first.
    scale
        What the user says that the values are, or ``auto``; asked, matrices on this scale come first.
    source
        The file, for a message.

    Returns
    -------
    candidate : Candidate
        The matrix.
    notes : list of str
        Which it is, if there is more than one.

    Raises
    ------
    InputError
        If there is none, or none of the name asked.
    """
    candidates = contents.candidates
    there = ", ".join(candidate.words for candidate in candidates) or "none"
    if asked:
        wanted = [candidate for candidate in candidates if candidate.name.lower() == asked.lower()]
        exact = [candidate for candidate in wanted if candidate.name == asked]
        if not wanted:
            raise InputError(f"{source}: --matrix {asked}: there is none of that name; matrices: {there}")
        chosen = (exact or wanted)[0]
        return chosen, [f"{chosen.words} is used (as asked)"]
    if not candidates:
        raise InputError(f"{source}: X is empty, and no layer or raw holds values; put the expression matrix into X")
    if len(candidates) == 1:
        only = candidates[0]
        return only, [] if only.name == "X" else [f"{only.words} is used, because X is empty"]
    usable = [c for c in candidates if c.name in ("X", "raw") or c.name.lower() in COUNT_LAYERS] or candidates
    seen = {candidate.name: look_at(some_rows(candidate.matrix)) for candidate in usable}
    scales = {name: detect(values)[0] for name, values in seen.items()}

    def rank(candidate: Candidate) -> tuple:
        values, found = seen[candidate.name], scales[candidate.name]
        return (values.is_empty, values.bad is not None, found != scale, ORDER.index(found))

    chosen = min(usable, key=rank)  # the first of those alike, and X stands first
    held = "; ".join(f"{c.words} holds {_words(seen[c.name], scales[c.name])}" for c in usable)
    return chosen, [f"{chosen.words} is used ({held}); --matrix takes another"]


def _words(values: Values, scale: str) -> str:
    """Say what a matrix holds."""
    return "nothing but zeros" if values.is_empty else scale


def some_rows(matrix: Matrix) -> sparse.csr_matrix | np.ndarray:
    """Return up to 2000 rows from all over a matrix.

    Parameters
    ----------
    matrix
        Any of ours.
    """
    n_rows = matrix.shape[0]
    if n_rows <= LOOKED_AT:
        return matrix[0:n_rows]
    size = LOOKED_AT // PARTS
    blocks = [matrix[start : start + size] for start in np.linspace(0, n_rows - size, PARTS).astype(int)]
    if isinstance(blocks[0], np.ndarray):
        return np.concatenate(blocks)
    return sparse.vstack(blocks, format="csr")
