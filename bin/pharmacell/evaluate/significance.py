"""Permutation tests of the cells' scores: what stands out more than it would if the bulk responses meant nothing."""

from dataclasses import dataclass

import numpy as np

EQUAL = 1 - 1e-5  # a permutation that comes so close counts as being as far out


@dataclass(frozen=True)
class SampleTest:
    """How far a sample's scores deviate, beside the same under each permutation.

    Attributes
    ----------
    p
        Of the largest standardised deviation among the cells.
    spread
        Standard deviation of the scores among the cells.
    null_spreads
        That of each permutation, [n_permutations].
    """

    p: float
    spread: float
    null_spreads: np.ndarray

    @property
    def ratio(self) -> float:
        """The spread over the median of the null's."""
        return float(self.spread / max(np.median(self.null_spreads), 1e-12))

    @property
    def spread_p(self) -> float:
        """Share of the orders, the real one among them, under which the scores spread as widely."""
        as_wide = np.count_nonzero(self.null_spreads >= EQUAL * self.spread)
        return (1 + as_wide) / (1 + len(self.null_spreads))


class PermutationTest:
    """Compares cells with themselves under permuted bulk responses, some cells at a time.

    With a cell's deviation ``t`` from the mean of all cells under the real order of the responses and ``t_1 ... t_B``
    under B permutations (Phipson and Smyth 2010)::

        p = (1 + number of b with |t_b| >= |t|) / (1 + B)

    A cell has its own null, so p is exact whatever the cells have in common, and never below 1 / (1 + B). For the
    sample, the largest deviation of any cell takes the place of t (Westfall and Young 1993), each cell's divided by the
    root mean square of its own ``t, t_1 ... t_B``.

    Parameters
    ----------
    centre
        Mean score of all cells under each order, the real one first, [1 + n_permutations].
    """

    def __init__(self, centre: np.ndarray) -> None:
        self.centre = centre.astype(np.float32)
        self.largest = np.zeros(len(centre))
        self.squares = np.zeros(len(centre))
        self.n_cells = 0

    def add(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take in some cells.

        Parameters
        ----------
        scores
            Under each order, [n_cells, 1 + n_permutations].

        Returns
        -------
        p, deviation
            Two-sided p and real deviation of each cell, [n_cells].
        """
        deviations = scores - self.centre
        real = deviations[:, 0].copy()
        squares = np.square(deviations, out=deviations)
        p = np.count_nonzero(squares >= EQUAL**2 * squares[:, :1], axis=1) / len(self.centre)
        self.squares += squares.sum(0, dtype=np.float64)
        self.n_cells += len(scores)
        standardised = squares / np.maximum(squares.mean(1, keepdims=True), 1e-20)
        self.largest = np.maximum(self.largest, standardised.max(0, initial=0))
        return p, real

    def sample(self) -> SampleTest:
        """Return the test of the sample, once all cells are in."""
        spreads = np.sqrt(self.squares / max(self.n_cells, 1))
        as_far = np.count_nonzero(self.largest >= EQUAL**2 * self.largest[0])
        return SampleTest(as_far / len(self.largest), float(spreads[0]), spreads[1:])


def false_discovery_rate(p: np.ndarray, of_sample: float) -> np.ndarray:
    """Return the false discovery rate of each cell (Benjamini and Hochberg 1995), at least the sample's p.

    The bound keeps the chance of any call at its level when the responses mean nothing at all, however the cells
    depend on each other.

    Parameters
    ----------
    p
        Of each cell, [n_cells].
    of_sample
        Of the largest deviation in the sample.
    """
    from scipy.stats import false_discovery_control

    return np.maximum(false_discovery_control(p, method="bh"), of_sample)


def number_of_axes(deviations: np.ndarray) -> float:
    """Return along how many axes cells differ: the participation ratio of their variances.

    With the eigenvalues ``v`` of the cells' covariance over permutations: ``(sum of v)^2 / sum of v^2``. Cells of two
    lines differ along hardly more than one, and whatever direction is drawn tells them apart. The mean over
    permutations does not count: it is what all share (such as what tissues have in common), and may be most of each.

    Parameters
    ----------
    deviations
        Of some cells under each permutation, [n_cells, n_permutations].
    """
    deviations = deviations - deviations.mean(1, keepdims=True, dtype=np.float64)
    products = deviations @ deviations.T if len(deviations) < deviations.shape[1] else deviations.T @ deviations
    return float(np.trace(products) ** 2 / max(np.square(products).sum(), 1e-30))
