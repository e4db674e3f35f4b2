"""Linear members: one factorisation of the lines for all drugs, lines of the sample's tissue counted more."""

from dataclasses import dataclass

import numpy as np

from pharmacell.data.folds import UNKNOWN
from pharmacell.drug_panel.profiles import BulkScale
from pharmacell.linear.weighted_ridge import WeightedRidge

PRIOR_LINES = 10  # of all tissues, that a tissue's mean response is drawn to


@dataclass(frozen=True)
class LinearChoice:
    """What shifted validation chose.

    Attributes
    ----------
    penalty
        Of the ridge regression for each gene.
    tissue_weight
        How often a line of the sample's tissue counts.
    trust
        By what a predicted difference from the tissue's mean response is multiplied.
    """

    penalty: float = 4.0
    tissue_weight: float = 4.0
    trust: float = 1.0


def of_tissue(tissues: np.ndarray, tissue: str | None) -> np.ndarray:
    """Return which lines are of a tissue, bool [n_lines]; none where it is not known.

    Parameters
    ----------
    tissues
        Of the lines.
    tissue
        Of the sample.
    """
    return (tissues == tissue) & (tissue is not None) & (tissue != UNKNOWN)


def tissue_weights(tissues: np.ndarray, tissue: str | None, weight: float) -> np.ndarray:
    """Return how much each line counts, [n_lines].

    Parameters
    ----------
    tissues
        Of the lines.
    tissue
        Of the sample; where it is not known all lines count alike.
    weight
        Of a line of that tissue.
    """
    return np.where(of_tissue(tissues, tissue), weight, 1.0)


def tissue_mean(learned: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return the mean response of a tissue's lines, drawn to that of all lines where they are few, [n_drugs].

    Parameters
    ----------
    learned
        Responses without gaps, [n_lines, n_drugs].
    own
        Whether a line is of the tissue, bool [n_lines].
    """
    everywhere, n = learned.mean(0), np.count_nonzero(own)
    if not n:
        return everywhere
    return everywhere + n / (n + PRIOR_LINES) * (learned[own].mean(0) - everywhere)


class LinearPanel:
    """All drugs' linear members for samples of one tissue.

    What is predicted is the mean response of the tissue's lines, and on top of it ``trust`` times what ridge regression
    makes of the profile's difference from the lines.

    Parameters
    ----------
    scale
        The lines.
    learned
        Responses without gaps, [n_lines, n_drugs].
    tissues
        Of the lines.
    tissue
        Of the sample; None where it is not known.
    choice
        What shifted validation chose.
    """

    def __init__(
        self, scale: BulkScale, learned: np.ndarray, tissues: np.ndarray, tissue: str | None, choice: LinearChoice
    ) -> None:
        self.learned, self.x = learned, scale.x
        weights = tissue_weights(tissues, tissue, choice.tissue_weight)
        self.ridge = WeightedRidge(scale.products, weights, choice.penalty * scale.x.shape[1])
        dual = choice.trust * self.ridge.dual(learned)
        self.coefficients = self.x.T @ dual.astype(np.float32)  # [n_genes, n_drugs]
        mean = tissue_mean(learned, of_tissue(tissues, tissue))
        self.intercept = (mean - self.ridge.share @ (scale.products @ dual)).astype(np.float32)

    def z(self, profiles: np.ndarray) -> np.ndarray:
        """Return predicted z of all drugs, float32 [n, n_drugs].

        Parameters
        ----------
        profiles
            On the bulk scale, [n, n_genes].
        """
        return profiles @ self.coefficients + self.intercept

    def permutation_p(self, profiles: np.ndarray) -> np.ndarray:
        """Test what profiles add to the mean response against what they add under permuted responses of the same drug.

        A prediction is ``h . y`` with one ``h`` for all drugs. Over all permutations of ``y`` it has the mean
        ``sum(h) mean(y)`` and the variance ``sum((h - mean(h))^2) sum((y - mean(y))^2) / (n - 1)`` (Hoeffding 1951) and
        is near normal; ``p`` is two-sided.

        Parameters
        ----------
        profiles
            On the bulk scale, [n, n_genes].

        Returns
        -------
        numpy.ndarray
            [n, n_drugs].
        """
        from scipy.stats import norm

        hat = self.ridge.hat((profiles @ self.x.T).astype(np.float64))
        centred = self.learned - self.learned.mean(0)
        spread = np.sqrt(np.square(hat - hat.mean(1, keepdims=True)).sum(1))
        deviation = np.sqrt(np.square(centred).sum(0) / (len(centred) - 1))
        return 2 * norm.sf(np.abs(hat @ centred) / np.maximum(np.outer(spread, deviation), 1e-12))
