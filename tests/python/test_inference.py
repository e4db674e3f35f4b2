"""Prediction of a sample in chunks, and the files a user gets."""

import json
from dataclasses import replace

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from synthetic_cells import CPU, GENES, TRAINING, make_lines, pretrain_small, write_cells

from pharmacell.core.errors import InputError
from pharmacell.core.files import write_json
from pharmacell.data.cells import CellMatrix
from pharmacell.data.response import ResponseReliability
from pharmacell.evaluate.significance import PermutationTest
from pharmacell.response.cell_tests import CellTests
from pharmacell.response.diagnostics import diagnose
from pharmacell.response.finetune_sc import adapt
from pharmacell.response.model_card import Interval, ModelCard
from pharmacell.response.predict import CellPredictions, predict_cells
from pharmacell.response.prediction_tables import prediction_tables, write_predicted_h5ad
from pharmacell.response.settings import Configuration
from pharmacell.response.training_lines import SplitLines
from pharmacell.response.training_run import TrainingRun


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("inference")


@pytest.fixture(scope="module")
def sample(folder):
    return write_cells(folder / "sparse.h5ad")


@pytest.fixture(scope="module")
def bundle(sample):
    lines = make_lines()
    result = pretrain_small(lines, n_replicas=3)
    bulk, settings = SplitLines(lines, result.split), Configuration(training=TRAINING)
    adapt(result.bundle, bulk, CellMatrix(sample), settings, "none", TrainingRun(7, CPU))
    return result.bundle


@pytest.fixture(scope="module")
def found(bundle, sample):
    return predict_cells(bundle, CellMatrix(sample), CPU)


@pytest.mark.parametrize("chunk", [1, 7, 70, 5000])
def test_chunk_size_does_not_change_predictions(bundle, sample, found, chunk):
    other = predict_cells(bundle, CellMatrix(sample), CPU, chunk=chunk)
    np.testing.assert_allclose(other.replicas, found.replicas, atol=1e-6)
    np.testing.assert_allclose(other.baselines, found.baselines, atol=1e-6)


def test_dense_and_sparse_expression_give_the_same(bundle, found, folder):
    dense = predict_cells(bundle, CellMatrix(write_cells(folder / "dense.h5ad", sparse=False)), CPU)
    np.testing.assert_allclose(dense.replicas, found.replicas, atol=1e-6)


def test_genes_are_found_by_name_wherever_they_stand(bundle, sample, found, folder):
    cells = ad.read_h5ad(sample)[:, np.random.default_rng(0).permutation(len(GENES))].copy()
    ones = sp.csr_matrix(np.ones((len(cells), 2), np.float32))
    extra = ad.AnnData(ones, cells.obs[[]], pd.DataFrame(index=["X", "Y"]))
    wider = ad.concat([extra, cells], axis=1, merge="first")
    wider.uns["pharmacell"] = cells.uns["pharmacell"]
    wider.write_h5ad(folder / "wider.h5ad")
    np.testing.assert_allclose(
        predict_cells(bundle, CellMatrix(folder / "wider.h5ad"), CPU).replicas, found.replicas, atol=1e-6
    )


def test_missing_genes_are_an_input_error(bundle, folder):
    other = write_cells(folder / "other.h5ad", genes=[f"OTHER{number}" for number in range(len(GENES))])
    with pytest.raises(InputError, match="60 genes of the model are not in the sample"):
        predict_cells(bundle, CellMatrix(other), CPU)


def test_dropout_is_off_and_a_cell_does_not_depend_on_its_neighbours(bundle, sample, found, folder):
    ad.read_h5ad(sample)[:9].copy().write_h5ad(folder / "few.h5ad")
    few = predict_cells(bundle, CellMatrix(folder / "few.h5ad"), CPU)
    np.testing.assert_allclose(few.replicas, found.replicas[:, :9], atol=1e-6)


