"""Linear members of the ensemble: penalties from shifted validation, weights for each replica."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.linear.fits import LOGISTIC_CS, RIDGE_ALPHAS, LinearFits

if TYPE_CHECKING:
    from pharmacell.response.training_lines import Source


@dataclass(frozen=True)
class LinearChoice:
    """Penalties of ridge and logistic regression.

    Parameters
    ----------
    alpha
        Ridge penalty on the squared weights, for standardised genes.
    c
        Inverse penalty of the logistic regression.
    """

    alpha: float = 1e4
    c: float = 1e-3


def distinct_folds(source: "Source") -> list[int]:
    """Return the replicas whose held-out lines differ: the first of each fold."""
    seen: dict[bytes, int] = {}
    for replica, rows in enumerate(source.held):
        seen.setdefault(rows.tobytes(), replica)
    return list(seen.values())


def learnt_rows(source: "Source", replica: int) -> np.ndarray:
    """Return the lines that a replica learns from, before resampling."""
    return source.data.plain_rows[replica].cpu().numpy()


def choose_penalties(source: "Source") -> tuple[LinearChoice, LinearChoice]:
    """Choose the penalties whose mean AUROC over folds and severities of shifted validation is highest.

    Returns
    -------
    baselines
        For models that stand alone: fitted to the response as measured, judged on single cells.
    members
        For members of the ensemble: fitted to the denoised response, judged on the mean of a line's cells.
    """
    ridge, logistic = np.zeros((2, len(RIDGE_ALPHAS))), np.zeros((2, len(LOGISTIC_CS)))
    pooled = source.validation.pooled.cpu().numpy()
    for replica in distinct_folds(source):
        rows = learnt_rows(source, replica)
        fits = LinearFits(source.x[rows])
        responses = np.stack([source.response[rows], source.denoised[replica, rows]], 1)
        paths = np.stack([fits.ridge(responses, alpha) for alpha in RIDGE_ALPHAS], 1)  # [2, n_alphas, n_genes]
        path = np.concatenate([fits.logistic(source.labels[rows, None], c) for c in LOGISTIC_CS])
        for i, cells in enumerate((source.validation.x[replica].cpu().numpy(), pooled[replica])):
            found = np.array(
                [
                    source.validation.auroc_of_replica(replica, score).mean()
                    for score in np.concatenate([paths[i], path]) @ cells.T
                ]
            )
            ridge[i] += found[: len(RIDGE_ALPHAS)]
            logistic[i] += found[len(RIDGE_ALPHAS) :]
    baselines, members = (
        LinearChoice(RIDGE_ALPHAS[int(alphas.argmax())], LOGISTIC_CS[int(cs.argmax())])
        for alphas, cs in zip(ridge, logistic, strict=True)
    )
    return baselines, members


def linear_members(source: "Source", choice: LinearChoice) -> np.ndarray:
    """Fit signature, ridge and logistic regression on each replica's lines, float32 [n_replicas, 3, n_genes].

    Signature and ridge learn the denoised response (:mod:`pharmacell.linear.denoised_responses`).
    """
    return permuted_members(source, choice, np.arange(len(source.labels))[None])[0]


def permuted_members(source: "Source", choice: LinearChoice, orders: np.ndarray) -> np.ndarray:
    """Fit the linear members to reordered responses and labels.

    Parameters
    ----------
    source
        Lines and folds.
    choice
        Penalties.
    orders
        Permutations of the lines, int64 [n_permutations, n_lines]; line i takes the response of line ``order[i]``.

    Returns
    -------
    numpy.ndarray
        float32 [n_permutations, n_replicas, 3, n_genes].
    """
    n_replicas = len(source.held)
    members = np.empty((len(orders), n_replicas, 3, source.x.shape[1]), np.float32)
    by_fold: dict[bytes, np.ndarray] = {}
    for replica in range(n_replicas):
        key = source.held[replica].tobytes()
        if key not in by_fold:
            rows = learnt_rows(source, replica)
            fits = LinearFits(source.x[rows])
            response, labels = source.denoised[replica][orders][:, rows].T, source.labels[orders][:, rows].T
            by_fold[key] = np.stack(
                [fits.signature(response), fits.ridge(response, choice.alpha), fits.logistic(labels, choice.c)], 1
            )
        members[:, replica] = by_fold[key]
    return members
