"""Cell lines turned into simulated cells of several severities: what a model has to stand when it meets real cells."""

from dataclasses import dataclass

import numpy as np

from pharmacell.data.simulate import counts_by_line
from pharmacell.data.standardise import Standardiser

TARGET_SUM = 1e4  # counts per cell after normalisation, as in quality control


@dataclass(frozen=True)
class Severity:
    """How much is lost between a line and its cells.

    Parameters
    ----------
    name
        For tables.
    depth
        Median counts per cell and 1,000 genes.
    dispersion, dropout
        See :func:`pharmacell.data.simulate.counts_by_line`.
    """

    name: str
    depth: float
    dispersion: float
    dropout: float


SEVERITIES = (Severity("mild", 3000, 0.2, 0.0), Severity("moderate", 800, 0.5, 0.2), Severity("severe", 250, 1.0, 0.4))


def shifted_cells(profiles: np.ndarray, n_cells: int, severity: Severity, rng: np.random.Generator) -> np.ndarray:
    """Simulate cells of lines and standardise each gene over these cells alone, as real cells are.

    Parameters
    ----------
    profiles
        Each line's expression, standardised within the line, [n_lines, n_genes].
    n_cells
        Cells of each line.
    severity
        Depth, dispersion and dropout.
    rng
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        float32 [n_lines * n_cells, n_genes]; the cells of a line stand together.
    """
    depth = severity.depth * profiles.shape[1] / 1000
    cells = np.empty((len(profiles) * n_cells, profiles.shape[1]), np.float32)
    drawn = counts_by_line(profiles, n_cells, rng, depth, severity.dispersion, severity.dropout)
    for line, counts in enumerate(drawn):
        own = cells[line * n_cells : (line + 1) * n_cells]
        own[:] = counts
        own *= TARGET_SUM / np.maximum(own.sum(1, keepdims=True), 1)
    np.log1p(cells, out=cells)
    return Standardiser.fit([cells]).apply(cells)


def line_profiles(x: np.ndarray) -> np.ndarray:
    """Standardise each line over its genes; a line that is already standardised stays as it is but for rounding.

    Parameters
    ----------
    x
        Expression of lines, [n_lines, n_genes].
    """
    deviation = x.std(1, keepdims=True)
    return (x - x.mean(1, keepdims=True)) / np.where(deviation > 0, deviation, 1)


def pooled_profiles(profiles: np.ndarray, depth: float, platform: float, rng: np.random.Generator) -> np.ndarray:
    """Imitate the pooled counts of many cells of each line, standardised within the profile.

    The counts of many cells hardly vary from cell to cell, but another platform sees every gene more or less well than
    arrays do. With a line's profile ``x``, gene g and line l::

        rate_lg ~ exp(x_lg + platform a_lg),    a standard normal

    and the counts are Poisson, brought to 10,000 and logged. Each line has a platform of its own, or who learns from
    these profiles would learn one.

    Parameters
    ----------
    profiles
        Each line's expression, standardised within the line, [n_lines, n_genes].
    depth
        Counts of a profile for every 1,000 genes.
    platform
        Standard deviation of what a platform adds, in units of the profiles.
    rng
        Source of randomness.

    Returns
    -------
    numpy.ndarray
        float32 [n_lines, n_genes].
    """
    rates = profiles + platform * rng.standard_normal(profiles.shape, dtype=np.float32)
    rates = np.exp(rates - rates.max(1, keepdims=True))
    rates *= depth * profiles.shape[1] / 1000 / rates.sum(1, keepdims=True)
    counts = rng.poisson(rates).astype(np.float32)
    counts *= TARGET_SUM / np.maximum(counts.sum(1, keepdims=True), 1)
    return line_profiles(np.log1p(counts)).astype(np.float32)
