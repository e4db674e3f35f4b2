"""Linear members: one factorisation of the lines for all drugs, lines of the sample's tissue counted more."""

from dataclasses import dataclass

import numpy as np

from pharmacell.linear.weighted_ridge import WeightedRidge


@dataclass(frozen=True)
class LinearChoice:
    """What shifted validation chose.

    Attributes
    ----------
    penalty
        Of the ridge regression for each gene.
    tissue_weight
        How often a line of the sample's tissue counts.
    """

    penalty: float = 2.0
    tissue_weight: float = 4.0


def tissue_weights(tissues: np.ndarray, tissue: str | None, weight: float) -> np.ndarray:
    """Return how much each line counts, [n_lines].

    Parameters
    ----------
    tissues
        Of the lines.
    tissue
        Of the sample; None where it is not known: all lines count alike.
    weight
        Of a line of that tissue.
    """
    return np.where(tissues == tissue, weight, 1.0)


class LinearPanel:
    """All drugs' linear members for samples of one tissue.

    Parameters
    ----------
    x
        Lines on the bulk scale, [n_lines, n_genes].
    learned
        Responses without gaps, [n_lines, n_drugs].
    weights
        Of the lines, [n_lines].
    choice
        Penalty and tissue weight.
    """

    def __init__(self, x: np.ndarray, learned: np.ndarray, weights: np.ndarray, choice: LinearChoice) -> None:
        self.learned = learned
        self.ridge = WeightedRidge(x, weights, choice.penalty * x.shape[1])
        self.coefficients = self.ridge.coefficients(learned)  # [n_genes, n_drugs]
        self.intercept = self.ridge.intercept(learned)

    def z(self, profiles: np.ndarray) -> np.ndarray:
        """Return predicted z of all drugs, float32 [n, n_drugs].

        Parameters
        ----------
        profiles
            On the bulk scale, [n, n_genes].
        """
        return ((profiles - self.ridge.mean) @ self.coefficients + self.intercept).astype(np.float32)

    def permutation_p(self, profiles: np.ndarray) -> np.ndarray:
        """Test predictions against those from permuted responses of the same drug.

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

        hat = self.ridge.hat(profiles)
        centred = self.learned - self.learned.mean(0)
        spread = np.sqrt(np.square(hat - hat.mean(1, keepdims=True)).sum(1))
        deviation = np.sqrt(np.square(centred).sum(0) / (len(centred) - 1))
        return 2 * norm.sf(np.abs(hat @ centred) / np.maximum(np.outer(spread, deviation), 1e-12))
