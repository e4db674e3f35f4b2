"""Lines turned into pseudo-bulks: what shifted validation predicts from."""

import numpy as np

from pharmacell.data.shifts import line_profiles

CELLS = 25  # that are pooled
DISPERSION = 0.5  # of a cell's counts
DEPTH = 2e5  # median counts of a pseudo-bulk
DEPTH_SPREAD = 0.7  # standard deviation of its logarithm
OFFSET = 2.0  # of a gene between platforms, in standard deviations of the lines


def pseudo_bulks(lines: np.ndarray, platforms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw pooled counts of each line, as another platform would count them, float64 [n_lines, n_genes].

    A pseudo-bulk is a sum of negative binomial counts over 25 cells, whose rates are ``exp`` of the line's profile.
    What one platform reads high, another reads low, in the same way for every sample: a platform has an offset of each
    gene, as large as microarrays and counts of the same lines differ.

    Parameters
    ----------
    lines
        Expression as in the bulk file, [n_lines, n_genes].
    platforms
        Which platform counts each line, from 0, [n_lines].
    rng
        Draws offsets and counts.
    """
    profiles = line_profiles(lines)
    sizes = OFFSET * profiles.std(0)
    offsets = rng.normal(size=(int(platforms.max()) + 1, profiles.shape[1])) * sizes
    rates = np.exp(profiles + offsets[platforms])
    rates *= rng.lognormal(np.log(DEPTH), DEPTH_SPREAD, (len(rates), 1)) / rates.sum(1, keepdims=True)
    shape = CELLS / DISPERSION
    return rng.poisson(rng.gamma(shape, rates / shape)).astype(np.float64)
