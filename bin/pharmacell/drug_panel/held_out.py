"""Held-out lines as pseudo-bulks: what is chosen, how well each drug is predicted, and by how much it is off."""

from dataclasses import dataclass

import numpy as np

from pharmacell.core.seeds import generator
from pharmacell.drug_panel.linear import LinearChoice, of_tissue, tissue_mean, tissue_weights
from pharmacell.drug_panel.profiles import BulkScale
from pharmacell.drug_panel.responses import Responses
from pharmacell.linear.weighted_ridge import WeightedRidge

FOLDS = 5
GAP = 0.5  # standard deviations between two lines' responses, from which on their order counts


@dataclass(frozen=True)
class HeldOutLines:
    """Lines, each predicted by fits that did not see it.

    Attributes
    ----------
    scale
        All lines, on all bulk genes.
    similar
        Inner products of the lines as pseudo-bulks with the lines, float64 [n_lines, n_lines].
    responses
        Of the lines.
    tissues
        Of the lines.
    fold
        Fold of each line, -1 for a line that no fold holds out, [n_lines].
    learned
        Of each fold, the responses of the other lines, without gaps.
    """

    scale: BulkScale
    similar: np.ndarray
    responses: Responses
    tissues: np.ndarray
    fold: np.ndarray
    learned: list[np.ndarray]

    @classmethod
    def of(
        cls, scale: BulkScale, profiles: np.ndarray, responses: Responses, tissues: np.ndarray, fold: np.ndarray
    ) -> "HeldOutLines":
        """Denoise the responses of each fold's other lines.

        Parameters
        ----------
        scale, responses, tissues, fold
            See the class.
        profiles
            The lines as pseudo-bulks, on the bulk scale, float32 [n_lines, n_genes].
        """
        learned = [responses.learned(np.flatnonzero(fold != one)) for one in range(int(fold.max()) + 1)]
        similar = (profiles @ scale.x.T).astype(np.float64)
        return cls(scale, similar, responses, tissues, fold, learned)

    def predict(self, choice: LinearChoice) -> tuple[np.ndarray, np.ndarray]:
        """Predict every held-out line as a sample of its tissue, each float32 [n_lines, n_drugs]; NaN elsewhere.

        Parameters
        ----------
        choice
            Penalty and tissue weight; ``trust`` is not used.

        Returns
        -------
        mean
            Mean response of the tissue's other lines.
        difference
            From it, as ridge regression predicts it.
        """
        mean, difference = (np.full(self.responses.z.shape, np.nan, np.float32) for _ in range(2))
        for fold, learned in enumerate(self.learned):
            train = np.flatnonzero(self.fold != fold)
            own = self.scale.products[np.ix_(train, train)]
            ridge = None
            for tissue in np.unique(self.tissues[self.fold == fold]):
                rows = np.flatnonzero((self.fold == fold) & (self.tissues == tissue))
                if ridge is None or choice.tissue_weight != 1:  # otherwise one fit serves all tissues
                    weights = tissue_weights(self.tissues[train], tissue, choice.tissue_weight)
                    ridge = WeightedRidge(own, weights, choice.penalty * len(self.scale.genes))
                mean[rows] = tissue_mean(learned, of_tissue(self.tissues[train], tissue))
                difference[rows] = (ridge.hat(self.similar[np.ix_(rows, train)]) - ridge.share) @ learned
        return mean, difference


def folds_of(tissues: np.ndarray, seed: int) -> np.ndarray:
    """Return the fold of each line: lines of a tissue are spread evenly over five, int [n_lines].

    Parameters
    ----------
    tissues
        Of the lines.
    seed
        Draws the folds.
    """
    rng = generator(seed, "panel folds")
    order = rng.permutation(len(tissues))
    order = order[np.argsort(tissues[order], kind="stable")]
    fold = np.empty(len(tissues), int)
    fold[order] = np.arange(len(tissues)) % FOLDS
    return fold


