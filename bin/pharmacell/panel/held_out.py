"""Held-out lines: how well each drug can be predicted, and by how much a prediction is off."""

from dataclasses import dataclass

import numpy as np

from pharmacell.core.seeds import generator
from pharmacell.panel.linear import LinearChoice, LinearPanel, tissue_weights
from pharmacell.panel.responses import Responses

FOLDS = 5


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


def held_out_z(
    x: np.ndarray, responses: Responses, tissues: np.ndarray, folds: np.ndarray, choice: LinearChoice
) -> np.ndarray:
    """Predict every line by a fit that did not see it, as a sample of its tissue, float32 [n_lines, n_drugs].

    Parameters
    ----------
    x
        Lines on the bulk scale, [n_lines, n_genes].
    responses
        Of the lines.
    tissues
        Of the lines.
    folds
        Fold of each line.
    choice
        Penalty and tissue weight.
    """
    found = np.empty(responses.z.shape, np.float32)
    for fold in range(int(folds.max()) + 1):
        train, held = folds != fold, folds == fold
        learned = responses.learned(np.flatnonzero(train))
        for tissue in np.unique(tissues[held]):
            rows = held & (tissues == tissue)
            weights = tissue_weights(tissues[train], tissue, choice.tissue_weight)
            found[rows] = LinearPanel(x[train], learned, weights, choice).z(x[rows])
    return found


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


def predictability(responses: Responses, predicted: np.ndarray, tissues: np.ndarray) -> Predictability:
    """Score held-out predictions.

    Parameters
    ----------
    responses
        Of the lines.
    predicted
        Of the same lines, z, [n_lines, n_drugs].
    tissues
        Of the lines.
    """
    number = np.unique(tissues, return_inverse=True)[1]
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
