"""Scores of predicted differential expression against scikit-learn, SciPy and values worked out by hand."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from pharmacell.perturbation import metrics
from pharmacell.perturbation.gains import gains
from pharmacell.perturbation.metrics import METRICS, RowScores, Scorer, top_share


def example(n_rows=7, n_genes=300, seed=0):
    rng = np.random.default_rng(seed)
    truth = (2 * rng.normal(size=(n_rows, n_genes))).astype(np.float32)
    return truth, (truth + rng.normal(size=truth.shape)).astype(np.float32)


def test_agrees_with_reference_implementations_row_by_row():
    truth, prediction = example()
    found = Scorer(truth).score(prediction)
    column = {name: found.value[:, position] for position, name in enumerate(METRICS)}
    for row, (y, p) in enumerate(zip(truth.astype(float), prediction.astype(float), strict=True)):
        right, strong = np.sign(y) == np.sign(p), np.abs(y) >= 2
        assert column["mrrmse"][row] == pytest.approx(reference.root_mean_squared_error(y, p), rel=1e-5)
        assert column["mae"][row] == pytest.approx(reference.mean_absolute_error(y, p), rel=1e-5)
        assert column["mae_sign_right"][row] == pytest.approx(np.abs(y - p)[right].mean(), rel=1e-5)
        assert column["mae_sign_wrong"][row] == pytest.approx(np.abs(y - p)[~right].mean(), rel=1e-5)
        assert column["sign_accuracy"][row] == pytest.approx(right.mean())
        assert column["sign_accuracy_strong"][row] == pytest.approx(right[strong].mean())
        assert column["sign_accuracy_significant"][row] == pytest.approx(right[np.abs(y) >= -np.log10(0.05)].mean())
        assert column["pearson"][row] == pytest.approx(stats.pearsonr(y, p)[0], rel=1e-5)
        assert column["spearman"][row] == pytest.approx(stats.spearmanr(y, p)[0], rel=1e-5)
        assert column["cosine"][row] == pytest.approx(reference.pairwise.cosine_similarity([y], [p])[0, 0], rel=1e-5)
        best = [set(np.argsort(-np.abs(values))[:100]) for values in (y, p)]
        assert column["deg_overlap"][row] == pytest.approx(len(best[0] & best[1]) / 100)


def test_chunks_do_not_change_a_score(monkeypatch):
    truth, prediction = example()
    whole = Scorer(truth).score(prediction)
    monkeypatch.setattr(metrics, "ELEMENTS_AT_ONCE", 700)
    parts = Scorer(truth).score(prediction)
    assert np.allclose(whole.value, parts.value)
    assert np.array_equal(whole.weight, parts.weight)


def test_mean_over_some_genes_is_a_mean_over_pairs_not_over_rows():
    truth = np.array([[3.0, 3.0, 3.0, 0.1], [3.0, 0.1, 0.1, 0.1]], np.float32)
    prediction = np.array([[1.0, 1.0, -1.0, 1.0], [-1.0, 1.0, 1.0, 1.0]], np.float32)
    mean = Scorer(truth).score(prediction).mean()
    assert mean["sign_accuracy_strong"] == pytest.approx(2 / 4)
    assert mean["mae_sign_wrong"] == pytest.approx(4)
    assert mean["mae"] == pytest.approx(np.abs(truth - prediction).mean())


def test_mrrmse_is_the_mean_of_the_rows_roots():
    truth = np.zeros((2, 4), np.float32)
    prediction = np.array([[1] * 4, [3] * 4], np.float32)
    assert Scorer(truth).score(prediction).mean()["mrrmse"] == pytest.approx(2)


def test_constant_prediction_correlates_with_nothing():
    truth, _ = example()
    mean = Scorer(truth).score(np.full_like(truth, 0.3)).mean()
    assert mean["pearson"] == mean["spearman"] == 0
    zeros = Scorer(truth).score(np.zeros_like(truth)).mean()
    assert zeros["pearson"] == zeros["spearman"] == zeros["cosine"] == zeros["sign_accuracy"] == 0
    assert np.isnan(zeros["mae_sign_right"])
    assert zeros["deg_overlap"] == pytest.approx(100 / truth.shape[1]), "what drawing 100 genes would overlap"


def test_ties_share_the_last_places():
    values = np.concatenate([np.full(99, 5.0), [1.0, -1.0], np.zeros(50)])[None]
    share = top_share(values)[0]
    assert share.sum() == 100
    assert (share[:99] == 1).all()
    assert share[99] == share[100] == 0.5


@pytest.mark.parametrize("wrong", [lambda p: p[:, :5], lambda p: np.where(p == p[0, 0], np.nan, p)])
def test_prediction_that_cannot_be_scored_is_refused(wrong):
    truth, prediction = example()
    with pytest.raises(ValueError, match="prediction"):
        Scorer(truth).score(wrong(prediction))


def scores_of(value, weight=1.0):
    value = np.repeat(np.asarray(value, float)[:, None], len(METRICS), axis=1)
    return RowScores(value, np.full_like(value, weight))


def test_gain_is_positive_for_the_better_model_and_pairs_the_compounds():
    rng = np.random.default_rng(0)
    hard = 10 * rng.normal(size=20).repeat(3)  # how hard a compound is, far larger than what the models differ by
    compounds = np.arange(20).repeat(3)
    models = {"net": scores_of(hard + 1.0), "gene_mean": scores_of(hard), "zeros": scores_of(hard - 1.0)}
    table = gains(models, compounds, ["gene_mean", "zeros"], 0).set_index(["model", "metric"])
    pearson, mae = table.loc[("net", "pearson")], table.loc[("net", "mae")]
    assert (pearson["baseline"], mae["baseline"]) == ("gene_mean", "zeros"), "more is better, and less is better"
    assert pearson["gain"] == pytest.approx(1)
    assert mae["gain"] == pytest.approx(-2)
    assert pearson[["low", "high"]].tolist() == pytest.approx([1, 1]), "the difference does not vary"
    assert table.loc[("gene_mean", "pearson"), "gain"] == 0


def test_interval_of_a_gain_covers_what_compounds_differ_by():
    rng = np.random.default_rng(1)
    gain = rng.normal(0.5, 1, 50)
    models = {"net": scores_of(gain.repeat(2)), "zeros": scores_of(np.zeros(100))}
    row = gains(models, np.arange(50).repeat(2), ["zeros"], 0).query("model == 'net' and metric == 'cosine'").iloc[0]
    expected = gain.std(ddof=1) / np.sqrt(50) * 1.96
    assert row["high"] - row["gain"] == pytest.approx(expected, rel=0.15)
    assert row["gain"] - row["low"] == pytest.approx(expected, rel=0.15)
