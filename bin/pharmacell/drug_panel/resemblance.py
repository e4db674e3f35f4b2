"""Which lines, and lines of which tissue, a profile resembles."""

from dataclasses import dataclass

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.data.folds import UNKNOWN
from pharmacell.data.names import nearest_names, plain
from pharmacell.data.tissues import tissue_of_detail
from pharmacell.linear.weighted_ridge import WeightedRidge

LEAST = 0.14  # correlation with the nearest line, below which a profile resembles none; docs/methods.md says why
LEAST_TAKEN_OFF = 0.16  # the same where the platform's offset is taken off: it makes profiles alike that are noise
PENALTY = 3.0  # of the regression of tissues on ranks, in mean squared lengths of a line
MARGIN = 0.2  # of the best tissue over the next, below which the tissue is not known; docs/methods.md says why
ROWS_AT_ONCE = 256  # profiles whose ranks are held


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
        Given, or the one that stands out; unknown where none does, [n].
    margin
        By how much the best tissue's score is above the next; NaN where the tissue is given, [n].
    least
        Correlation below which a profile resembles no line.
    """

    line: np.ndarray
    correlation: np.ndarray
    tissue: np.ndarray
    margin: np.ndarray
    least: float = LEAST

    @property
    def none(self) -> np.ndarray:
        """Whether a profile resembles no line, bool [n]; False where that cannot be told."""
        return self.correlation < self.least


def resemblance(
    profiles: np.ndarray,
    lines: np.ndarray,
    tissues: np.ndarray,
    given: str | None,
    together: bool = False,
    least: float = MARGIN,
) -> Resemblance:
    """Compare profiles with lines.

    Genes are ranked within each profile and each line, and the mean rank of each gene over the lines is taken off.
    Ridge regression of the lines' tissues (1 or 0) on these ranks gives each profile a score for every tissue; the best
    is taken where it is far enough above the next.

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
    together
        Whether all profiles are of one tissue, which their mean score tells: groups of one sample could not be compared
        if some had a tissue and some none.
    least
        Margin from which on a tissue is named.
    """
    own = rank_genes(lines)
    mean = own.mean(0)
    own -= mean
    products, lengths = np.empty((len(profiles), len(own))), np.empty((len(profiles), 1))
    for start in range(0, len(profiles), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        asked = rank_genes(profiles[rows]) - mean
        products[rows], lengths[rows] = asked @ own.T, np.linalg.norm(asked, axis=1, keepdims=True)
    found = products / np.maximum(lengths * np.linalg.norm(own, axis=1), 1e-12)
    best = np.argmax(found, 1)
    tissue, margin = np.full(len(profiles), given or UNKNOWN, object), np.full(len(profiles), np.nan)
    if not given:
        names, scores = tissue_scores(products, (own @ own.T).astype(float), tissues)
        if together:
            scores = np.repeat(scores.mean(0, keepdims=True), len(scores), axis=0)
        if len(names) > 1:
            second, first = np.sort(scores, axis=1)[:, -2:].T
            margin = first - second
            tissue = np.where(margin >= least, np.array(names, object)[scores.argmax(1)], UNKNOWN)
    return Resemblance(best, found[np.arange(len(found)), best], tissue, margin)


def tissue_scores(products: np.ndarray, of_lines: np.ndarray, tissues: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return the tissues that lines are known to have, and how much speaks for each of them, [n, n_tissues].

    Parameters
    ----------
    products
        Inner products of profiles and lines, each gene's mean over the lines taken off, [n, n_lines].
    of_lines
        The same of the lines, [n_lines, n_lines].
    tissues
        Of the lines.
    """
    known = tissues != UNKNOWN
    names = sorted(set(tissues[known]))
    if not names:
        return [], np.empty((len(products), 0))
    own = of_lines[np.ix_(known, known)]
    ridge = WeightedRidge(own, np.ones(len(own)), PENALTY * np.trace(own) / len(own))
    return names, (ridge.hat(products[:, known]) - ridge.share) @ (tissues[known][:, None] == names).astype(float)


def no_resemblance(n: int, given: str | None) -> Resemblance:
    """Return the resemblance of profiles that cannot be compared with lines.

    Parameters
    ----------
    n
        How many.
    given
        Tissue of the sample; None where it is not known.
    """
    return Resemblance(np.full(n, -1), np.full(n, np.nan), np.full(n, given or UNKNOWN, object), np.full(n, np.nan))


def rank_genes(rows: np.ndarray) -> np.ndarray:
    """Rank the genes within each row, from 0 to 1; ties share their mean rank, float32.

    Parameters
    ----------
    rows
        [n, n_genes].
    """
    from scipy.stats import rankdata

    return (rankdata(rows, axis=1) / rows.shape[1]).astype(np.float32)


def known_tissue(name: str, tissues: np.ndarray) -> str:
    """Return a tissue as the lines call it.

    Parameters
    ----------
    name
        As the user wrote it; also an origin within a tissue, such as ``melanoma``.
    tissues
        Of the lines.

    Raises
    ------
    InputError
        If no line has it.
    """
    known = sorted(set(tissues) - {UNKNOWN})
    by_key = {plain(detail): tissue for detail, tissue in tissue_of_detail().items() if tissue in known}
    by_key |= {plain(tissue): tissue for tissue in known}
    if plain(name) not in by_key:
        near = ", ".join(nearest_names(name, {tissue: tissue for tissue in known})) or "none, no line has a tissue"
        raise InputError(f"--tissue: no bulk line is of tissue '{name}'; nearest: {near}")
    return by_key[plain(name)]