def test_mean_spread_and_agreement_of_replicas():
    replicas = np.array([[0.1, 0.4, 0.9], [0.3, 0.6, 0.5]], np.float32)
    alone = np.zeros((4, 3))
    found = CellPredictions(replicas, alone, replicas, alone)
    np.testing.assert_allclose(found.probability, [0.2, 0.5, 0.7], atol=1e-6)
    np.testing.assert_allclose(found.std, replicas.std(0, ddof=1))
    assert found.agreement() == (pytest.approx(0.5), 0)
    one = CellPredictions(replicas[:1], alone, replicas[:1], alone)
    assert (one.std == 0).all()
    assert np.isnan(one.agreement()[0])
    three = CellPredictions(
        np.stack([replicas[0], replicas[0], 1 - replicas[0]]),
        alone,
        np.stack([replicas[0], replicas[0], -replicas[0]]),
        alone,
    )
    assert three.agreement()[1] == 1


def test_tables_and_h5ad_carry_the_predictions_and_leave_the_expression(bundle, sample, found, folder):
    cells = CellMatrix(sample)
    tables = prediction_tables(found, cells.obs, [], None, 0, "network")
    predictions = tables["predictions"]
    assert list(predictions) == ["cell_id", "probability", "probability_std", "label", "truth"]
    assert predictions["probability"].between(0, 1).all()
    assert (predictions["label"] == (predictions["probability"] >= 0.5)).all()
    assert list(tables["baselines"]) == ["cell_id", "network", "signature", "ridge", "logistic"]
    assert list(tables["metrics"]) == ["metric", "value", "low", "high"]
    assert list(tables["model_metrics"]["model"].unique()) == ["network", "signature", "ridge", "logistic"]

    diagnostics = diagnose(found, bundle.card, cells.uns, None)
    cells.file.close()
    path = folder / "predicted.h5ad"
    write_predicted_h5ad(sample, path, tables, bundle.card, diagnostics)
    before, after = ad.read_h5ad(sample), ad.read_h5ad(path)
    np.testing.assert_array_equal(after.obs["pharmacell_probability"], predictions["probability"])
    np.testing.assert_array_equal(after.obs["pharmacell_std"], predictions["probability_std"])
    assert ((after.obs["pharmacell_label"] == "sensitive") == (predictions["label"] == 1).to_numpy()).all()
    assert (before.X != after.X).nnz == 0
    assert list(after.obs_names) == list(predictions["cell_id"])
    assert set(before.obs) <= set(after.obs)
    assert after.uns["pharmacell"]["verdict"] == diagnostics["verdict"]
    assert ModelCard.from_json(json.loads(after.uns["pharmacell"]["model_card"]), str(path)) == bundle.card
    with h5py.File(sample) as untouched:
        assert "pharmacell_probability" not in untouched["obs"]


def test_sample_without_truth_gets_no_metrics(bundle, folder):
    cells = CellMatrix(write_cells(folder / "unlabelled.h5ad", truth=False))
    tables = prediction_tables(predict_cells(bundle, cells, CPU), cells.obs, [], None, 0)
    assert set(tables) == {"predictions", "baselines"}
    assert "truth" not in tables["predictions"]


def test_diagnostics_say_what_others_rely_on(bundle, sample, found):
    facts = diagnose(found, bundle.card, CellMatrix(sample).uns, None)
    assert {
        "verdict",
        "reasons",
        "genes_shared",
        "genes_bulk",
        "source_auroc",
        "mmd_before",
        "mmd_after",
        "replica_agreement",
    } <= set(facts)
    assert facts["genes_shared"] == len(GENES)
    assert facts["simulated"] is True
    assert facts["response_reliability"] is None
    poor = replace(bundle.card.pretraining, response_reliability=ResponseReliability(0.36, 905))
    card = ModelCard.from_json(replace(bundle.card, pretraining=poor).to_json(), "card")
    facts = diagnose(found, card, CellMatrix(sample).uns, None)
    assert (facts["response_reliability"], facts["response_reliability_lines"]) == (0.36, 905)
    assert any(reason.startswith("Doubtful") and "0.36 on the 905 lines" in reason for reason in facts["reasons"])


