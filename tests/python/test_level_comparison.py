"""Baselines get what the ensemble gets: lines, denoised responses, penalties, links from unseen lines, neighbours."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_cells import CPU, SHIFTED, TRAINING, make_lines, pretrain_small, write_cells

from pharmacell.data.cells import CellMatrix
from pharmacell.data.standardise import Standardiser
from pharmacell.linear.denoised_responses import FEWEST_DRUGS, denoised_response
from pharmacell.linear.fits import LinearFits
from pharmacell.response.columns import ALONE
from pharmacell.response.ensemble import MEMBERS
from pharmacell.response.finetune_sc import fit_to_cells
from pharmacell.response.linear_members import linear_members
from pharmacell.response.neighbours import nearest_cells, smooth
from pharmacell.response.predict import predict_cells, smoothed
from pharmacell.response.prediction_tables import prediction_tables
from pharmacell.response.settings import Configuration
from pharmacell.response.training_lines import SplitLines, prepare_training_lines
from pharmacell.response.training_run import TrainingRun

SETTINGS = Configuration(training=replace(TRAINING, **SHIFTED))


def lines_with_panel():
    """Return lines whose other drugs respond much as the first does."""
    lines, rng = make_lines(120), np.random.default_rng(3)
    response = lines.response.to_numpy()
    panel = response[:, None] + rng.normal(0, 0.7, (len(response), FEWEST_DRUGS + 5))
    panel[:, 0] = response
    return replace(lines, panel=panel.astype(np.float32))


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    lines = lines_with_panel()
    pretrained = pretrain_small(lines, SETTINGS.training)
    cells = CellMatrix(write_cells(tmp_path_factory.mktemp("level") / "s.h5ad", n_cells=200))
    bulk = SplitLines(lines, pretrained.split)
    fit_to_cells(pretrained.bundle, bulk, cells, SETTINGS, "none", TrainingRun(7, CPU))
    return pretrained, bulk, cells


def test_baselines_learn_the_denoised_response_of_all_lines_but_the_test_lines_with_the_members_penalties(adapted):
    pretrained, bulk, _ = adapted
    known, penalties = bulk.learnt_from(), pretrained.bundle.card.pretraining.penalties
    fits = LinearFits(pretrained.bundle.source_scaler.apply(known.x))
    denoised = denoised_response(known.panel, known.response.to_numpy())
    assert np.abs(denoised - known.response).max() > 0.1  # the panel says something
    wanted = [
        fits.signature(denoised[:, None])[0],
        fits.ridge(denoised[:, None], penalties.alpha)[0],
        fits.logistic(known.labels.to_numpy()[:, None], penalties.c)[0],
    ]
    np.testing.assert_allclose(pretrained.bundle.baselines.weights, wanted, rtol=1e-3, atol=1e-6)


def test_links_of_baselines_come_from_lines_that_a_fit_did_not_see(adapted):
    """A link from the lines of the fit is too sure of itself: its slope is larger."""
    pretrained, bulk, _ = adapted
    bundle = pretrained.bundle
    lines = prepare_training_lines(bulk, bundle.source_scaler, SETTINGS.training, 2, 7, CPU)
    pooled, labels = lines.shifted_validation.pooled.numpy(), lines.shifted_validation.labels
    unseen = linear_members(lines, bundle.card.pretraining.penalties) @ pooled.swapaxes(1, 2)
    probability = bundle.baselines.link(np.concatenate(list(unseen), 1))
    sensitive = labels.ravel() == 1
    for row in probability:  # even where the evidence is, with both classes weighted equally
        assert (row[sensitive].mean() + row[~sensitive].mean()) / 2 == pytest.approx(0.5, abs=0.02)


def test_baselines_and_network_are_averaged_over_the_same_neighbours_as_the_ensemble(adapted):
    pretrained, _, cells = adapted
    bundle = pretrained.bundle
    single = predict_cells(bundle, cells, CPU)
    nearest = nearest_cells(cells.components(), 15, np.random.default_rng(0))
    found = smoothed(single, bundle, nearest)
    x = np.concatenate([block for _, block in bundle.standardised_chunks(cells)])
    np.testing.assert_allclose(found.scores_alone[1:], smooth(bundle.baselines.scores(x).T, nearest), atol=1e-5)
    network = (bundle.network_scores(x, "target", CPU) - bundle.ensemble.centre[:, :1]) / bundle.ensemble.scale[:, :1]
    np.testing.assert_allclose(found.scores_alone[0], smooth(network.mean(0)[None], nearest)[0], atol=1e-5)
    assert not np.allclose(found.alone, single.alone, atol=1e-3)
    np.testing.assert_allclose(found.alone, bundle.link_alone(found.scores_alone))


def test_the_network_alone_is_a_row_of_its_own(adapted):
    pretrained, _, cells = adapted
    assert ALONE == MEMBERS == ("network", "signature", "ridge", "logistic")
    found = predict_cells(pretrained.bundle, cells, CPU)
    tables = prediction_tables(found, cells.obs, [], None, 0)
    models = ["ensemble", *ALONE]
    assert tables["model_metrics"]["model"].unique().tolist() == models
    assert pretrained.metrics["model"].unique().tolist() == models
    assert tables["baselines"].columns.tolist() == ["cell_id", *ALONE]
    assert not np.allclose(tables["baselines"]["network"], tables["predictions"]["probability"], atol=1e-3)


def test_without_linear_members_the_network_is_the_model(tmp_path):
    lines = make_lines()
    pretrained, plain = pretrain_small(lines), Configuration(training=TRAINING)
    cells = CellMatrix(write_cells(tmp_path / "s.h5ad"))
    fit_to_cells(pretrained.bundle, SplitLines(lines, pretrained.split), cells, plain, "none", TrainingRun(7, CPU))
    assert isinstance(pretrained.bundle.target_scaler, Standardiser)
    found = predict_cells(pretrained.bundle, cells, CPU)
    np.testing.assert_allclose(found.alone[0], found.probability)
    assert pretrained.metrics["model"].unique().tolist() == list(ALONE)


def test_baselines_learn_from_the_cells_whose_labels_the_ensemble_sees(tmp_path):
    lines, supervised = make_lines(120), {}
    path = write_cells(tmp_path / "s.h5ad", n_cells=200)
    for supervision in ("none", "labels"):
        pretrained, cells = pretrain_small(lines, SETTINGS.training), CellMatrix(path)
        bulk = SplitLines(lines, pretrained.split)
        fit_to_cells(pretrained.bundle, bulk, cells, SETTINGS, supervision, TrainingRun(7, CPU))
        supervised[supervision] = pretrained.bundle
    labelled = supervised["labels"]
    np.testing.assert_allclose(labelled.baselines.weights, labelled.ensemble.linear.mean(0))
    assert not np.allclose(labelled.baselines.weights, supervised["none"].baselines.weights)
