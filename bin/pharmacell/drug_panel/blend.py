"""How much the network counts beside the linear member; held-out lines, imitated as pooled profiles, decide."""

import numpy as np

from pharmacell.drug_panel.profiles import BulkScale
from pharmacell.drug_panel.responses import Responses
from pharmacell.drug_panel.train_network import Trained
from pharmacell.linear.fits import LinearFits

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


def network_weight(
    trained: Trained, lines: BulkScale, responses: Responses, tissues: np.ndarray, penalty: float
) -> tuple[float, dict[float, float]]:
    """Choose the network's weight.

    Both members predict the imitated pooled profile of each line by fits that did not see the line. What counts is how
    lines of one tissue are told apart: the mean over drugs of the correlation over lines, after the mean of each tissue
    is removed. All tissues count alike in the linear member here.

    Parameters
    ----------
    trained
        The network.
    lines, responses
        What it learned from.
    tissues
        Of the lines.
    penalty
        Of the ridge regression for each gene.

    Returns
    -------
    weight
        The best.
    scores
        Of each weight.
    """
    linear = np.full(responses.z.shape, np.nan, np.float32)
    for part in range(int(trained.parts.max()) + 1):
        train, held = trained.parts != part, trained.parts == part
        learned = responses.learned(np.flatnonzero(train))
        fits = LinearFits(lines.x[train])
        linear[held] = fits.ridge_predictions(learned, penalty * lines.x.shape[1], trained.imitated[held])
    known = trained.parts >= 0
    network = trained.held_out_imitated[known]
    scores = {
        weight: within_tissue((1 - weight) * linear[known] + weight * network, responses.z[known], tissues[known])
        for weight in WEIGHTS
    }
    return max(scores, key=lambda weight: scores[weight]), scores


def within_tissue(found: np.ndarray, z: np.ndarray, tissues: np.ndarray) -> float:
    """Return the mean over drugs of the correlation over lines, without the mean of each tissue.

    Parameters
    ----------
    found
        Predicted, [n, n_drugs].
    z
        Measured, NaN where not, [n, n_drugs].
    tissues
        Of the lines, [n].
    """
    measured = np.isfinite(z)
    a, b = np.where(measured, found, 0.0), np.where(measured, z, 0.0)
    for tissue in np.unique(tissues):
        rows = tissues == tissue
        n = np.maximum(measured[rows].sum(0), 1)
        for values in (a, b):
            values[rows] -= measured[rows] * (values[rows].sum(0) / n)
    lengths = np.sqrt(np.square(a).sum(0) * np.square(b).sum(0))
    return float(np.mean(((a * b).sum(0) / np.maximum(lengths, 1e-12))[lengths > 0]))