def test_diagnostics_keep_the_spread_under_each_permutation(bundle, sample, found, folder):
    n = found.scores.shape[1]
    null = np.random.default_rng(0).normal(size=(n, 21)) * np.arange(1, 22)
    test = PermutationTest(null.mean(0))
    p, deviation = test.add(null)
    tests = CellTests(p, p, deviation, test.sample(), None, 3.0)
    write_json(folder / "d.json", diagnose(found, bundle.card, CellMatrix(sample).uns, tests))
    facts = json.loads((folder / "d.json").read_text())
    assert facts["separation_null"] == pytest.approx(list(null[:, 1:].std(0)), rel=1e-4)
    assert facts["separation_spread"] == pytest.approx(null[:, 0].std(), rel=1e-4)
    ratio = facts["separation_spread"] / np.median(facts["separation_null"])
    assert facts["separation_ratio"] == pytest.approx(ratio)
    assert facts["network_separation_p"] is None
    assert "separation_null" not in diagnose(found, bundle.card, CellMatrix(sample).uns, None)


@pytest.mark.parametrize(
    ("deviation", "probability", "call"),
    [
        (2, 0.7, "sensitive"),
        (2, 0.08, "higher than the sample"),
        (-2, 0.1, "resistant"),
        (-2, 0.9, "lower than the sample"),
    ],
)
def test_a_call_never_contradicts_the_label(found, deviation, probability, call):
    n, score = found.scores.shape[1], np.full((2, found.scores.shape[1]), probability, np.float32)
    tests = CellTests(np.full(n, 0.001), np.full(n, 0.01), np.full(n, float(deviation)), None, None, 3.0)
    obs = pd.DataFrame(index=[f"c{number}" for number in range(n)])
    predicted = replace(found, replicas=score, scores=score)
    tables = prediction_tables(predicted, obs, [], tests, 0)
    assert set(tables["significance"]["call"]) == {call}
    assert set(tables["predictions"]["label"]) == {int(probability >= 0.5)}
    none = replace(tests, fdr=np.full(n, 0.06))
    tables = prediction_tables(predicted, obs, [], none, 0)
    assert set(tables["significance"]["call"]) == {"not significant"}


def test_plain_validation_alone_is_never_support(bundle, sample, found):
    """With a source AUROC of 0.62 and plain validation the verdict was "supported": what is missing is no evidence."""

    def verdict(auroc, low, replicas):
        source_auroc = {"network": Interval(auroc, low, 0.99)}
        card = replace(bundle.card, pretraining=replace(bundle.card.pretraining, source_auroc=source_auroc))
        predictions = CellPredictions(replicas, found.alone, replicas, found.scores_alone)
        facts = diagnose(predictions, card, CellMatrix(sample).uns, None)
        return facts["verdict"], [reason for reason in facts["reasons"] if reason.startswith("Missing")]

    like_the_signature = np.tile(found.baselines[:, 0], (2, 1))
    for auroc, low in ((0.9, 0.8), (0.62, 0.54)):
        found_verdict, missing = verdict(auroc, low, like_the_signature)
        assert found_verdict == "uncertain"
        assert "--validation shifted" in missing[0]


def test_sample_draws_rows_in_order(sample):
    cells = CellMatrix(sample)
    everything = np.concatenate(list(cells.chunks(GENES)))
    chosen, rows = cells.sample(GENES, 20, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 20
    np.testing.assert_array_equal(rows, everything[chosen])
    chosen, rows = cells.sample(GENES, 500, np.random.default_rng(0))
    np.testing.assert_array_equal(rows, everything)


def test_what_is_no_h5ad_of_qc_is_an_input_error(folder):
    (folder / "text.h5ad").write_text("cell,gene")
    ad.AnnData(np.ones((3, 3), np.float32)).write_h5ad(folder / "raw.h5ad")
    for name in ("missing.h5ad", "text.h5ad", "raw.h5ad"):
        with pytest.raises(InputError, match=name):
            CellMatrix(folder / name)
