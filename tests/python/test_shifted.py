"""The default configuration: shifted validation, the ensemble, the permuted null and the verdict."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from synthetic_cells import CPU, SHIFTED, TRAINING, equal, make_lines, pretrain_small, weights_of, write_cells

from pharmacell.core.errors import InputError
from pharmacell.data.cells import CellMatrix
from pharmacell.data.folds import assign_folds, comparison_groups
from pharmacell.data.shifts import SEVERITIES, line_profiles, shifted_cells
from pharmacell.data.splits import split_lines
from pharmacell.evaluate.metrics import auroc
from pharmacell.evaluate.significance import cell_significance, separation
from pharmacell.evaluate.within_groups import auroc_within
from pharmacell.response import finetune_sc
from pharmacell.response import pretrain_bulk as training
from pharmacell.response.ensemble import stacking_weights
from pharmacell.response.finetune_sc import adapt
from pharmacell.response.linear_members import place_of_best
from pharmacell.response.permuted_null import PERMUTATIONS
from pharmacell.response.settings import Configuration
from pharmacell.response.shifted_scores import reliability
from pharmacell.response.training_lines import SplitLines, prepare_training_lines
from pharmacell.response.training_run import TrainingRun
from pharmacell.response.verdict import judge

SETTINGS = replace(TRAINING, **SHIFTED)


def run(lines, sample, seed=7):
    """Train and adapt; returns what either step leaves."""
    pretrained = pretrain_small(lines, SETTINGS, seed=seed)
    bulk, settings = SplitLines(lines, pretrained.split), Configuration(training=SETTINGS)
    return pretrained, adapt(pretrained.bundle, bulk, CellMatrix(sample), settings, "none", TrainingRun(seed, CPU))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write_cells(tmp_path_factory.mktemp("cells") / "s.h5ad")


@pytest.fixture(scope="module")
def honest(sample):
    return run(make_lines(), sample)


def everything_chosen(pretrained, finetuned) -> dict[str, np.ndarray]:
    """Return all that training and shifted validation decided."""
    bundle = pretrained.bundle
    numbers = {name: np.asarray(value) for name, value in vars(bundle.ensemble).items()}
    return weights_of(bundle.model) | numbers | {"null": finetuned.null, "baselines": bundle.baselines.weights}


def test_no_test_line_reaches_shifted_validation_weights_or_null(honest, sample, monkeypatch):
    clean = make_lines()
    split = split_lines(clean.labels, 7)
    monkeypatch.setattr(training, "split_lines", lambda *_, **__: split)
    test = (split == "test").to_numpy()
    x, labels, response = clean.x.copy(), clean.labels.copy(), clean.response.copy()
    x[test], labels[test], response[test] = 1e3, 1 - labels[test], -100.0
    poisoned = run(replace(clean, x=x, labels=labels, response=response), sample)
    assert equal(everything_chosen(*honest), everything_chosen(*poisoned))
    assert not honest[0].metrics.equals(poisoned[0].metrics)


def test_no_label_of_a_cell_is_read(honest, sample, tmp_path):
    import anndata as ad

    cells = ad.read_h5ad(sample)
    cells.obs["pharmacell_truth"] = 1 - cells.obs["pharmacell_truth"]
    cells.write_h5ad(tmp_path / "poisoned.h5ad")
    assert equal(everything_chosen(*honest), everything_chosen(*run(make_lines(), tmp_path / "poisoned.h5ad")))


def test_a_replica_never_learns_from_the_lines_that_validate_it():
    lines = make_lines()
    split = split_lines(lines.labels, 7)
    scaler, _ = lines.standardised((split != "test").to_numpy())
    settings = replace(SETTINGS, sampling="over")
    found = prepare_training_lines(SplitLines(lines, split), scaler, settings, 6, 7, CPU)
    assert found.x.shape[0] == (split != "test").sum()
    for replica in range(6):
        learnt, held = (set(rows[replica].tolist()) for rows in (found.training_set.plain_rows, found.held_out))
        assert learnt
        assert held
        assert not learnt & held
    assert np.array_equal(found.held_out[0], found.held_out[5])  # five folds; the sixth replica takes the first again
    assert len({row for rows in found.held_out[:5] for row in rows.tolist()}) >= 5 * found.held_out.shape[1]
    originals = found.training_set.clean[: len(found.x)]
    for replica in range(6):  # over-sampling repeats rows of the replica's own
        own = originals[found.training_set.plain_rows[replica]]
        drawn = found.training_set.clean[found.training_set.rows[replica]]
        assert (torch.cdist(drawn, own).min(1).values < 0.02).all()


def test_lines_without_gene_levels_make_no_cells_in_training():
    lines = replace(make_lines(), scale="zscore_per_gene")
    split = split_lines(lines.labels, 7)
    scaler, _ = lines.standardised((split != "test").to_numpy())
    with pytest.raises(InputError, match="before that step"):
        prepare_training_lines(SplitLines(lines, split), scaler, SETTINGS, 1, 7, CPU)
    prepare_training_lines(SplitLines(lines, split), scaler, TRAINING, 1, 7, CPU)  # plain validation, masking


def test_what_has_no_score_is_never_chosen():
    nan = np.nan
    assert place_of_best(np.array([[0.6, 0.7, 0.5], [nan, nan, nan]])) == 1  # a fold of one class
    assert place_of_best(np.array([[nan, 0.5, 0.7], [0.9, 0.5, 0.6]])) == 2  # a penalty without a score in one fold
    with pytest.raises(InputError, match="no fold of the training lines"):
        place_of_best(np.full((2, 3), nan))


def test_folds_keep_tissues_together_where_they_are_known():
    labels = np.tile([0, 1, 0], 40)
    origin = pd.DataFrame({"database": "a", "tissue": [f"tissue{i // 6}" for i in range(120)]})
    folds = assign_folds(labels, origin, 5, 0)
    assert all(len(set(folds[origin["tissue"] == tissue])) == 1 for tissue in origin["tissue"].unique())
    assert len(set(folds)) == 5
    unknown = assign_folds(labels, origin.assign(tissue="unknown"), 5, 0)
    assert np.bincount(unknown).max() - np.bincount(unknown).min() <= 2
    with pytest.raises(InputError, match="fewer than the 5 folds"):
        assign_folds(np.array([0] * 20 + [1] * 3), origin[:23], 5, 0)


def test_auroc_within_groups_earns_nothing_for_telling_groups_apart():
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 200)
    truth = (rng.random(400) < np.where(groups == 1, 0.8, 0.2)).astype(int)
    score = groups + rng.normal(0, 0.1, 400)
    assert auroc(truth, score) > 0.75
    assert abs(auroc_within(truth, score, groups) - 0.5) < 0.1
    assert auroc_within(truth, truth + 0.0, groups) == 1
    assert auroc_within(truth[:5], score[:5], np.arange(5)) == auroc(truth[:5], score[:5])


def test_severer_shifts_lose_more_and_cells_are_standardised():
    profiles = line_profiles(np.random.default_rng(0).normal(size=(20, 400)))
    left = []
    for severity in SEVERITIES:
        cells = shifted_cells(profiles, 5, severity, np.random.default_rng(1))
        assert cells.shape == (100, 400)
        assert abs(cells.mean()) < 0.05
        of_line = cells.reshape(20, 5, 400).mean(1)
        left.append(np.corrcoef(of_line.ravel(), (profiles - profiles.mean(0)).ravel())[0, 1])
    assert left[0] > left[1] > left[2] > 0


def test_groups_are_database_and_tissue():
    origin = pd.DataFrame({"database": ["a", "a", "b"], "tissue": ["x", "y", "x"]})
    assert len(set(comparison_groups(origin))) == 3


def test_stacking_prefers_what_tells_apart_and_never_turns_a_member_round():
    rng = np.random.default_rng(0)
    labels = (np.arange(600) < 200).astype(int)
    good, noise = labels + rng.normal(0, 0.7, 600), rng.normal(size=600)
    weights = stacking_weights(np.stack([good, noise, -good], 1), labels)
    assert weights[0] > 0.8
    assert weights[2] == 0
    assert weights.sum() == pytest.approx(1)


def test_ensemble_is_what_its_parts_say(honest, sample):
    bundle = honest[0].bundle
    x = bundle.standardise_cells(next(CellMatrix(sample).chunks(bundle.genes)))
    members = bundle.ensemble.members(bundle.network_scores(x, "target", CPU), x)
    by_hand = sum(weight * members[:, k] for k, weight in enumerate(bundle.ensemble.weights))
    np.testing.assert_allclose(bundle.score(x, "target", CPU), by_hand, atol=1e-5)
    probability = bundle.link(by_hand)
    assert ((probability > 0) & (probability < 1)).all()
    assert (np.diff(probability.ravel()[np.argsort(by_hand.ravel())]) >= 0).all()


def test_null_has_a_score_for_every_permutation_and_cell(honest, sample):
    null = honest[1].null
    assert null.shape == (PERMUTATIONS, len(CellMatrix(sample)))
    assert np.isfinite(null).all()
    assert np.abs(np.corrcoef(null)[np.triu_indices(PERMUTATIONS, 1)]).mean() < 0.7  # the permutations differ


def test_null_of_every_permutation_is_on_one_scale(sample, monkeypatch):
    """A replica that stopped early has small logits; the null's longer trained ones are not measured by it."""
    made = finetune_sc.stacked_ensemble

    def with_one_small_scale(*arguments):
        ensemble = made(*arguments)
        scale = ensemble.scale.copy()
        scale[1, 0] /= 100
        return replace(ensemble, scale=scale, weights=np.array([0.7, 0.1, 0.1, 0.1], np.float32))

    monkeypatch.setattr(finetune_sc, "stacked_ensemble", with_one_small_scale)
    spreads = run(make_lines(), sample)[1].null.std(1)
    assert spreads.max() < 5 * np.median(spreads)


