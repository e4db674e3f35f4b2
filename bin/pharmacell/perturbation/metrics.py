"""Scores of predicted differential expression, row by row (a row is one compound in one cell type)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

SIGNIFICANT = -np.log10(0.05)  # of |signed -log10 p|
STRONG = 2.0
TOP = 100
METRICS = (
    "mrrmse",
    "mae",
    "mae_sign_right",
    "mae_sign_wrong",
    "sign_accuracy",
    "sign_accuracy_significant",
    "sign_accuracy_strong",
    "pearson",
    "spearman",
    "cosine",
    "deg_overlap",
)
COUNTED = ("mae_sign_right", "mae_sign_wrong", "sign_accuracy_significant", "sign_accuracy_strong")  # over some genes
LOWER_IS_BETTER = frozenset({"mrrmse", "mae", "mae_sign_right", "mae_sign_wrong"})
ELEMENTS_AT_ONCE = 2_000_000  # about 16 MB for each intermediate array of a chunk


@dataclass(frozen=True)
class RowScores:
    """Every metric of every row, and how much the row counts in a mean.

    Attributes
    ----------
    value
        float64 [n_rows, n_metrics], in the order of :data:`METRICS`; 0 where the weight is 0.
    weight
        float64 [n_rows, n_metrics]: 1, or for a metric over some of the genes how many these are, so that a mean over
        rows is a mean over all their (row, gene) pairs.
    """

    value: np.ndarray
    weight: np.ndarray

    def mean(self, rows: np.ndarray | slice = slice(None)) -> dict[str, float]:
        """Return the weighted mean of each metric over some rows; NaN where no gene of any row counts.

        Parameters
        ----------
        rows
            Which rows count.
        """
        total, weight = (self.value[rows] * self.weight[rows]).sum(axis=0), self.weight[rows].sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return dict(zip(METRICS, (total / weight).tolist(), strict=True))

    def rows(self) -> np.ndarray:
        """Return the value of each row by itself, [n_rows, n_metrics]; NaN where no gene of the row counts."""
        return np.where(self.weight > 0, self.value, np.nan)

    def table(self) -> pd.DataFrame:
        """Return a column for each metric, as :meth:`rows`, and for each one over some genes how many these are."""
        found = pd.DataFrame(self.rows(), columns=list(METRICS))
        for name in COUNTED:
            found[genes_column(name)] = self.weight[:, METRICS.index(name)].astype(np.int32)
        return found

    @classmethod
    def of(cls, table: pd.DataFrame) -> "RowScores":
        """Return the scores of a table as :meth:`table` makes it.

        Parameters
        ----------
        table
            [n_rows, ...]; other columns do not matter.
        """
        value = table[list(METRICS)].to_numpy(float)
        weight = np.ones_like(value)
        for name in COUNTED:
            weight[:, METRICS.index(name)] = table[genes_column(name)]
        return cls(np.where(weight > 0, value, 0.0), weight)


def genes_column(metric: str) -> str:
    """Return the column that says over how many genes of a row a metric was taken.

    Parameters
    ----------
    metric
        One of :data:`COUNTED`.
    """
    return f"{metric}_genes"


class Scorer:
    """Scores predictions against one truth, whose own part of the work is done once.

    Parameters
    ----------
    truth
        Signed -log10 p, finite, [n_rows, n_genes].

    Notes
    -----
    Values are computed in chunks of rows, so memory beyond the ranks of the truth does not grow with the rows.
    """

    def __init__(self, truth: np.ndarray) -> None:
        if truth.ndim != 2 or not np.isfinite(truth).all():
            raise ValueError("the truth must be a finite matrix")
        self.truth = truth
        chunks = list(_chunks(*truth.shape))
        self._ranks = [_ranks(truth[rows]).astype(np.float32) for rows in chunks]
        self._top = [top_share(truth[rows]).astype(np.float32) for rows in chunks]

    def score(self, prediction: np.ndarray) -> RowScores:
        """Score every row of a prediction, [n_rows, n_genes], in the order of the truth.

        Parameters
        ----------
        prediction
            float32 [n_rows, n_genes].

        Raises
        ------
        ValueError
            If the shapes differ or a prediction is not finite.
        """
        if prediction.shape != self.truth.shape:
            raise ValueError(f"a prediction of shape {prediction.shape} for a truth of shape {self.truth.shape}")
        parts = []
        for rows_of_chunk, ranks, top in zip(_chunks(*self.truth.shape), self._ranks, self._top, strict=True):
            if not np.isfinite(prediction[rows_of_chunk]).all():
                raise ValueError("a prediction is not finite")
            parts.append(_score_chunk(self.truth[rows_of_chunk], prediction[rows_of_chunk], ranks, top))
        value, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
        return RowScores(value, weight)


def top_share(values: np.ndarray) -> np.ndarray:
    """Return how far each gene is among the 100 of its row with the largest absolute value, [n_rows, n_genes].

    1 above the hundredth, 0 below it; genes that tie for the last places share them evenly, so that no order of the
    columns decides. With fewer than 100 genes, all are among them.

    Parameters
    ----------
    values
        [n_rows, n_genes].
    """
    size = np.abs(values)
    top = min(TOP, size.shape[1])
    last = np.partition(size, size.shape[1] - top, axis=1)[:, size.shape[1] - top, None]
    above, tied = size > last, size == last
    places = top - above.sum(axis=1, keepdims=True)
    return above + tied * (places / tied.sum(axis=1, keepdims=True))


def _chunks(n_rows: int, n_genes: int) -> Iterator[slice]:
    """Yield slices of rows whose matrices stay small."""
    step = max(1, ELEMENTS_AT_ONCE // max(1, n_genes))
    for start in range(0, n_rows, step):
        yield slice(start, min(n_rows, start + step))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank within each row, ties at their mean rank, [n_rows, n_genes]."""
    from scipy.stats import rankdata

    return rankdata(values, axis=1)


