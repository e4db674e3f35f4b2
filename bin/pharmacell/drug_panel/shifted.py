"""Lines turned into pseudo-bulks: what shifted validation predicts from."""

import numpy as np

from pharmacell.data.shifts import line_profiles

CELLS = 25  # that are pooled
DISPERSION = 0.5  # of a cell's counts
DEPTH = 2e5  # median counts of a pseudo-bulk
DEPTH_SPREAD = 0.7  # standard deviation of its logarithm
OWN_ERROR = 1.2  # of a gene of one line: differences between lines correlate by 0.35 to 0.66 between platforms
OFFSET = 1.4  # of a gene between platforms, in deviations of a gene over the lines


def pseudo_bulks(lines: np.ndarray, platforms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw pooled counts of each line, as another platform would count them, float64 [n_lines, n_genes].

    A pseudo-bulk is a sum of negative binomial counts over 25 cells, whose rates are ``exp`` of the line's profile.
    What one platform reads high, another reads low, in the same way for every sample: a platform has an offset of each
    gene. One part of it is drawn gene by gene, as large as microarrays and counts of the same lines differ; the other
    lies along the lines' own axes, and is what makes one line differ from the mean: the part that a response model
    takes for biology. Beside it each gene of each line is off by a draw of its own.

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
    own = profiles - profiles.mean(0)
    n_platforms = int(platforms.max()) + 1
    offsets = rng.normal(0, OFFSET * own.std(), (n_platforms, profiles.shape[1]))
    offsets += own[rng.choice(len(own), n_platforms, replace=False)]
    profiles = profiles + rng.normal(0, OWN_ERROR * own.std(), profiles.shape)
    rates = np.exp(profiles + offsets[platforms])
    rates *= rng.lognormal(np.log(DEPTH), DEPTH_SPREAD, (len(rates), 1)) / rates.sum(1, keepdims=True)
    shape = CELLS / DISPERSION
    return rng.poisson(rng.gamma(shape, rates / shape)).astype(np.float64)
