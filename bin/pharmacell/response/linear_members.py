"""Linear members of the ensemble: penalties from shifted validation, weights for each replica."""

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.linear.fits import LOGISTIC_CS, RIDGE_ALPHAS, LinearFits
from pharmacell.response.columns import BASELINE_NAMES
from pharmacell.response.model_card import Penalties
from pharmacell.response.training_lines import TrainingLines


def one_replica_of_each_fold(held_out: np.ndarray) -> list[int]:
    """Return the replicas whose held-out lines differ: the first of each fold.

    Parameters
    ----------
    held_out
        Lines that each replica did not learn from, int64 [n_replicas, n_held_out].
    """
    first: dict[bytes, int] = {}
    for replica, rows in enumerate(held_out):
        first.setdefault(rows.tobytes(), replica)
    return list(first.values())


def choose_penalties(lines: TrainingLines) -> Penalties:
    """Choose the penalties whose mean AUROC over folds and severities of shifted validation is highest.

    Fitted to the denoised response and scored on the mean of a line's cells, because a prediction rests on the mean
    over like cells; the same for members of the ensemble and for baselines.

    Parameters
    ----------
    lines
        Lines and folds.
    """
    aurocs = []
    validation = lines.shifted_validation
    pooled = validation.pooled.cpu().numpy()
    for replica in one_replica_of_each_fold(lines.held_out):
        rows = lines.training_rows(replica)
        fits = LinearFits(lines.x[rows])
        response = lines.denoised_response[replica, rows][:, None]
        weights = [fits.ridge(response, alpha) for alpha in RIDGE_ALPHAS]
        weights += [fits.logistic(lines.labels[rows, None], c) for c in LOGISTIC_CS]
        scores = np.concatenate(weights) @ pooled[replica].T
        aurocs.append([validation.auroc_of_replica(replica, own).mean() for own in scores])
    ridge, logistic = np.split(np.array(aurocs), [len(RIDGE_ALPHAS)], 1)
    return Penalties(RIDGE_ALPHAS[place_of_best(ridge)], LOGISTIC_CS[place_of_best(logistic)])


def place_of_best(aurocs: np.ndarray) -> int:
    """Return the place of the highest mean over folds; what has no score in a fold where others have one is no choice.

    Parameters
    ----------
    aurocs
        NaN where there is none, as in a fold of one class, [n_folds, n].

    Raises
    ------
    InputError
        If nothing has a score in any fold.
    """
    mean = aurocs[np.isfinite(aurocs).any(1)].mean(0) if np.isfinite(aurocs).any() else np.full(aurocs.shape[1], np.nan)
    if np.isnan(mean).all():
        raise InputError(
            "shifted validation: no fold of the training lines has both classes and finite scores, so that nothing can "
            "be chosen; choose another cut of the response or --validation plain"
        )
    return int(np.nanargmax(mean))


def linear_members(lines: TrainingLines, penalties: Penalties) -> np.ndarray:
    """Fit signature, ridge and logistic regression on each replica's lines, float32 [n_replicas, 3, n_genes].

    Signature and ridge learn the denoised response (:mod:`pharmacell.linear.denoised_responses`).

    Parameters
    ----------
    lines
        Lines and folds.
    penalties
        Of ridge and logistic regression.
    """
    n_replicas = len(lines.held_out)
    members = np.empty((n_replicas, len(BASELINE_NAMES), lines.x.shape[1]), np.float32)
    of_fold: dict[bytes, np.ndarray] = {}
    for replica in range(n_replicas):
        fold = lines.held_out[replica].tobytes()
        if fold not in of_fold:
            rows = lines.training_rows(replica)
            fits, responses = LinearFits(lines.x[rows]), lines.denoised_response[replica, rows, None]
            of_fold[fold] = np.concatenate(
                [
                    fits.signature(responses),
                    fits.ridge(responses, penalties.alpha),
                    fits.logistic(lines.labels[rows, None], penalties.c),
                ]
            )
        members[replica] = of_fold[fold]
    return members