def _score_chunk(
    truth: np.ndarray, prediction: np.ndarray, ranks: np.ndarray, top: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return value and weight of every metric for some rows, [n_rows, n_metrics] each."""
    size = np.abs(truth)
    error = np.abs(prediction - truth)
    right = np.sign(prediction) == np.sign(truth)
    every = np.ones(len(truth))
    found = {
        "mrrmse": (np.sqrt(np.mean(np.square(error, dtype=np.float64), axis=1)), every),
        "mae": (error.mean(axis=1, dtype=np.float64), every),
        "mae_sign_right": _mean_where(error, right),
        "mae_sign_wrong": _mean_where(error, ~right),
        "sign_accuracy": (right.mean(axis=1), every),
        "sign_accuracy_significant": _mean_where(right, size >= SIGNIFICANT),
        "sign_accuracy_strong": _mean_where(right, size >= STRONG),
        "pearson": (_correlation(truth, prediction), every),
        "spearman": (_correlation(ranks, _ranks(prediction)), every),
        "cosine": (_cosine(truth, prediction), every),
        "deg_overlap": ((top * top_share(prediction)).sum(axis=1) / min(TOP, truth.shape[1]), every),
    }
    value, weight = zip(*(found[name] for name in METRICS), strict=True)
    return np.stack(value, axis=1).astype(float), np.stack(weight, axis=1).astype(float)


def _mean_where(values: np.ndarray, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over the chosen genes of each row (0 where there is none), and how many were chosen."""
    count = where.sum(axis=1)
    return np.sum(values, axis=1, where=where, dtype=np.float64) / np.maximum(count, 1), count


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Pearson's correlation of each pair of rows; 0 where one of them is constant."""
    constant = (np.ptp(a, axis=1) == 0) | (np.ptp(b, axis=1) == 0)
    centred = [x - x.mean(axis=1, keepdims=True, dtype=np.float64) for x in (a, b)]
    return np.where(constant, 0.0, _cosine(*centred))


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the cosine of each pair of rows; 0 where one of them is 0 throughout."""
    product, square_a, square_b = (np.einsum("ij,ij->i", x, y, dtype=np.float64) for x, y in ((a, b), (a, a), (b, b)))
    norm = np.sqrt(square_a * square_b)
    return np.divide(product, norm, out=np.zeros_like(norm), where=norm > 0)
