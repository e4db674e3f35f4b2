"""Scores of predicted probabilities against a binary truth (1 sensitive, 0 resistant)."""

import numpy as np

METRICS = (
    "precision",
    "recall",
    "f1",
    "f1_weighted",
    "auroc",
    "average_precision",
    "prevalence",
    "mcc",
    "brier",
    "balanced_accuracy",
)


def score(truth: np.ndarray, probability: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """Score one prediction.

    Parameters
    ----------
    truth
        0 or 1, shape (n_cells,).
    probability
        Probability of class 1, shape (n_cells,). Any finite score will do for the metrics of rank; ``brier`` is NaN
        when a value is outside 0 to 1.
    threshold
        A cell whose probability is at least this is called sensitive.

    Returns
    -------
    dict
        One value for each name in ``METRICS``. What is undefined is NaN, never an error: precision when no cell is
        called sensitive, recall and F1 without a sensitive cell to find or call, ``auroc``, ``average_precision``,
        ``balanced_accuracy`` and ``mcc`` when there is one class only (``mcc`` also when there is one label only).

    Raises
    ------
    ValueError
        If the shapes differ, the truth is not 0 or 1, or a probability is not finite.
    """
    ranked = Ranked(truth, probability, threshold)
    return {name: float(values[0]) for name, values in ranked.scores(np.ones((1, ranked.n_cells))).items()}


def auroc(truth: np.ndarray, score: np.ndarray) -> float:
    """Return the area under the ROC curve, from mean ranks (ties count one half); NaN when there is one class only.

    Parameters
    ----------
    truth
        0 or 1, shape (n_cells,).
    score
        Higher means more likely 1; any scale. Shape (n_cells,).
    """
    from scipy.stats import rankdata

    positive = np.asarray(truth).astype(bool)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if n_positive == 0 or n_negative == 0:
        return float("nan")
    rank_sum = rankdata(score)[positive].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


class Ranked:
    """Truth and probabilities sorted once, to be scored under many sets of weights (as a bootstrap does).

    Parameters
    ----------
    truth, probability, threshold
        As in :func:`score`.
    """

    def __init__(self, truth: np.ndarray, probability: np.ndarray, threshold: float = 0.5):
        truth, probability = np.asarray(truth), np.asarray(probability, dtype=float)
        if truth.ndim != 1 or truth.shape != probability.shape:
            raise ValueError(
                f"truth and probability must be two vectors of one length: {truth.shape}, {probability.shape}"
            )
        if not np.isin(truth, (0, 1)).all():
            raise ValueError("truth must be 0 or 1")
        if not np.isfinite(probability).all():
            raise ValueError("probability must be finite")
        self.n_cells = truth.size
        self.order = np.argsort(-probability, kind="stable")
        self.truth = truth[self.order].astype(float)
        self.probability = probability[self.order]
        self.called = (self.probability >= threshold).astype(float)
        # cells of equal probability share one step of the ROC curve
        self.steps = np.flatnonzero(np.r_[True, np.diff(self.probability) != 0][: self.n_cells])

    def scores(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Return every metric under each row of weights.

        Parameters
        ----------
        weights
            How often each cell counts, in the order of ``self.order``; shape (n_rows, n_cells).

        Returns
        -------
        dict
            Metric to values, shape (n_rows,); NaN where undefined.
        """
        counted = np.stack([self.truth * self.called, self.truth, self.called, np.ones(self.n_cells)], axis=1)
        tp, positive, called, total = (weights @ counted).T  # each (n_rows,)
        fp, fn, negative = called - tp, positive - tp, total - positive
        tn = negative - fp
        both = (positive > 0) & (negative > 0)
        f1 = divide(2 * tp, 2 * tp + fp + fn)
        f1_resistant = divide(2 * tn, 2 * tn + fp + fn)
        roc, precision_recall = self.areas(weights, positive, negative)
        return {
            "precision": divide(tp, called),
            "recall": divide(tp, positive),
            "f1": f1,
            "f1_weighted": divide(np.nan_to_num(f1) * positive + np.nan_to_num(f1_resistant) * negative, total),
            "auroc": np.where(both, roc, np.nan),
            "average_precision": np.where(both, precision_recall, np.nan),
            "prevalence": divide(positive, total),
            "mcc": divide(tp * tn - fp * fn, np.sqrt(called * positive * negative * (total - called))),
            "brier": self.brier(weights, total),
            "balanced_accuracy": (divide(tp, positive) + divide(tn, negative)) / 2,
        }

    def areas(self, weights: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the areas under the ROC curve and the precision-recall curve (average precision), each (n_rows,).

        Parameters
        ----------
        weights
            As in :meth:`scores`.
        positive, negative
            Weight of the cells of either class, shape (n_rows,).
        """
        if self.n_cells == 0:
            return np.full(len(weights), np.nan), np.full(len(weights), np.nan)
        hits = np.add.reduceat(weights * self.truth, self.steps, axis=1)  # (n_rows, n_steps)
        misses = np.add.reduceat(weights * (1 - self.truth), self.steps, axis=1)
        hits_so_far = np.cumsum(hits, axis=1)
        roc = np.einsum("ij,ij->i", misses, hits_so_far - hits / 2)
        precision = divide(hits_so_far, hits_so_far + np.cumsum(misses, axis=1))
        precision_recall = np.einsum("ij,ij->i", hits, np.nan_to_num(precision))
        return divide(roc, positive * negative), divide(precision_recall, positive)

    def chance_precision(self, weights: np.ndarray) -> np.ndarray:
        """Return the expectation of average precision when the labels are shuffled, shape (n_rows,).

        With n cells, k of them sensitive, in groups of m_g cells of equal probability and N_g cells up to and with
        group g, the hits of a random order are hypergeometric, so that exactly

            E[AP] = 1/n sum_g m_g / N_g (1 + (N_g - 1) (k - 1) / (n - 1))

        Without ties this is (k - 1) / (n - 1) + H_n / n (n - k) / (n - 1), where H_n is the sum of 1/i up to n
        (Bestgen 2015, Prague Bull. Math. Linguistics 103), which is above the prevalence k / n. Where all cells tie it
        is the prevalence. NaN with fewer than two cells.

        Parameters
        ----------
        weights
            Which cells count, 0 or 1, in the order of ``self.order``; shape (n_rows, n_cells).
        """
        if self.n_cells == 0:
            return np.full(len(weights), np.nan)
        total, positive = weights.sum(1), weights @ self.truth
        sizes = np.add.reduceat(weights, self.steps, axis=1)
        so_far = np.cumsum(sizes, axis=1)
        others = divide(positive - 1, total - 1)[:, None]  # share of sensitive ones beside a sensitive cell
        precision = divide(1 + (so_far - 1) * others, so_far)
        return divide(np.einsum("ij,ij->i", sizes, np.nan_to_num(precision)), np.where(total > 1, total, 0))

    def brier(self, weights: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Return the mean squared difference between probability and truth, (n_rows,); NaN for other scores.

        Parameters
        ----------
        weights
            As in :meth:`scores`.
        total
            Weight of all cells, shape (n_rows,).
        """
        if self.n_cells and (self.probability[0] > 1 or self.probability[-1] < 0):
            return np.full(len(weights), np.nan)
        return divide(weights @ (self.probability - self.truth) ** 2, total)


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide element by element; NaN where the denominator is 0.

    Parameters
    ----------
    numerator, denominator
        Numbers of one shape.
    """
    return np.divide(numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator != 0)
