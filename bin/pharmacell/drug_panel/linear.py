"""Linear members: one factorisation of the lines for all drugs, lines of the sample's tissue counted more."""

from dataclasses import dataclass

import numpy as np

from pharmacell.data.folds import UNKNOWN
from pharmacell.drug_panel.profiles import BulkScale
from pharmacell.linear.weighted_ridge import WeightedRidge

PRIOR_LINES = 10  # of all tissues, that a tissue's mean response is drawn to


@dataclass(frozen=True)
class Strength:
    """How one ridge regression is fitted.

    Attributes
    ----------
    penalty
        For each gene.
    tissue_weight
        How often a line of the sample's tissue counts.
    """

    penalty: float = 4.0
    tissue_weight: float = 4.0


@dataclass(frozen=True)
class LinearChoice:
    """What shifted validation chose.

    Attributes
    ----------
    specific
        Of what is a drug's own: a line's responses without their mean over drugs.
    general
        Of that mean, the general sensitivity of a line.
    trust
        By what a predicted difference from the tissue's mean response is multiplied.
    """

    specific: Strength = Strength()
    general: Strength = Strength()
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


def fit(products: np.ndarray, own: np.ndarray, strength: Strength, n_genes: int) -> WeightedRidge:
    """Return one ridge regression for all drugs.

    Parameters
    ----------
    products
        Inner products of the lines, [n_lines, n_lines].
    own
        Whether a line is of the sample's tissue, bool [n_lines].
    strength
        Penalty and tissue weight.
    n_genes
        Of the profiles.
    """
    return WeightedRidge(products, np.where(own, strength.tissue_weight, 1.0), strength.penalty * n_genes)


def two_parts(learned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split responses into each line's mean over drugs, [n_lines, 1], and the rest, [n_lines, n_drugs].

    Parameters
    ----------
    learned
        Responses without gaps, [n_lines, n_drugs].
    """
    general = learned.mean(1, keepdims=True)
    return general, learned - general


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

    What is predicted is the mean response of the tissue's lines, and on top of it ``trust`` times what two ridge
    regressions make of the profile's difference from the lines: one of the lines' general sensitivity (their mean over
    drugs), one of the rest, each with the penalty and tissue weight that suits it.

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
        self.x, own = scale.x, of_tissue(tissues, tissue)
        self.parts = two_parts(learned)
        self.ridges = [fit(scale.products, own, one, scale.x.shape[1]) for one in (choice.general, choice.specific)]
        coefficients, intercept = np.zeros((len(own), learned.shape[1])), tissue_mean(learned, own)
        for ridge, part in zip(self.ridges, self.parts, strict=True):
            dual = choice.trust * ridge.dual(part)
            coefficients += dual
            intercept = intercept - ridge.share @ (scale.products @ dual)
        self.coefficients = self.x.T @ coefficients.astype(np.float32)  # [n_genes, n_drugs]
        self.intercept = intercept.astype(np.float32)

    def z(self, profiles: np.ndarray) -> np.ndarray:
        """Return predicted z of all drugs, float32 [n, n_drugs].

        Parameters
        ----------
        profiles
            On the bulk scale, [n, n_genes].
        """
        return profiles @ self.coefficients + self.intercept

    def permutation_p(self, profiles: np.ndarray) -> np.ndarray:
        """Test what profiles add to the mean response against what they add where lines are permuted.

        A prediction is ``g . u + s . v``, with one ``g`` and one ``s`` for all drugs, ``u`` the general and ``v`` the
        specific responses. Over all permutations of the lines, which take both along, it has the mean
        ``sum(g) mean(u) + sum(s) mean(v)`` and, with ``S_ab = sum (a - mean(a)) (b - mean(b))``, the variance
        ``(S_gg S_uu + S_ss S_vv + 2 S_gs S_uv) / (n - 1)`` (Hoeffding 1951), and is near normal; ``p`` is two-sided.

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

        similar = (profiles @ self.x.T).astype(np.float64)
        g, s = (ridge.hat(similar) for ridge in self.ridges)
        u, v = (part - part.mean(0) for part in self.parts)
        added = g @ u + s @ v
        g, s = (hat - hat.mean(1, keepdims=True) for hat in (g, s))
        variance = np.outer(np.square(g).sum(1), np.square(u).sum(0)) + np.outer(
            np.square(s).sum(1), np.square(v).sum(0)
        )
        variance += 2 * np.outer((g * s).sum(1), (u * v).sum(0))
        return 2 * norm.sf(np.abs(added) / np.sqrt(np.maximum(variance / (len(v) - 1), 1e-24)))
