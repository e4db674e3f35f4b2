"""Scores of an adapted model on bulk lines that were held out and made into simulated cells."""

import numpy as np

from pharmacell.data.shifts import SEVERITIES
from pharmacell.evaluate.metrics import auroc
from pharmacell.evaluate.within_groups import Ranking, mean_auroc_within
from pharmacell.response.ensemble import MEMBERS, Ensemble
from pharmacell.response.model_card import Interval, ReliabilityBin, ShiftedScores
from pharmacell.response.network import ATSDP
from pharmacell.response.training_lines import TrainingLines

CALIBRATION_BINS = 10


def score_shifted(model: ATSDP, ensemble: Ensemble, lines: TrainingLines) -> ShiftedScores:
    """Score the adapted model on held-out lines as simulated cells.

    Parameters
    ----------
    model, ensemble
        Network and linear members.
    lines
        Lines with shifted validation.
    """
    validation = lines.shifted_validation
    network = validation.network_scores(model, "target")
    members = ensemble.members(network, validation.pooled.cpu().numpy())  # [R, 4, n]
    combined = np.einsum("k,rkn->rn", ensemble.weights, members)
    probability, truth = ensemble.probability(combined).ravel(), validation.labels.ravel()
    rankings = [
        Ranking(*values)
        for r, held_out in enumerate(lines.held_out)
        for values in zip(
            *(
                np.split(rows, len(SEVERITIES))
                for rows in (
                    validation.labels[r],
                    combined[r],
                    validation.groups[r],
                    np.tile(held_out, len(SEVERITIES)),
                )
            ),
            strict=True,
        )
    ]
    bins, calibration_error = reliability(truth, probability)
    return ShiftedScores(
        shifted_auroc=Interval(*mean_auroc_within(rankings)),
        shifted_auroc_pooled=float(np.mean([auroc(one.truth, one.score) for one in rankings])),
        shifted_auroc_members={name: float(validation.auroc(members[:, k]).mean()) for k, name in enumerate(MEMBERS)},
        ensemble_weights=ensemble.named_weights(),
        reliability=bins,
        calibration_error=calibration_error,
    )


def reliability(truth: np.ndarray, probability: np.ndarray) -> tuple[list[ReliabilityBin], float]:
    """Return reliability bins and the expected calibration error, both classes weighted equally.

    Parameters
    ----------
    truth, probability
        [n].
    """
    weight = np.where(truth == 1, 0.5 / max(truth.mean(), 1e-9), 0.5 / max(1 - truth.mean(), 1e-9)) / len(truth)
    bin_of_row = np.minimum((probability * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    bins, error = [], 0.0
    for number in np.unique(bin_of_row):
        rows = bin_of_row == number
        predicted, observed = (float(np.average(v[rows], weights=weight[rows])) for v in (probability, truth))
        bins.append(ReliabilityBin(predicted, observed, int(rows.sum())))
        error += weight[rows].sum() * abs(predicted - observed)
    return bins, float(error)
