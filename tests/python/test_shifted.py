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
from pharmacell.data.lines import Lines
from pharmacell.data.shifts import SEVERITIES, line_profiles, shifted_cells
from pharmacell.data.splits import split_lines
from pharmacell.evaluate.metrics import auroc
from pharmacell.evaluate.significance import PermutationTest, false_discovery_rate, number_of_axes
from pharmacell.evaluate.within_groups import Ranking, auroc_within, aurocs_within, mean_auroc_within
from pharmacell.response import cell_tests
from pharmacell.response import pretrain_bulk as training
from pharmacell.response.cell_checks import agreement_of_halves
from pharmacell.response.cell_tests import permutation_tests
from pharmacell.response.ensemble import stacking_weights
from pharmacell.response.finetune_sc import adapt
from pharmacell.response.linear_members import place_of_best
from pharmacell.response.linear_statistic import OrderedMembers, member_weights
from pharmacell.response.neighbours import nearest_cells
from pharmacell.response.permuted_null import NETWORK_PERMUTATIONS, PERMUTATIONS, permutations
from pharmacell.response.predictability import predictability
from pharmacell.response.settings import Configuration
from pharmacell.response.shifted_scores import reliability
from pharmacell.response.training_lines import SplitLines, TrainingLines, prepare_training_lines
from pharmacell.response.training_run import TrainingRun
from pharmacell.response.verdict import HALVES, PREDICTABILITY, judge

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
    null = {name: np.asarray(value) for name, value in vars(finetuned.null).items()}
    return weights_of(bundle.model) | numbers | null | {"baselines": bundle.baselines.weights}


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
    settings = replace(SETTINGS, sampling="over", resample="lines")
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


def test_null_has_the_real_order_first_and_every_permutation(honest, sample):
    null = honest[1].null
    assert null.weights.shape == (1 + PERMUTATIONS, honest[0].bundle.model.n_genes)
    assert null.network.shape == (1 + NETWORK_PERMUTATIONS, len(CellMatrix(sample)))
    assert np.isfinite(null.weights).all()
    assert np.abs(np.corrcoef(null.weights[1:40])[np.triu_indices(39, 1)]).mean() < 0.7  # the permutations differ
    x = honest[0].bundle.standardise_cells(next(CellMatrix(sample).chunks(honest[0].bundle.genes)))
    shown = honest[0].bundle.score(x, "target", CPU).mean(0)
    assert np.corrcoef(x @ null.weights[0], shown)[0, 1] > 0.8
    assert np.corrcoef(null.network[0], shown)[0, 1] > 0.8


def test_permutations_keep_every_fold_and_the_classes_of_every_tissue():
    lines = replace(make_lines(), origin=make_lines().origin.assign(tissue=[f"tissue{i % 12}" for i in range(90)]))
    split = split_lines(lines.labels, 7)
    scaler, _ = lines.standardised((split != "test").to_numpy())
    found = prepare_training_lines(SplitLines(lines, split), scaler, SETTINGS, 5, 7, CPU)
    origin = lines.origin[(split != "test").to_numpy()]
    folds = assign_folds(found.labels, origin, 5, 7)
    orders = permutations(found.strata, 20, np.random.default_rng(0))
    assert (orders[0] == np.arange(len(found.labels))).all()
    assert (orders[1:] != orders[0]).any(1).all()
    for order in orders[1:]:
        assert (folds[order] == folds).all()
        assert (origin["tissue"].to_numpy()[order] == origin["tissue"]).all()
        assert (assign_folds(found.labels[order], origin, 5, 7) == folds).all()


def test_rankings_of_many_permutations_are_scored_as_one_by_one():
    rng = np.random.default_rng(0)
    truth, scores = (rng.random((30, 50)) < 0.3).astype(int), rng.normal(size=(30, 50))
    for groups in (rng.integers(0, 6, 50), np.arange(50), np.zeros(50, int)):
        one_by_one = [auroc_within(*row, groups) for row in zip(truth, scores, strict=True)]
        np.testing.assert_allclose(aurocs_within(truth, scores, groups), one_by_one)


def linear_null(number: int, two_lines: bool) -> tuple[np.ndarray, float, float]:
    """Return p of each cell, p of the sample and smallest FDR where responses have nothing to do with expression."""
    rng = np.random.default_rng([number, two_lines])
    lines = make_lines(60, number)
    response = rng.permutation(lines.response.to_numpy())
    labels = pd.Series((response > np.quantile(response, 0.7)).astype(int), lines.labels.index)
    lines = replace(lines, response=pd.Series(response, lines.labels.index), labels=labels)
    bulk = SplitLines(lines, split_lines(labels, number))
    scaler, _ = lines.standardised(~bulk.in_part("test"))
    settings = replace(SETTINGS, noise="gaussian")
    found = prepare_training_lines(bulk, scaler, settings, 5, number, CPU)
    members = OrderedMembers(found, permutations(found.strata, 99, rng))
    weights = members.gene_weights(member_weights(members.validation, members.labels))
    cells = rng.normal(size=(12, weights.shape[1])).astype(np.float32)
    if two_lines:
        cells = 0.1 * cells + 3 * rng.normal(size=(2, weights.shape[1]))[np.arange(12) % 2]
    test = PermutationTest((cells @ weights.T).mean(0))
    p, _ = test.add(cells @ weights.T)
    return p, test.sample().p, false_discovery_rate(p, test.sample().p).min()


