"""Labelled cells in predict mode: they win over bulk lines that contradict them, and those kept apart stay apart."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pytest
from synthetic_cells import CPU, SHIFTED, TRAINING, make_lines, pretrain_small, write_cells

from pharmacell.benchmark.fold_stack import stop_cells
from pharmacell.data.cells import CellMatrix
from pharmacell.evaluate.metrics import auroc
from pharmacell.response.finetune_sc import adapt, kept_apart
from pharmacell.response.predict import predict_cells
from pharmacell.response.settings import Configuration
from pharmacell.response.training_lines import SplitLines
from pharmacell.response.training_run import TrainingRun

SETTINGS = replace(TRAINING, **SHIFTED, epochs=12, patience=5)


@pytest.fixture(scope="module")
def contradicting(tmp_path_factory):
    """Return a sample whose cells respond the opposite way of the bulk lines."""
    path = write_cells(tmp_path_factory.mktemp("cells") / "s.h5ad", n_cells=160)
    cells = ad.read_h5ad(path)
    cells.obs["pharmacell_truth"] = 1 - cells.obs["pharmacell_truth"]
    cells.write_h5ad(path)
    return CellMatrix(path)


def adapted(sample, supervision, n_replicas=2):
    pretrained = pretrain_small(training=SETTINGS, n_replicas=n_replicas)
    bulk, settings = SplitLines(make_lines(), pretrained.split), Configuration(training=SETTINGS)
    result = adapt(pretrained.bundle, bulk, sample, settings, supervision, TrainingRun(7, CPU))
    return pretrained.bundle, result


@pytest.mark.parametrize("supervision", ["labels", "few_shot:10"])
def test_labelled_cells_win_over_lines_that_contradict_them(contradicting, supervision):
    bundle, result = adapted(contradicting, supervision)
    found, truth = predict_cells(bundle, contradicting, CPU), contradicting.obs["pharmacell_truth"].to_numpy()
    unlabelled = ~contradicting.obs.index.isin(bundle.card.labelled_cells)
    assert auroc(truth[unlabelled], found.probability[unlabelled]) > 0.8
    assert ((found.probability >= 0.5) == truth)[unlabelled].mean() > 0.7
    network = bundle.ensemble.named_weights()["network"]
    assert min(bundle.card.adaptation.joint_epochs) > 0 or network < 0.1
    by_lines = adapted(contradicting, "none")[1].null.weights
    np.testing.assert_array_equal(result.null.weights, by_lines)  # p-values are about the bulk responses alone


def test_bulk_lines_alone_point_the_other_way(contradicting):
    bundle, _ = adapted(contradicting, "none")
    truth = contradicting.obs["pharmacell_truth"].to_numpy()
    assert auroc(truth, predict_cells(bundle, contradicting, CPU).probability) < 0.2


@pytest.mark.parametrize(("n_labelled", "n_kept"), [(10, 5), (4, 2), (60, 12)])
def test_a_share_of_each_class_is_kept_apart_and_every_cell_once(n_labelled, n_kept):
    labels = np.repeat([0, 1, -1], n_labelled)
    kept = kept_apart(labels, 5, np.random.default_rng(0))
    for label in (0, 1):
        assert (kept[:, labels == label].sum(1) == n_kept).all()
    assert not kept[:, labels < 0].any()
    assert kept[:, labels >= 0].any(0).all()
    assert kept_apart(np.repeat([0, 1], 3), 5, np.random.default_rng(0)) is None


def test_too_few_labelled_cells_leave_the_decision_to_lines_and_say_so(contradicting, capsys):
    bundle, _ = adapted(contradicting, "few_shot:3")
    assert "bulk lines decide" in capsys.readouterr().err
    assert len(bundle.card.labelled_cells) == 6


@pytest.mark.parametrize(
    ("counts", "n_cells", "expected"),
    [
        ((10, 10), 150, (5, 5, 5)),  # few_shot:10
        ((100, 50), 150, (10, 5, 0)),  # all labelled
        ((93, 93), 186, (9, 9, 0)),
        ((0, 0), 150, (0, 0, 15)),  # none
        ((190, 10), 200, (15, 5, 0)),
        ((3, 3), 40, (1, 1, 8)),
    ],
)
def test_cells_of_a_fold_that_decide_when_to_stop_have_five_of_each_class(counts, n_cells, expected):
    labels = np.repeat([0, 1, -1], [*counts, n_cells - sum(counts)])
    found = stop_cells(labels, np.random.default_rng(0))
    assert tuple(int(found[labels == label].sum()) for label in (0, 1, -1)) == expected
