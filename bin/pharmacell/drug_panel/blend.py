"""How much the network counts beside the linear member; held-out lines, imitated as pooled profiles, decide."""

import numpy as np

from pharmacell.drug_panel.held_out import HeldOutLines
from pharmacell.drug_panel.linear import LinearChoice
from pharmacell.drug_panel.profiles import BulkScale
from pharmacell.drug_panel.responses import Responses
from pharmacell.drug_panel.train_network import Trained

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


def network_weight(
    trained: Trained, lines: BulkScale, responses: Responses, tissues: np.ndarray, choice: LinearChoice
) -> tuple[float, dict[float, float]]:
    """Choose the network's weight.

    Both members predict the imitated pooled profile of each line by fits that did not see the line, the linear member
    as it predicts a sample of the line's tissue. What counts is how lines of one tissue are told apart: the mean over
    drugs of the correlation over lines, after the mean of each tissue and part is removed. Lines of different parts are
    not compared: the less sensitive the lines that are held out, the more sensitive is the mean of the others.

    Parameters
    ----------
    trained
        The network.
    lines, responses
        What it learned from.
    tissues
        Of the lines.
    choice
        Of the linear member.

    Returns
    -------
    weight
        The best.
    scores
        Of each weight.
    """
    held = HeldOutLines.of(lines, trained.imitated, responses, tissues, trained.parts)
    mean, difference = held.predict(choice)
    linear = mean + choice.trust * difference
    known = trained.parts >= 0
    network = trained.held_out_imitated[known]
    groups = np.array([f"{tissue} {part}" for tissue, part in zip(tissues, trained.parts, strict=True)])[known]
    scores = {
        weight: within_groups((1 - weight) * linear[known] + weight * network, responses.z[known], groups)
        for weight in WEIGHTS
    }
    return max(scores, key=lambda weight: scores[weight]), scores


def within_groups(found: np.ndarray, z: np.ndarray, groups: np.ndarray) -> float:
    """Return the mean over drugs of the correlation over lines, without the mean of each group.

    Parameters
    ----------
    found
        Predicted, [n, n_drugs].
    z
        Measured, NaN where not, [n, n_drugs].
    groups
        Of the lines, [n].
    """
    measured = np.isfinite(z)
    a, b = np.where(measured, found, 0.0), np.where(measured, z, 0.0)
    for group in np.unique(groups):
        rows = groups == group
        n = np.maximum(measured[rows].sum(0), 1)
        for values in (a, b):
            values[rows] -= measured[rows] * (values[rows].sum(0) / n)
    lengths = np.sqrt(np.square(a).sum(0) * np.square(b).sum(0))
    return float(np.mean(((a * b).sum(0) / np.maximum(lengths, 1e-12))[lengths > 0]))
