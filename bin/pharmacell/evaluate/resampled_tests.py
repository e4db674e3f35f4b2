"""Tests and intervals for scores from repeated cross-validation, whose folds are not independent."""

import numpy as np

LEVEL = 0.95


def corrected_variance(values: np.ndarray, ratio: float) -> np.ndarray:
    """Return the variance of the mean over all folds, corrected for the overlap of their training parts.

    Nadeau and Bengio (2003, Machine Learning 52:239-281) for repeated splits, as Bouckaert and Frank (2004) apply it to
    r times repeated k-fold cross-validation: with J = k r values d_j of sample variance s^2,

        Var(mean) = (1 / J + n_test / n_train) s^2

    The uncorrected s^2 / J treats the folds as independent and shrinks to nothing as the repeats go up, although no
    new cell is ever seen.

    Parameters
    ----------
    values
        One value for each fold of each repeat, shape (..., n).
    ratio
        Cells that are tested for each cell that is trained on, 1 / (k - 1) for k folds of one size.

    Returns
    -------
    numpy.ndarray
        Shape (...); NaN for fewer than two values.
    """
    n = values.shape[-1]
    if n < 2:
        return np.full(values.shape[:-1], np.nan)
    return (1 / n + ratio) * values.var(axis=-1, ddof=1)


def corrected_t_test(differences: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Test whether the mean difference of two models' scores is zero, two-sided.

        t = mean(d) / sqrt((1 / J + n_test / n_train) s^2),   J - 1 degrees of freedom

    Parameters
    ----------
    differences, ratio
        As in :func:`corrected_variance`.

    Returns
    -------
    t, p
        Shape (...). Where all differences are zero, t is 0 and p is 1; where all are one other number, there is no
        spread to test against and both are NaN, as they are for fewer than two values.
    """
    from scipy.stats import t as student

    mean, error = differences.mean(axis=-1), np.sqrt(corrected_variance(differences, ratio))
    constant = np.ptp(differences, axis=-1) == 0
    statistic = np.full(np.shape(mean), np.nan)
    np.divide(mean, error, out=statistic, where=~constant & np.isfinite(error))
    if differences.shape[-1] > 1:
        statistic = np.where(constant & (mean == 0), 0.0, statistic)
    statistic = statistic[()]  # a number for one vector
    return statistic, 2 * student.sf(np.abs(statistic), differences.shape[-1] - 1)


def corrected_interval(values: np.ndarray, ratio: float, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of the mean that belongs to :func:`corrected_t_test`; NaN for fewer than two values.

    Parameters
    ----------
    values
        One value for each fold of each repeat, shape (n,).
    ratio
        As in :func:`corrected_variance`.
    level
        Coverage that is aimed at.
    """
    from scipy.stats import t as student

    if values.size < 2:
        return float("nan"), float("nan")
    half = student.ppf((1 + level) / 2, values.size - 1) * float(np.sqrt(corrected_variance(values, ratio)))
    return float(values.mean() - half), float(values.mean() + half)


def wilcoxon_test(differences: np.ndarray) -> float:
    """Return p of the two-sided signed-rank test (Wilcoxon 1945); 1 where all differences are zero.

    It takes the folds for independent, which they are not, so p is too small; the corrected t-test is the one to trust.
    Exact for at most 50 folds without ties and zeros, else by the normal approximation; zeros are left out.

    Parameters
    ----------
    differences
        Difference of two models' scores in each fold, shape (n,).
    """
    from scipy.stats import wilcoxon

    if differences.size < 2:
        return float("nan")
    if not differences.any():
        return 1.0
    sizes = np.abs(differences)
    exact = differences.size <= 50 and sizes.all() and np.unique(sizes).size == sizes.size
    return float(wilcoxon(differences, method="exact" if exact else "asymptotic").pvalue)


def holm(p: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for their number (Holm 1979), shape (n,); NaN stays NaN and does not count.

    With the m known values in rising order, p'_i = max over j <= i of min(1, (m - j + 1) p_j). Written out, because the
    call in statsmodels collects garbage each time, and a benchmark makes hundreds of calls.

    Parameters
    ----------
    p
        One p-value for each comparison, shape (n,).
    """
    order = np.argsort(p)[: np.isfinite(p).sum()]  # NaN sorts last
    adjusted = np.full(p.shape, np.nan)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(order.size, 0, -1)))
    return adjusted


def effect_size(differences: np.ndarray) -> float:
    """Return the mean difference in standard deviations of the differences (Cohen's d of pairs); NaN without spread.

    Parameters
    ----------
    differences
        Difference of two models' scores in each fold, shape (n,).
    """
    spread = differences.std(ddof=1) if differences.size > 1 else 0.0
    return float(differences.mean() / spread) if spread > 0 else float("nan")


def superiority(differences: np.ndarray) -> float:
    """Return the share of folds with a positive difference, ties counted one half; NaN without a fold.

    Parameters
    ----------
    differences
        Difference of two models' scores in each fold, shape (n,).
    """
    return float(np.mean((np.sign(differences) + 1) / 2)) if differences.size else float("nan")
