"""Linear members: one factorisation of the lines for all drugs, lines of the sample's tissue counted more."""

from dataclasses import dataclass

import numpy as np

from pharmacell.linear.weighted_ridge import WeightedRidge
from pharmacell.panel.profiles import BulkScale


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


@dataclass(frozen=True)
class SampleEvents:
    """Driver events of lines and sample, and what they count.

    Attributes
    ----------
    lines
        Standardised, [n_lines, n_events].
    sample
        On the same scale, [n_events].
    weights
        What the product of two lines' events counts beside that of their genes, for each drug, [n_drugs].
    """

    lines: np.ndarray
    sample: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Fit:
    """One factorisation and the drugs that it serves.

    Attributes
    ----------
    ridge
        Of the lines.
    drugs
        int [n].
    event_products
        Weighted products of the sample's events with each line's, [n_lines]; 0 where events are not used.
    """

    ridge: WeightedRidge
    drugs: np.ndarray
    event_products: np.ndarray


class LinearPanel:
    """All drugs' linear members for samples of one tissue.

    Drugs for which driver events do not count share one factorisation, and so do those with the same weight of events.

    Parameters
    ----------
    scale
        The lines.
    learned
        Responses without gaps, [n_lines, n_drugs].
    weights
        Of the lines, [n_lines].
    penalty
        For each gene.
    events
        Driver events; None where the sample's are not known.
    """

    def __init__(
        self,
        scale: BulkScale,
        learned: np.ndarray,
        weights: np.ndarray,
        penalty: float,
        events: SampleEvents | None = None,
    ) -> None:
        self.learned, self.x = learned, scale.x
        n_lines, n_drugs = learned.shape
        counted = np.zeros(n_drugs) if events is None else events.weights
        self.coefficients = np.empty((scale.x.shape[1], n_drugs), np.float32)
        self.intercept = np.empty(n_drugs, np.float32)
        self.fits = []
        for weight in np.unique(counted):
            drugs = np.flatnonzero(counted == weight)
            products, own = scale.products, np.zeros(n_lines)
            if events is not None and weight > 0:
                products = products + weight * (events.lines @ events.lines.T)
                own = weight * (events.lines @ events.sample)
            ridge = WeightedRidge(products, weights, penalty * scale.x.shape[1])
            dual = ridge.dual(learned[:, drugs])
            self.coefficients[:, drugs] = self.x.T @ dual.astype(np.float32)
            self.intercept[drugs] = ridge.share @ (learned[:, drugs] - products @ dual) + own @ dual
            self.fits.append(Fit(ridge, drugs, own))

    def z(self, profiles: np.ndarray) -> np.ndarray:
        """Return predicted z of all drugs, float32 [n, n_drugs].

        Parameters
        ----------
        profiles
            On the bulk scale, [n, n_genes].
        """
        return profiles @ self.coefficients + self.intercept

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

        found = np.empty((len(profiles), self.learned.shape[1]))
        similar = (profiles @ self.x.T).astype(np.float64)
        for fit in self.fits:
            hat = fit.ridge.hat(similar + fit.event_products)
            own = self.learned[:, fit.drugs]
            centred = own - own.mean(0)
            spread = np.sqrt(np.square(hat - hat.mean(1, keepdims=True)).sum(1))
            deviation = np.sqrt(np.square(centred).sum(0) / (len(centred) - 1))
            found[:, fit.drugs] = norm.sf(np.abs(hat @ centred) / np.maximum(np.outer(spread, deviation), 1e-12))
        return 2 * found