def pair_scores(truth: np.ndarray, found: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Return the share of pairs of lines whose order is right over all drugs: of responses, and of specific responses.

    Pairs are of one group and differ by more than half a standard deviation; specific is what remains when each line's
    mean over drugs is taken off.

    Parameters
    ----------
    truth
        Measured z, NaN where it was not, [n_lines, n_drugs].
    found
        Predicted, [n_lines, n_drugs].
    groups
        Of the lines, such as tissue and fold, [n_lines].
    """
    if not truth.shape[1]:
        return float("nan"), float("nan")
    found = np.where(np.isnan(truth), np.nan, found)
    n_measured = np.maximum(np.isfinite(truth).sum(1, keepdims=True), 1)
    specific, said = (rows - np.nansum(rows, 1, keepdims=True) / n_measured for rows in (truth, found))
    return _pairs(truth, found, groups), _pairs(specific, said, groups)


def _pairs(truth: np.ndarray, found: np.ndarray, groups: np.ndarray) -> float:
    """Return the share of pairs whose order is right."""
    right = total = 0
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        for place in range(1, len(rows)):
            gap = truth[rows[place]] - truth[rows[:place]]
            said = found[rows[place]] - found[rows[:place]]
            counted = np.abs(gap) > GAP  # False where either was not measured
            total += int(np.count_nonzero(counted))
            right += int(np.count_nonzero(counted & (gap * said > 0)))
    return right / total if total else float("nan")


@dataclass(frozen=True)
class Predictability:
    """How well lines of one tissue are told apart, drug by drug; each [n_drugs].

    Attributes
    ----------
    within, low, high
        AUROC over pairs of a sensitive and a resistant line of one tissue, and its 95 % interval over lines.
    everywhere
        AUROC over pairs of any tissue.
    """

    within: np.ndarray
    low: np.ndarray
    high: np.ndarray
    everywhere: np.ndarray


def predictability(responses: Responses, predicted: np.ndarray, groups: np.ndarray) -> Predictability:
    """Score held-out predictions.

    Parameters
    ----------
    responses
        Of the lines.
    predicted
        Of the same lines, z, [n_lines, n_drugs].
    groups
        Lines of one group are compared: of one tissue and one fold, [n_lines].
    """
    number = np.unique(groups, return_inverse=True)[1]
    rows = []
    for drug in range(len(responses.drugs)):
        z = responses.z[:, drug]
        known = np.isfinite(z)
        sensitive = z[known] <= responses.cut[drug]
        score = -predicted[known, drug]
        value, error = paired_auroc(sensitive, score, number[known])
        everywhere, _ = paired_auroc(sensitive, score, np.zeros(known.sum(), int))
        rows.append((value, value - 1.96 * error, min(value + 1.96 * error, 1.0), everywhere))
    return Predictability(*np.array(rows).T)


def paired_auroc(sensitive: np.ndarray, score: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Return the AUROC within groups and its standard error over lines.

    With r_i the pairs of line i in the right order and n_i all its pairs, the AUROC is ``A = sum r_i / sum n_i``, and
    its variance, by linearisation, ``4 sum (r_i - A n_i)^2 / (sum n_i)^2``: a line's pairs stand or fall together.

    Parameters
    ----------
    sensitive
        bool [n].
    score
        Higher is more sensitive, [n].
    groups
        Group of each line; pairs of one group count, [n].
    """
    pairs = groups[sensitive][:, None] == groups[~sensitive]
    if not pairs.any():
        return np.nan, np.nan
    apart = score[sensitive][:, None] - score[~sensitive]
    right = pairs * ((apart > 0) + 0.5 * (apart == 0))
    r = np.concatenate([right.sum(1), right.sum(0)])
    n = np.concatenate([pairs.sum(1), pairs.sum(0)])
    value = r.sum() / n.sum()
    return float(value), float(2 * np.sqrt(np.square(r - value * n).sum()) / n.sum())


def residual_spread(responses: Responses, predicted: np.ndarray) -> np.ndarray:
    """Return the root mean square of measured minus held-out z of each drug, [n_drugs].

    Parameters
    ----------
    responses
        Of the lines.
    predicted
        Of the same lines, [n_lines, n_drugs].
    """
    return np.sqrt(np.nanmean(np.square(responses.z - predicted), 0))
