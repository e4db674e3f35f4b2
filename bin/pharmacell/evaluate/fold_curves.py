"""ROC and precision-recall curves of folds on one grid, so that they can be averaged."""

import numpy as np

GRID = np.linspace(0, 1, 101)


def fold_curves(truth: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the two curves of one fold.

    Parameters
    ----------
    truth
        0 or 1, shape (n_cells,).
    probability
        Probability of class 1, shape (n_cells,).

    Returns
    -------
    true_positive, precision
        True positive rate at each false positive rate of ``GRID`` (straight lines between the steps), and precision at
        each recall of ``GRID`` (that of the highest threshold which reaches the recall), shape (101,) each. None when
        the fold has one class only.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve

    if truth.min() == truth.max():
        return None
    false_positive, true_positive, _ = roc_curve(truth, probability, drop_intermediate=False)
    roc = np.interp(GRID, false_positive, true_positive)  # on a vertical step, its upper end
    precision, recall, _ = precision_recall_curve(truth, probability)
    precision, recall = precision[::-1][1:], recall[::-1][1:]  # from the highest threshold down; the made-up end goes
    return roc, precision[np.searchsorted(recall, GRID - 1e-12).clip(max=len(recall) - 1)]
