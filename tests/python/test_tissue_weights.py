"""Lines of the sample's tissue count more in linear models, for the ensemble, the baselines and the null alike."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_cells import CPU, SHIFTED, TRAINING, make_lines, pretrain_small, write_cells

from pharmacell.core.errors import InputError
from pharmacell.data.cells import CellMatrix
from pharmacell.linear.fits import LinearFits
from pharmacell.response.finetune_sc import fit_to_cells
from pharmacell.response.linear_members import linear_members
from pharmacell.response.linear_statistic import OrderedMembers
from pharmacell.response.permuted_null import permutations
from pharmacell.response.settings import TISSUE_WEIGHT, Configuration
from pharmacell.response.training_lines import SplitLines
from pharmacell.response.training_run import TrainingRun

SETTINGS = Configuration(training=replace(TRAINING, **SHIFTED))


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    return CellMatrix(write_cells(tmp_path_factory.mktemp("cells") / "s.h5ad"))


def adapted(cells, tissue):
    """Adapt a small model to cells of a tissue; returns the bundle and the lines that it learnt from."""
    lines = make_lines()
    origin = lines.origin.assign(tissue=np.array(["skin", "Lung", "bone"])[np.arange(len(lines.origin)) % 3])
    lines = replace(lines, origin=origin)
    pretrained = pretrain_small(lines, SETTINGS.training)
    bulk = SplitLines(lines, pretrained.split)
    data, _ = fit_to_cells(pretrained.bundle, bulk, cells, SETTINGS, "none", TrainingRun(7, CPU), tissue)
    return pretrained.bundle, data.lines


def test_a_line_of_weight_three_counts_as_three_lines():
    rng = np.random.default_rng(0)
    x, response = rng.normal(size=(30, 12)).astype(np.float32), rng.normal(size=(30, 1))
    labels, weights = (response > 0.3).astype(int), np.where(np.arange(30) < 10, 3, 1)
    weighted, repeated = LinearFits(x, weights), LinearFits(np.repeat(x, weights, 0))
    often, often_labels = (np.repeat(values, weights, 0) for values in (response, labels))
    assert np.allclose(weighted.signature(response), repeated.signature(often), atol=1e-5)
    assert np.allclose(weighted.ridge(response, 5.0), repeated.ridge(often, 5.0), atol=1e-5)
    asked = rng.normal(size=(4, 12))
    assert np.allclose(
        weighted.ridge_predictions(response, 5.0, asked), repeated.ridge_predictions(often, 5.0, asked), atol=1e-4
    )
    assert np.allclose(weighted.logistic(labels, 0.1), repeated.logistic(often_labels, 0.1), atol=1e-3)


def test_members_baselines_and_null_learn_with_the_weights_of_the_tissue(cells):
    plain, told = adapted(cells, None), adapted(cells, "lung")
    bundle, lines = told
    own = lines.weights == TISSUE_WEIGHT
    assert 0 < own.sum() < len(own)
    assert plain[1].weights is None
    penalties = bundle.card.pretraining.penalties
    assert np.allclose(bundle.ensemble.linear, linear_members(lines, penalties))
    assert not np.allclose(bundle.ensemble.linear, plain[0].ensemble.linear, rtol=1e-2)
    assert not np.allclose(bundle.baselines.weights, plain[0].baselines.weights, rtol=1e-2)
    assert bundle.card.adaptation.tissue == "lung"
    orders = permutations(lines.strata, 3, np.random.default_rng(0))
    null = OrderedMembers(lines, orders)
    rows = lines.training_rows(0)
    ridge = LinearFits(lines.x[rows], lines.weights[rows]).ridge(
        lines.denoised_response[0, orders[1, rows]][:, None], float(null.alphas[1])
    )
    first = null.folds[0]
    assert np.allclose(first.ridge(first.rotated_responses, null.alphas)[1], ridge @ cells_of(lines).T, atol=1e-3)


def cells_of(lines):
    return lines.shifted_validation.pooled[0].cpu().numpy()


def test_a_tissue_without_a_line_is_refused_with_those_there_are(cells):
    with pytest.raises(InputError, match=r"--tissue liver: no bulk line is of this tissue; there are Lung, bone, skin"):
        adapted(cells, "liver")
