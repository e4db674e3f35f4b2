"""Scores and curves of folds: against scikit-learn fold by fold, and where they do not exist."""

from itertools import combinations

import numpy as np
import pytest
from sklearn import metrics as reference

from pharmacell.evaluate import fold_scores
from pharmacell.evaluate.fold_curves import GRID, fold_curves
from pharmacell.evaluate.fold_scores import FOLD_METRICS, score_folds, why_undefined
from pharmacell.evaluate.metrics import METRICS, score


def draw(n_cells: int, n_folds: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n_cells)
    probability = (1 / (1 + np.exp(-(rng.normal(size=n_cells) + truth - 0.5)))).round(2)  # with ties
    return truth, probability, rng.integers(0, n_folds, n_cells) + 3


@pytest.mark.parametrize("at_once", [10**6, 100])  # all folds in one pass, and one by one
def test_each_fold_scores_as_if_it_stood_alone(monkeypatch, at_once):
    monkeypatch.setattr(fold_scores, "WEIGHTS_AT_ONCE", at_once)
    truth, probability, fold = draw(200, 7)
    found = score_folds(truth, probability, fold)
    assert list(found.columns) == list(FOLD_METRICS)
    assert list(found.index) == sorted(set(fold))
    for name, row in found.iterrows():
        rows = fold == name
        alone = score(truth[rows], probability[rows])
        assert row[list(METRICS)].to_dict() == pytest.approx(alone)
        assert row["auroc"] == pytest.approx(reference.roc_auc_score(truth[rows], probability[rows]))
        assert row["average_precision"] == pytest.approx(
            reference.average_precision_score(truth[rows], probability[rows])
        )


@pytest.mark.parametrize(
    "probability",
    [np.arange(7) / 7, np.full(7, 0.3), np.array([0.1, 0.1, 0.4, 0.4, 0.4, 0.8, 0.9])],  # no ties, all tie, some do
)
def test_lift_is_zero_over_all_orders_of_the_labels_also_in_small_folds(probability):
    orders = [np.bincount(chosen, minlength=7) for chosen in combinations(range(7), 3)]
    truth, fold = np.concatenate(orders), np.repeat(np.arange(len(orders)), 7)
    found = score_folds(truth, np.tile(probability, len(orders)), fold)
    assert found["lift"].mean() == pytest.approx(0, abs=1e-12)
    expected = found["average_precision"].mean()
    np.testing.assert_allclose(found["average_precision"] - found["lift"], expected)
    if len(set(probability)) == 7:
        assert expected / (3 / 7) > 1.3  # so the prevalence is not what guessing reaches


def test_calibration_error_by_hand():
    truth, probability = np.array([0, 1, 1, 0, 1, 1]), np.array([0.05, 0.05, 0.95, 0.95, 1.0, 0.5])
    found = score_folds(truth, probability, np.array([0, 0, 0, 0, 0, 1]))["expected_calibration_error"]
    # bin of 0.05: |0.1 - 1|; bin of 0.95 and 1: |2.9 - 2|; five cells
    assert found.to_dict() == pytest.approx({0: (0.9 + 0.9) / 5, 1: 0.5})


def test_one_class_is_undefined_and_says_so():
    truth, probability, fold = np.array([1, 1, 0, 1]), np.array([0.2, 0.3, 0.4, 0.45]), np.array([0, 0, 1, 1])
    found = score_folds(truth, probability, fold)
    assert found.loc[0, ["auroc", "average_precision", "lift", "mcc", "balanced_accuracy"]].isna().all()
    assert np.isfinite(found.loc[0, ["brier", "expected_calibration_error", "recall"]].astype(float)).all()
    assert why_undefined("auroc", found.loc[0, "prevalence"]) == "the fold has one class only"
    assert np.isnan(found.loc[1, "precision"])
    assert why_undefined("precision", found.loc[1, "prevalence"]) == "no cell is called sensitive"
    assert why_undefined("mcc", found.loc[1, "prevalence"]) == "all cells get the same label"
    nan = found.loc[1].index[found.loc[1].isna()]
    assert set(nan) == {"precision", "mcc"}


def test_curves_of_a_perfect_a_useless_and_a_known_ranking():
    truth = np.array([0, 0, 1, 1])
    roc, precision = fold_curves(truth, np.array([0.1, 0.2, 0.8, 0.9]))
    assert (roc == 1).all()
    assert (precision == 1).all()
    roc, precision = fold_curves(truth, np.full(4, 0.5))
    assert np.allclose(roc, GRID)
    assert np.allclose(precision, 0.5)
    roc, precision = fold_curves(truth, np.array([0.1, 0.8, 0.2, 0.9]))  # ranked 1, 0, 1, 0
    assert np.allclose(roc, np.where(GRID < 0.5, 0.5, 1))
    assert np.allclose(precision, np.where(GRID <= 0.5, 1, 2 / 3))
    assert fold_curves(np.ones(3), np.array([0.1, 0.2, 0.3])) is None


def test_mean_curve_has_the_mean_area():
    truth, probability, _fold = draw(500, 1)
    roc, _ = fold_curves(truth, probability)
    assert np.trapezoid(roc, GRID) == pytest.approx(reference.roc_auc_score(truth, probability), abs=0.01)
