"""Tests for scores from repeated cross-validation: known values, false positives, and ranks."""

import numpy as np
import pandas as pd
import pytest

from pharmacell.evaluate.rank_tests import rank_models
from pharmacell.evaluate.resampled_tests import (
    corrected_interval,
    corrected_t_test,
    corrected_variance,
    effect_size,
    holm,
    superiority,
    wilcoxon_test,
)

K, REPEATS, N_CELLS = 5, 5, 60


def test_corrected_t_by_hand():
    differences = np.array([0.1, 0.3, 0.2, 0.0])  # mean 0.15, variance 0.05 / 3; two repeats of two folds: ratio 1
    t, p = corrected_t_test(differences, ratio=1.0)
    assert corrected_variance(differences, 1.0) == pytest.approx((1 / 4 + 1) * 0.05 / 3)
    assert t == pytest.approx(0.15 / np.sqrt(1.25 * 0.05 / 3))
    # with three degrees of freedom and t = 0.6 sqrt(3), the distribution has a closed form
    assert t == pytest.approx(0.6 * np.sqrt(3))
    assert p == pytest.approx(1 - 2 / np.pi * (0.6 / 1.36 + np.arctan(0.6)))


def test_without_overlap_it_is_the_ordinary_t_test():
    from scipy.stats import ttest_1samp

    differences = np.random.default_rng(0).normal(0.1, 1, 12)
    expected = ttest_1samp(differences, 0)
    assert np.allclose(corrected_t_test(differences, ratio=0.0), [expected.statistic, expected.pvalue])
    assert corrected_interval(differences, 0.0) == pytest.approx(tuple(expected.confidence_interval()))


def test_the_interval_is_that_of_the_test():
    differences = np.random.default_rng(1).normal(0.5, 1, 20)
    low, high = corrected_interval(differences, 0.25)
    for edge in (low, high):
        assert corrected_t_test(differences - edge, 0.25)[1] == pytest.approx(0.05)


def test_no_spread_and_too_few_folds():
    assert corrected_t_test(np.zeros(10), 0.1) == (0, 1)
    assert np.isnan(corrected_t_test(np.full(10, 0.25), 0.1)).all()
    assert np.isnan(corrected_t_test(np.array([0.3]), 0.1)).all()
    assert np.isnan(corrected_interval(np.array([0.3]), 0.1)).all()
    assert wilcoxon_test(np.zeros(5)) == 1
    assert np.isnan(wilcoxon_test(np.array([1.0])))
    assert np.isnan(effect_size(np.full(5, 0.1)))


def cross_validated_difference(rng: np.random.Generator) -> np.ndarray:
    """Return the differences in accuracy, [k r], of two models of equal worth: each learns one of two like features."""
    labels = np.arange(N_CELLS) % 2
    features = rng.normal(size=(N_CELLS, 2)) + 0.5 * labels[:, None]
    found = []
    for _ in range(REPEATS):
        fold = np.empty(N_CELLS, int)
        for label in (0, 1):
            fold[rng.permutation(np.flatnonzero(labels == label))] = np.arange(N_CELLS // 2) % K
        for test in range(K):
            train = fold != test
            low, high = (features[train & (labels == label)].mean(0) for label in (0, 1))
            called = (features[~train] > (low + high) / 2) == (high > low)
            found.append((called == labels[~train, None]).mean(0))
    return np.diff(np.array(found))[:, 0]


def test_false_positives_of_the_corrected_test_stay_near_five_in_a_hundred():
    rng = np.random.default_rng(20250821)
    differences = np.stack([cross_validated_difference(rng) for _ in range(500)])
    corrected = (corrected_t_test(differences, 1 / (K - 1))[1] < 0.05).mean()
    naive = (corrected_t_test(differences, 0.0)[1] < 0.05).mean()
    wilcoxon = np.mean([wilcoxon_test(row) < 0.05 for row in differences[:200]])
    assert 0.02 < corrected < 0.09
    assert naive > 3 * corrected
    assert wilcoxon > 3 * corrected


def test_a_real_difference_is_found():
    rng = np.random.default_rng(3)
    _t, p = corrected_t_test(rng.normal(0.1, 0.05, 100), 1 / 9)
    assert p < 0.001


def test_holm_by_hand_and_unknown_values_do_not_count():
    assert np.allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])
    assert np.allclose(holm(np.array([0.01, np.nan, 0.04])), [0.02, np.nan, 0.04], equal_nan=True)
    assert np.isnan(holm(np.full(2, np.nan))).all()


def test_holm_agrees_with_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).uniform(0, 0.2, 19)
    assert np.allclose(holm(p), multipletests(p, method="holm")[1])


def test_wilcoxon_by_hand():
    # the four smallest of five are positive; all sums of signed ranks 1..5: W- = 5 or less in 10 of 32 cases
    assert wilcoxon_test(np.array([0.1, 0.2, 0.3, 0.4, -0.5])) == pytest.approx(2 * 10 / 32)
    assert wilcoxon_test(np.array([0.1, 0.1, 0.2, 0.0, 0.3, 0.2])) < 0.1


def test_effect_sizes_by_hand():
    differences = np.array([1.0, 2.0, 3.0, 0.0, -1.0])
    assert effect_size(differences) == pytest.approx(1 / np.sqrt(2.5))
    assert superiority(differences) == pytest.approx(3.5 / 5)


def table(n_datasets: int, noise: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    skill = {"good": 0.9, "middling": 0.7, "poor": 0.5}
    return pd.DataFrame(
        {name: value + noise * rng.normal(size=n_datasets) for name, value in skill.items()},
        index=[f"data{number}" for number in range(n_datasets)],
    )


def test_ranks_and_friedman_by_hand():
    found = rank_models(table(12))
    assert found.ranks.to_dict() == {"good": 1, "middling": 2, "poor": 3}
    # 12 N / (k (k + 1)) (sum of squared mean ranks - k (k + 1)^2 / 4) = 12 * 12 / 12 * (14 - 12)
    assert found.statistic == pytest.approx(24)
    assert found.critical_difference == pytest.approx(2.343 * np.sqrt(3 * 4 / (6 * 12)), abs=1e-3)
    assert found.pairwise.loc["good", "poor"] < 0.001
    assert found.note == ""
    assert rank_models(table(12), higher_is_better=False).ranks.to_dict() == {"poor": 1, "middling": 2, "good": 3}


def test_too_few_datasets_are_ranked_but_not_tested():
    found = rank_models(table(2))
    assert found.ranks.to_dict() == {"good": 1, "middling": 2, "poor": 3}
    assert found.pairwise is None
    assert np.isnan([found.statistic, found.p, found.critical_difference]).all()
    assert found.note.startswith("not tested: 2 datasets and 3 models")
    assert "few" in rank_models(table(4)).note
    alike = pd.DataFrame(0.5, index=range(4), columns=list("abc"))
    assert "all models score the same" in rank_models(alike).note


def test_pairwise_agrees_with_the_critical_difference():
    found = rank_models(table(10, noise=0.15))
    for first in found.ranks.index:
        for second in found.ranks.index:
            apart = abs(found.ranks[first] - found.ranks[second]) >= found.critical_difference
            assert apart == (found.pairwise.loc[first, second] < 0.05)