@pytest.mark.parametrize("two_lines", [False, True])
def test_p_values_hold_their_level_under_a_global_null(two_lines):
    """docs/methods.md has the table of 10,000 nulls, by benchmarks/null_calibration.py; this is a small one."""
    p, of_sample, least = (np.array(part) for part in zip(*[linear_null(n, two_lines) for n in range(80)], strict=True))
    limit = 0.1 + 3 * np.sqrt(0.1 * 0.9 / 80)
    assert (p[:, 0] <= 0.1).mean() < limit
    assert (of_sample <= 0.1).mean() < limit
    assert (least <= 0.1).mean() < limit
    assert 0.35 < np.median(p[:, 0]) < 0.65


def folds_of_noise(seed: int) -> TrainingLines:
    """Return lines whose responses have nothing to do with their expression, ready for training."""
    lines = shuffled_lines(seed)
    bulk = SplitLines(lines, split_lines(lines.labels, seed))
    scaler, _ = lines.standardised(~bulk.in_part("test"))
    return prepare_training_lines(bulk, scaler, replace(SETTINGS, noise="gaussian"), 5, seed, CPU)


def test_a_permuted_order_scores_as_it_would_if_it_were_the_real_one():
    """So p is exact: nothing but the order itself, which is drawn at random, tells the real one from the others."""
    found, rng = folds_of_noise(3), np.random.default_rng(3)

    def gene_weights(of_lines, orders):
        members = OrderedMembers(of_lines, orders)
        return members.gene_weights(member_weights(members.validation, members.labels))

    orders = permutations(found.strata, 20, rng)
    together = gene_weights(found, orders)
    for place in (0, 7, 20):
        order = orders[place]
        as_real = replace(found, labels=found.labels[order], denoised_response=found.denoised_response[:, order])
        alone = gene_weights(as_real, permutations(found.strata, 5, rng))[0]
        assert np.abs(alone - together[place]).max() < 1e-4 * np.abs(alone).max()


def test_the_first_orders_of_many_score_as_they_do_by_themselves():
    found = folds_of_noise(3)
    orders = permutations(found.strata, 20, np.random.default_rng(3))
    part, alone = OrderedMembers(found, orders).first(8), OrderedMembers(found, orders[:8])
    weights = member_weights(alone.validation, alone.labels)
    np.testing.assert_array_equal(part.labels, alone.labels)
    np.testing.assert_allclose(part.validation, alone.validation, atol=1e-4)
    np.testing.assert_allclose(part.gene_weights(weights), alone.gene_weights(weights), atol=1e-5)


def test_cells_that_differ_along_one_axis_are_not_called_more_often_than_chance():
    """With the nulls of all cells pooled, P(p <= 1e-4) was 1.3 % here."""
    rng = np.random.default_rng(0)
    axis = rng.normal(size=300)
    p = []
    for _ in range(1000):
        scores = axis[:, None] * rng.normal(size=200)
        p.append(PermutationTest(scores.mean(0)).add(scores)[0])
    p = np.array(p)
    assert abs((p <= 0.05).mean() - 0.05) < 0.02
    assert p.min() >= 1 / 200


def test_a_cell_that_stands_out_is_called():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(400, 1001)) * rng.uniform(0.5, 3, (400, 1))
    scores[7, 0] = 40
    test = PermutationTest(scores.mean(0))
    p, deviation = test.add(scores)
    assert p[7] == 1 / 1001
    assert deviation[7] > 30
    assert test.sample().p == 1 / 1001
    chunked = PermutationTest(scores.mean(0))
    by_chunk = np.concatenate([chunked.add(scores[start : start + 90])[0] for start in range(0, 400, 90)])
    np.testing.assert_array_equal(by_chunk, p)
    np.testing.assert_allclose(chunked.sample().null_spreads, scores[:, 1:].std(0), rtol=1e-4)


def test_separation_counts_permutations_that_spread_as_wide():
    test = PermutationTest(np.array([2.0, 0.5, 1.0, 4.0]))
    test.add(np.array([[0.0, 0.0, 0.0, 0.0], [4.0, 1.0, 2.0, 8.0]]))
    assert (test.sample().ratio, test.sample().spread_p) == (pytest.approx(2.0), pytest.approx(0.5))


