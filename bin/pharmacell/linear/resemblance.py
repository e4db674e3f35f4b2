"""Which bulk line the pooled profile of cells comes from, if from any."""

import numpy as np

FEWEST_LINES = 50
FEWEST_GENES = 500
LINES_PER_COMPONENT = 8
RATIO = 1.8  # of the largest correlation to the next; docs/methods.md says how the rule fares
DEVIATIONS = 7.0  # of the largest correlation above the middle one, in robust standard deviations


def line_correlations(profiles: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Correlate profiles with lines in what is a line's own.

    Genes are ranked within each profile and each line, which takes away the scale of either platform; the mean rank of
    each gene over the lines is subtracted; and the first principal components of the lines, one for eight lines, are
    projected out of both: what many lines share (tissue, growth, epithelial or not) does not tell which line it is.

    Parameters
    ----------
    profiles
        Pooled expression of cells, [n_profiles, n_genes].
    lines
        Expression of bulk lines on the same genes, [n_lines, n_genes].

    Returns
    -------
    numpy.ndarray
        Pearson correlations, float64 [n_profiles, n_lines].
    """
    ranked = _ranks(lines)
    mean = ranked.mean(0)
    own, found = ranked - mean, _ranks(profiles) - mean
    values, vectors = np.linalg.eigh(own @ own.T)  # of lines by lines, which is small
    shared = vectors[:, ::-1][:, : len(lines) // LINES_PER_COMPONENT]
    axes = (shared.T @ own) / np.sqrt(np.maximum(values[::-1][: shared.shape[1]], 1e-12))[:, None]
    own, found = (rows - rows @ axes.T @ axes for rows in (own, found))
    return _unit(found) @ _unit(own).T


def stands_out(correlations: np.ndarray) -> tuple[bool, float]:
    """Tell whether the largest of many correlations is far above the others.

    Parameters
    ----------
    correlations
        Of one profile with all lines, [n_lines].

    Returns
    -------
    stands_out : bool
        Whether it is at least 1.8 times the next and 7 robust standard deviations above the median.
    deviations : float
        How many.
    """
    second, first = np.sort(correlations)[-2:]
    middle = np.median(correlations)
    spread = 1.4826 * np.median(np.abs(correlations - middle))
    deviations = float((first - middle) / spread) if spread > 0 else 0.0
    return bool(first >= RATIO * second and deviations >= DEVIATIONS), deviations


def _ranks(rows: np.ndarray) -> np.ndarray:
    """Rank the genes within each row, from 0 to 1; ties share their mean rank."""
    from scipy.stats import rankdata

    return rankdata(rows, axis=1) / rows.shape[1]


def _unit(rows: np.ndarray) -> np.ndarray:
    """Centre rows and bring them to length 1."""
    rows = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1)