def test_p_values_are_uniform_under_the_null_and_small_for_a_cell_that_stands_out():
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.5, 3, 400)
    p = np.concatenate(
        [cell_significance(rng.normal(size=400) * scale, rng.normal(size=(20, 400)) * scale)[0] for _ in range(20)]
    )
    assert abs((p < 0.05).mean() - 0.05) < 0.02
    assert abs((p < 0.5).mean() - 0.5) < 0.05
    score = rng.normal(size=400) * scale
    score[7] = 40 * scale[7]
    p, fdr = cell_significance(score, rng.normal(size=(20, 400)) * scale)
    assert p.argmin() == 7
    assert fdr[7] < 0.05
    assert p.min() > 0


def test_separation_counts_permutations_that_spread_as_wide():
    null = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 8.0]])
    assert separation(np.array([0.0, 4.0]), null) == (pytest.approx(2.0), pytest.approx(0.5))


def test_reliability_of_a_calibrated_and_of_an_overconfident_prediction():
    rng = np.random.default_rng(0)
    probability = rng.random(20000)
    truth = (rng.random(20000) < probability).astype(int)
    assert reliability(truth, probability)[1] < 0.03
    assert reliability(truth, np.where(probability > 0.5, 0.99, 0.01))[1] > 0.15


DIAGNOSTICS = {
    "shifted_auroc": 0.8,
    "shifted_auroc_low": 0.75,
    "shifted_auroc_high": 0.85,
    "source_auroc": 0.84,
    "source_auroc_low": 0.76,
    "source_auroc_high": 0.9,
    "separation_p": 0.05,
    "separation_ratio": 4.2,
    "sign_agreement": 0.7,
    "replicas_reversed": 0,
    "replica_agreement": 0.9,
    "replicas_opposed": 0,
    "agreement_signature": 0.9,
    "agreement_ridge": 0.9,
    "agreement_logistic": 0.9,
    "stability_half_genes": 0.9,
    "stability_half_lines": 0.9,
    "genes_shared": 3000,
    "genes_bulk": 6000,
    "share_beyond_range": 0.05,
    "n_cells": 300,
}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "supported"),
        ({"shifted_auroc_low": 0.5}, "not supported"),
        ({"shifted_auroc_low": 0.55}, "uncertain"),
        ({"replicas_reversed": 1}, "uncertain"),
        ({"replicas_reversed": 2}, "not supported"),
        ({"sign_agreement": -0.3}, "not supported"),
        ({"separation_p": 0.2}, "uncertain"),
        ({"separation_p": 0.8}, "not supported"),
        ({"separation_ratio": 2.0}, "uncertain"),
        ({"source_auroc": 0.62, "shifted_auroc": 0.80}, "uncertain"),
        ({"source_auroc": 0.60, "shifted_auroc": 0.66}, "not supported"),
        ({"replica_agreement": 0.1}, "not supported"),
        ({"replica_agreement": float("nan")}, "supported"),
        ({"genes_shared": 600}, "uncertain"),
        ({"n_cells": 12}, "uncertain"),
    ],
)
def test_verdict_follows_the_diagnostics_and_names_the_reason(change, verdict):
    found, reasons = judge(DIAGNOSTICS | change)
    assert found == verdict
    lead = {"supported": "For: ", "uncertain": "Doubtful: ", "not supported": "Against: "}[verdict]
    assert reasons[0].startswith(lead)