def test_cells_of_two_lines_differ_along_one_axis():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(50, 200))
    lines = rng.normal(size=(12, 50))
    few, many = (lines[np.arange(120) % n] + 0.1 * rng.normal(size=(120, 50)) for n in (2, 12))
    common = 20 * rng.normal(size=(50, 1))  # what all permutations share counts for nothing
    few, many = (number_of_axes((cells - cells.mean(0)) @ (weights + common)) for cells in (few, many))
    assert few < 1.5 < 5 < many


def test_cells_are_tested_in_chunks_and_those_of_large_samples_by_their_neighbours(honest, sample, monkeypatch):
    bundle, cells = honest[0].bundle, CellMatrix(sample)
    nearest = nearest_cells(cells.components(), 5, np.random.default_rng(0))
    x = bundle.standardise_cells(next(cells.chunks(bundle.genes)))

    def by_hand(neighbours):
        scores = (x @ honest[1].null.weights.T)[neighbours].mean(1)
        return PermutationTest(scores.mean(0)).add(scores)[0]

    monkeypatch.setattr(cell_tests, "CELLS_AT_ONCE", 16)
    small = permutation_tests(honest[1].null, bundle, cells, nearest, 5)
    assert np.abs(small.p - by_hand(nearest)).max() <= 2 / 1001  # rounding
    alone = permutation_tests(honest[1].null, bundle, cells, nearest[:, :1], 0)
    assert np.abs(alone.p - by_hand(nearest[:, :1])).max() <= 2 / 1001
    nearest[:, 1:] %= 9  # only nine cells count as neighbours
    monkeypatch.setattr(cell_tests, "MOST_REFERENCE_CELLS", 10)
    large = permutation_tests(honest[1].null, bundle, cells, nearest, 5)
    assert np.abs(large.p - by_hand(nearest[:, 1:])).max() <= 2 / 1001
    assert not np.array_equal(large.p, small.p)


def test_reliability_of_a_calibrated_and_of_an_overconfident_prediction():
    rng = np.random.default_rng(0)
    probability = rng.random(20000)
    truth = (rng.random(20000) < probability).astype(int)
    assert reliability(truth, probability)[1] < 0.03
    assert reliability(truth, np.where(probability > 0.5, 0.99, 0.01))[1] > 0.15


DIAGNOSTICS = {
    "predictability_within": 0.68,
    "predictability_within_low": 0.63,
    "predictability_within_high": 0.72,
    "predictability_pooled": 0.75,
    "shifted_auroc": 0.65,
    "shifted_auroc_low": 0.6,
    "shifted_auroc_high": 0.7,
    "source_auroc": 0.84,
    "source_auroc_low": 0.76,
    "source_auroc_high": 0.9,
    "separation_p": 0.005,
    "separation_ratio": 4.2,
    "cell_axes": 6.0,
    "halves_agreement": 0.6,
    "halves_p": 0.005,
    "replica_agreement": 0.9,
    "replicas_opposed": 0,
    "genes_shared": 3000,
    "genes_bulk": 6000,
    "share_beyond_range": 0.05,
    "response_reliability": 0.6,
    "response_reliability_lines": 905,
    "n_cells": 300,
}
TWO_LINES = {"cell_axes": 1.8, "separation_p": 0.7, "halves_p": 0.7}
PLAIN = {
    name: float("nan")
    for name in ("shifted_auroc", "shifted_auroc_low", "separation_p", "separation_ratio", "halves_p", "cell_axes")
}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "supported"),
        ({"predictability_within_low": 0.45}, "not supported"),
        ({"genes_shared": 150}, "not supported"),
        ({"predictability_within_low": 0.57}, "uncertain"),
        ({"predictability_within_low": float("nan")}, "uncertain"),
        ({"response_reliability": 0.36}, "uncertain"),
        ({"response_reliability": 0.54}, "supported"),
        ({"response_reliability": None, "response_reliability_lines": None}, "supported"),
        ({"halves_p": 0.3}, "uncertain"),
        (TWO_LINES, "supported"),
        (TWO_LINES | {"predictability_within_low": 0.57}, "uncertain"),
        (PLAIN, "uncertain"),
        (PLAIN | {"source_auroc": 0.62, "source_auroc_low": 0.54}, "uncertain"),
        ({"genes_shared": 600}, "uncertain"),
        ({"n_cells": 12}, "uncertain"),
    ],
)
def test_verdict_follows_the_diagnostics_and_names_the_reason(change, verdict):
    found, reasons = judge(DIAGNOSTICS | change)
    assert found == verdict
    leads = {"supported": ("For: ",), "uncertain": ("Doubtful: ", "Missing: "), "not supported": ("Against: ",)}
    assert reasons[0].startswith(leads[verdict])
    assert f"verdict '{verdict}'" in reasons[-1]


