"""Scores of every fold of a cross-validation at once."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.evaluate.metrics import METRICS, Ranked

if TYPE_CHECKING:
    import pandas as pd

FOLD_METRICS = (*METRICS, "lift", "expected_calibration_error")
LOWER_IS_BETTER = ("brier", "expected_calibration_error")
BINS = 10  # of equal width, for the calibration error
WEIGHTS_AT_ONCE = 1_000_000  # 8 MB for the weights of a chunk of folds, about eight times that with what is derived
ONE_CLASS = "the fold has one class only"


def score_folds(truth: np.ndarray, probability: np.ndarray, fold: np.ndarray) -> "pd.DataFrame":
    """Score the folds of one repeat.

    Parameters
    ----------
    truth
        0 or 1, shape (n_cells,).
    probability
        Probability of class 1, between 0 and 1, shape (n_cells,).
    fold
        The fold that each cell was tested in, shape (n_cells,); each cell stands once.

    Returns
    -------
    DataFrame
        Index ``fold``, one column for each name in ``FOLD_METRICS``; NaN where undefined (see :func:`why_undefined`).
        ``lift`` is average precision minus its expectation under shuffled labels, so that 0 is guessing.

    Raises
    ------
    ValueError
        If the shapes differ, the truth is not 0 or 1, or a probability is not finite.
    """
    import pandas as pd

    names, code = np.unique(fold, return_inverse=True)
    ranked = Ranked(truth, probability)
    at_once = max(1, WEIGHTS_AT_ONCE // max(1, ranked.n_cells))
    chunks = []
    for rows in np.split(np.arange(len(names)), range(at_once, len(names), at_once)):
        weights = (code[ranked.order] == rows[:, None]).astype(float)
        chunk = ranked.scores(weights)
        chunks.append(chunk | {"lift": chunk["average_precision"] - ranked.chance_precision(weights)})
    scores = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in (*METRICS, "lift")}
    scores["expected_calibration_error"] = calibration_errors(np.asarray(truth), np.asarray(probability), code)
    return pd.DataFrame(scores, index=pd.Index(names, name="fold"))[list(FOLD_METRICS)]


def calibration_errors(truth: np.ndarray, probability: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Return the expected calibration error of each fold (Naeini et al. 2015), shape (n_folds,).

    With the cells of a fold in ``BINS`` bins of equal width of the probability,

        ECE = sum_b (n_b / n) |mean probability in b - share of sensitive cells in b|

    Parameters
    ----------
    truth, probability
        As in :func:`score_folds`.
    code
        Fold of each cell, 0 to n_folds - 1, each of them present.
    """
    cells = np.bincount(code)
    place = code * BINS + np.minimum((probability * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, weights=probability - truth, minlength=len(cells) * BINS)
    return np.abs(gaps).reshape(-1, BINS).sum(1) / cells


def why_undefined(metric: str, prevalence: float) -> str:
    """Say why a score of a fold is NaN.

    Parameters
    ----------
    metric
        Name of the score.
    prevalence
        Share of sensitive cells in the fold, 0 to 1.
    """
    if prevalence in (0, 1):
        return ONE_CLASS
    return {"precision": "no cell is called sensitive", "mcc": "all cells get the same label"}[metric]
