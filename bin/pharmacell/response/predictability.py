"""How well a drug's response can be predicted from expression at all, whatever the sample and the seed."""

import numpy as np

from pharmacell.data.folds import assign_folds, comparison_groups
from pharmacell.data.lines import Lines
from pharmacell.evaluate.within_groups import Ranking, mean_auroc_within
from pharmacell.linear.fits import LinearFits
from pharmacell.response.model_card import Interval, Predictability

FOLDS, REPEATS = 5, 3
PENALTY_PER_GENE = 7.0  # 1e4 for the 1,449 genes that A375's cells share with GDSC


def predictability(lines: Lines) -> Predictability | None:
    """Cross-validate ridge regression on all lines of a drug; folds keep tissues apart where they are known.

    Each line is scored by a fit that did not see it, three times with other folds. Folds do not depend on the user's
    seed, so a verdict that rests on this number does not either. Nothing is chosen by it.

    Parameters
    ----------
    lines
        All lines of the drug.

    Returns
    -------
    Predictability or None
        None where a class has too few lines for the folds.
    """
    labels, groups = lines.labels.to_numpy(), comparison_groups(lines.origin)
    scores = cross_validated_scores(lines)
    if scores is None:
        return None
    each = np.arange(len(labels))

    def auroc(compared: np.ndarray) -> Interval:
        return Interval(*mean_auroc_within([Ranking(labels, row, compared, each) for row in scores]))

    return Predictability(within=auroc(groups), pooled=auroc(np.zeros(len(labels), int)))


def cross_validated_scores(lines: Lines) -> np.ndarray | None:
    """Return the ridge score of each line by fits that did not see it, or None where a class has too few lines.

    Parameters
    ----------
    lines
        All lines of the drug.

    Returns
    -------
    numpy.ndarray or None
        [n_repeats, n_lines].
    """
    labels, response = lines.labels.to_numpy(), lines.response.to_numpy()
    if np.bincount(labels, minlength=2).min() < FOLDS:
        return None
    scores = np.empty((REPEATS, len(labels)))
    for repeat in range(REPEATS):
        folds = assign_folds(labels, lines.origin, FOLDS, repeat)
        for fold in range(FOLDS):
            held = folds == fold
            _, x = lines.standardised(~held)
            fits = LinearFits(x[~held])
            predicted = fits.ridge_predictions(response[~held, None], PENALTY_PER_GENE * x.shape[1], x[held])
            scores[repeat, held] = predicted[:, 0]
    return scores