OF_THE_SEED = {
    "shifted_auroc_low": 0.3,
    "source_auroc_low": 0.3,
    "separation_p": 0.9,
    "replica_agreement": 0.1,
    "replicas_opposed": 2,
}


@pytest.mark.parametrize("sample", [{}, TWO_LINES, {"predictability_within_low": 0.45}])
def test_what_changes_with_the_seed_changes_no_verdict(sample):
    assert judge(DIAGNOSTICS | sample | OF_THE_SEED)[0] == judge(DIAGNOSTICS | sample)[0]


def test_what_would_be_in_order_with_shuffled_responses_never_speaks_for_them():
    in_order = {"replica_agreement": 0.99, "replicas_opposed": 0, "genes_shared": 6000, "genes_bulk": 6000}
    in_order |= {"response_reliability": 0.9, "response_reliability_lines": 905}
    in_order |= {"n_cells": 5000, "share_beyond_range": 0.0, "agreement_signature": 0.99, "agreement_ridge": 0.99}
    verdict, reasons = judge(in_order)
    assert verdict == "uncertain"
    assert not [reason for reason in reasons if reason.startswith("For")]


def shuffled_lines(number: int) -> Lines:
    """Return lines whose responses were shuffled."""
    rng = np.random.default_rng(number)
    lines = make_lines(100, number)
    response = pd.Series(rng.permutation(lines.response.to_numpy()), lines.response.index)
    return replace(lines, response=response, labels=(response > response.quantile(0.7)).astype(int))


def shuffled_evidence(number: int) -> dict[str, float]:
    """Return the numbers that rules take for evidence, of lines whose responses were shuffled."""
    rng, lines = np.random.default_rng(number), shuffled_lines(number)
    bulk = SplitLines(lines, split_lines(lines.labels, number))
    scaler, _ = lines.standardised(~bulk.in_part("test"))
    found = prepare_training_lines(bulk, scaler, replace(SETTINGS, noise="gaussian"), 5, number, CPU)
    cells = rng.normal(size=(40, lines.x.shape[1])).astype(np.float32)
    agreement, p = agreement_of_halves(found, cells, 100.0, rng)
    facts = predictability(lines)
    return {
        "halves_agreement": agreement,
        "halves_p": p,
        "predictability_within": facts.within.value,
        "predictability_within_low": facts.within.low,
        "predictability_within_high": facts.within.high,
        "predictability_pooled": facts.pooled.value,
    }


def test_with_shuffled_responses_evidence_is_for_them_no_more_often_than_chance():
    sides = [
        {name: rule.side(evidence) for name, rule in (("halves", HALVES), ("drug", PREDICTABILITY))}
        for evidence in map(shuffled_evidence, range(40))
    ]
    limit = 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40)
    for name in ("halves", "drug"):
        assert np.mean([side[name] == "support" for side in sides]) < limit


def test_halves_of_lines_that_carry_the_response_agree():
    lines = make_lines(100)
    bulk = SplitLines(lines, split_lines(lines.labels, 0))
    scaler, _ = lines.standardised(~bulk.in_part("test"))
    found = prepare_training_lines(bulk, scaler, replace(SETTINGS, noise="gaussian"), 5, 0, CPU)
    cells = np.random.default_rng(0).normal(size=(60, lines.x.shape[1])).astype(np.float32)
    agreement, p = agreement_of_halves(found, cells, 100.0, np.random.default_rng(0))
    assert agreement > 0.5
    assert p <= 0.01


def test_predictability_within_tissues_earns_nothing_for_telling_tissues_apart():
    lines = make_lines(120)
    tissue = np.arange(120) % 12
    rng = np.random.default_rng(0)
    response = pd.Series((tissue % 6) + rng.normal(0, 0.5, 120), lines.response.index)
    x = rng.normal(size=lines.x.shape)
    x[:, :20] += (tissue % 6)[:, None]
    lines = replace(
        lines,
        x=x.astype(np.float32),
        response=response,
        labels=(response > response.quantile(0.7)).astype(int),
        origin=lines.origin.assign(tissue=[f"tissue{number}" for number in tissue]),
    )
    found = predictability(lines)
    assert found.pooled.low > 0.8
    assert found.within.low < 0.6
    assert found == predictability(lines)


def test_the_interval_is_that_of_the_number():
    """The number compared lines within groups, the interval lines of all groups: 0.58 stood beside 0.74 to 0.87."""
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 100)
    truth = (rng.random(200) < np.where(groups == 1, 0.9, 0.1)).astype(int)
    ranking = Ranking(truth, groups + rng.normal(0, 0.1, 200), groups, np.arange(200))
    value, low, high = mean_auroc_within([ranking, ranking])
    assert low < value < high
    assert low < 0.5 < high < 0.75 < auroc(ranking.truth, ranking.score)
