"""Which lines, and lines of which tissue, a profile resembles."""

from dataclasses import dataclass

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.data.folds import UNKNOWN
from pharmacell.data.names import nearest_names, plain

NEAREST = 10  # lines of a tissue whose mean correlation speaks for it
LEAST = 0.10  # correlation with the nearest line, below which a profile resembles none; docs/methods.md says why


@dataclass(frozen=True)
class Resemblance:
    """Of each profile.

    Attributes
    ----------
    line
        Position of the nearest line, [n].
    correlation
        Correlation of ranks with it, see :func:`resemblance`, [n].
    tissue
        The tissue whose ten nearest lines correlate best, [n].
    """

    line: np.ndarray
    correlation: np.ndarray
    tissue: np.ndarray

    @property
    def none(self) -> np.ndarray:
        """Whether a profile resembles no line, bool [n]; False where that cannot be told."""
        return self.correlation < LEAST


def resemblance(profiles: np.ndarray, lines: np.ndarray, tissues: np.ndarray, given: str | None) -> Resemblance:
    """Compare profiles with lines.

    Genes are ranked within each profile and each line, and the mean rank of each gene over the lines is taken off.

    Parameters
    ----------
    profiles
        Pooled counts, [n, n_genes].
    lines
        Expression of the lines on the same genes, [n_lines, n_genes].
    tissues
        Of the lines.
    given
        Tissue of the sample; None where it is not known.
    """
    own = rank_genes(lines)
    mean = own.mean(0)
    found = _unit(rank_genes(profiles) - mean) @ _unit(own - mean).T
    known = [tissue for tissue in np.unique(tissues) if tissue != UNKNOWN]
    best = np.argmax(found, 1)
    tissue = np.full(len(profiles), UNKNOWN, object)
    if given:
        tissue[:] = given
    elif known:
        means = [np.sort(found[:, tissues == one], axis=1)[:, -NEAREST:].mean(1) for one in known]
        tissue = np.array(known, object)[np.argmax(means, 0)]
    return Resemblance(best, found[np.arange(len(found)), best], tissue)


def no_resemblance(n: int, given: str | None) -> Resemblance:
    """Return the resemblance of profiles that cannot be compared with lines.

    Parameters
    ----------
    n
        How many.
    given
        Tissue of the sample; None where it is not known.
    """
    return Resemblance(np.full(n, -1), np.full(n, np.nan), np.full(n, given or UNKNOWN, object))


def rank_genes(rows: np.ndarray) -> np.ndarray:
    """Rank the genes within each row, from 0 to 1; ties share their mean rank, float32.

    Parameters
    ----------
    rows
        [n, n_genes].
    """
    from scipy.stats import rankdata

    return (rankdata(rows, axis=1) / rows.shape[1]).astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    """Centre rows and bring them to length 1."""
    rows = rows - rows.mean(1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def known_tissue(name: str, tissues: np.ndarray) -> str:
    """Return a tissue as the lines call it.

    Parameters
    ----------
    name
        As the user wrote it.
    tissues
        Of the lines.

    Raises
    ------
    InputError
        If no line has it.
    """
    known = sorted(set(tissues) - {UNKNOWN})
    by_key = {plain(tissue): tissue for tissue in known}
    if plain(name) not in by_key:
        near = ", ".join(nearest_names(name, {tissue: tissue for tissue in known})) or "none, no line has a tissue"
        raise InputError(f"--tissue: no bulk line is of tissue '{name}'; nearest: {near}")
    return by_key[plain(name)]
