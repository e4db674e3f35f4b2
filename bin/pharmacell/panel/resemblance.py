"""Which lines, and lines of which tissue, a profile resembles."""

from dataclasses import dataclass

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.data.folds import UNKNOWN
from pharmacell.data.names import nearest_names, plain

NEAREST = 5  # lines of a tissue whose mean correlation speaks for it
LEAST = 0.15  # correlation with the nearest line; below, a profile resembles none


@dataclass(frozen=True)
class Resemblance:
    """Of each profile.

    Attributes
    ----------
    line
        Position of the nearest line, [n].
    correlation
        Pearson correlation with it, over the shared genes on the bulk scale, [n].
    tissue
        The tissue whose five nearest lines correlate best, [n].
    """

    line: np.ndarray
    correlation: np.ndarray
    tissue: np.ndarray

    @property
    def none(self) -> np.ndarray:
        """Whether a profile resembles no line, bool [n]."""
        return self.correlation < LEAST


def resemblance(profiles: np.ndarray, lines: np.ndarray, tissues: np.ndarray) -> Resemblance:
    """Compare profiles with lines.

    Parameters
    ----------
    profiles, lines
        On the bulk scale, [n, n_genes] and [n_lines, n_genes].
    tissues
        Of the lines.
    """
    found = _unit(profiles) @ _unit(lines).T
    known = [tissue for tissue in np.unique(tissues) if tissue != UNKNOWN]
    best = np.argmax(found, 1)
    tissue = np.full(len(profiles), UNKNOWN, object)
    if known:
        means = [np.sort(found[:, tissues == one], axis=1)[:, -NEAREST:].mean(1) for one in known]
        tissue = np.array(known, object)[np.argmax(means, 0)]
    return Resemblance(best, found[np.arange(len(found)), best], tissue)


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
