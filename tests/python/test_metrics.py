"""Metrics and intervals: against scikit-learn, in coverage, and on degenerate input."""

import numpy as np
import pytest
from sklearn import metrics as reference

from pharmacell.evaluate.bootstrap import bootstrap
from pharmacell.evaluate.metrics import METRICS, Ranked, auroc, score

SKLEARN = {
    "precision": lambda t, p: reference.precision_score(t, p >= 0.5),
    "recall": lambda t, p: reference.recall_score(t, p >= 0.5),
    "f1": lambda t, p: reference.f1_score(t, p >= 0.5),
    "f1_weighted": lambda t, p: reference.f1_score(t, p >= 0.5, average="weighted"),
    "auroc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
    "prevalence": lambda t, p: t.mean(),
    "mcc": lambda t, p: reference.matthews_corrcoef(t, p >= 0.5),
    "brier": reference.brier_score_loss,
    "balanced_accuracy": lambda t, p: reference.balanced_accuracy_score(t, p >= 0.5),
}


def draw(n_cells: int, seed: int, decimals: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, n_cells)
    probability = 1 / (1 + np.exp(-(rng.normal(size=n_cells) + truth - 0.5)))
    return truth, probability if decimals is None else probability.round(decimals)


@pytest.mark.parametrize("decimals", [None, 1])  # one decimal: many ties
@pytest.mark.parametrize("seed", range(5))
def test_scores_equal_scikit_learn(seed, decimals):
    truth, probability = draw(157, seed, decimals)
    result = score(truth, probability)
    assert tuple(result) == METRICS
    for name, expected in SKLEARN.items():
        assert result[name] == pytest.approx(expected(truth, probability), abs=1e-12), name
    assert auroc(truth, probability) == pytest.approx(result["auroc"], abs=1e-12)


def test_weights_are_repeated_cells():
    truth, probability = draw(40, 1, decimals=1)
    weights = np.random.default_rng(2).integers(0, 4, 40)
    ranked = Ranked(truth, probability)
    weighted = ranked.scores(weights[ranked.order][None].astype(float))
    repeated = score(np.repeat(truth, weights), np.repeat(probability, weights))
    assert {name: values[0] for name, values in weighted.items()} == pytest.approx(repeated)


@pytest.mark.parametrize("only", [0, 1])
def test_one_class_is_nan_where_undefined(only):
    result = score(np.full(10, only), np.linspace(0, 1, 10))
    assert all(np.isnan(result[name]) for name in ("auroc", "average_precision", "mcc", "balanced_accuracy"))
    assert result["prevalence"] == only
    assert np.isfinite(result["brier"])
    table = bootstrap(np.full(10, only), np.linspace(0, 1, 10), n=50).set_index("metric")
    assert np.isnan(table.loc["auroc", "low"])
    assert np.isfinite(table.loc["brier", "low"])


def test_no_cells_and_nothing_called():
    assert all(np.isnan(value) for value in score(np.empty(0), np.empty(0)).values())
    assert bootstrap(np.empty(0), np.empty(0), n=10).drop(columns="metric").isna().all(axis=None)
    result = score(np.array([0, 1]), np.array([0.1, 0.2]))
    assert np.isnan(result["precision"])
    assert result["f1"] == 0
    assert result["auroc"] == 1


def test_scores_that_are_no_probabilities_have_no_brier():
    result = score(np.array([0, 1, 1]), np.array([-3.0, 2.0, 5.0]), threshold=0)
    assert np.isnan(result["brier"])
    assert result["auroc"] == 1


@pytest.mark.parametrize(
    ("truth", "probability"),
    [([0, 1], [0.5]), ([0, 2], [0.1, 0.2]), ([0, 1], [0.1, np.nan])],
)
def test_impossible_input_is_refused(truth, probability):
    with pytest.raises(ValueError, match="must be"):
        score(np.array(truth), np.array(probability))


def test_intervals_cover_the_true_auroc():
    from scipy.stats import norm

    expected = norm.cdf(1 / np.sqrt(2))  # of two normals one standard deviation apart
    covered = 0
    for seed in range(60):
        table = bootstrap(*draw(200, seed), n=200, seed=seed).set_index("metric").loc["auroc"]
        assert table["low"] <= table["value"] <= table["high"]
        covered += table["low"] <= expected <= table["high"]
    assert covered >= 50  # 95 % of 60 is 57


def test_seed_decides_and_chunks_do_not_matter(monkeypatch):
    truth, probability = draw(300, 3)
    first = bootstrap(truth, probability, n=100, seed=4)
    assert first.equals(bootstrap(truth, probability, n=100, seed=4))
    assert not first.equals(bootstrap(truth, probability, n=100, seed=5))
    monkeypatch.setattr("pharmacell.evaluate.bootstrap.WEIGHTS_AT_ONCE", 700)
    second = bootstrap(truth, probability, n=100, seed=4)
    assert np.allclose(first.drop(columns="metric"), second.drop(columns="metric"))


def test_groups_of_like_cells_give_wide_intervals():
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1] * 5, 50)
    probability = np.clip(np.repeat(rng.normal(0.5, 0.2, 10), 50) + 0.2 * truth - 0.1, 0, 1)
    width = {}
    for name, groups in {"cells": None, "lines": np.repeat(list("abcdefghij"), 50)}.items():
        auroc_row = bootstrap(truth, probability, n=300, groups=groups).set_index("metric").loc["auroc"]
        width[name] = auroc_row["high"] - auroc_row["low"]
    assert width["lines"] > 3 * width["cells"]
