"""Baselines, classical models and the blend: what they can learn, and that they see nothing of the test part."""

from dataclasses import replace

import numpy as np
import pytest
from perturbation_tables import small_table

from pharmacell.data.fingerprints import morgan_counts, tanimoto
from pharmacell.perturbation.features import Components, compound_effects, make_features
from pharmacell.perturbation.models.blend import NETWORK_MEMBERS
from pharmacell.perturbation.models.inner import asked_protocol
from pharmacell.perturbation.models.registry import BASELINES, CLASSICAL, FitOptions, build
from pharmacell.perturbation.models.weights import simplex_least_squares
from pharmacell.perturbation.protocols import folds

RANDOM = ("extra_trees", "gradient_boosting")


def out_of_fold_error(table, name, protocol):
    squares, count = 0.0, 0
    for train, test in folds(table, protocol, 0):
        found = (
            build(name, FitOptions(patience=0))
            .fit_predict(table.take(train), table.keys.iloc[test], [0], None)
            .predictions
        )
        assert found.shape == (1, len(test), len(table.genes))
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        squares, count = squares + ((found[0] - table.y[test]) ** 2).sum(), count + found.size
    return np.sqrt(squares / count)


@pytest.mark.parametrize("name", [*BASELINES, *sorted(set(CLASSICAL) - {"blend"})])
def test_predicts_each_seed_alone_as_beside_others_and_without_reading_test_targets(name):
    table = small_table(n_genes=8)
    train, test = folds(table, "leave_compound_out", 0)[0]
    poisoned = replace(table, y=table.y.copy())
    poisoned.y[test] = np.nan
    model = build(name, FitOptions())
    both = model.fit_predict(table.take(train), table.keys.iloc[test], [3, 4], None).predictions
    alone = model.fit_predict(poisoned.take(train), table.keys.iloc[test], [3], None).predictions
    assert both.shape == (2, len(test), 8)
    last = model.fit_predict(table.take(train), table.keys.iloc[test], [4], None).predictions
    assert np.array_equal(both[0], alone[0])
    assert np.array_equal(both[1], last[0])
    if name in RANDOM:
        assert not np.array_equal(both[0], both[1])


def test_means_are_those_of_the_training_rows():
    table = small_table()
    train, test = folds(table, "leave_compound_out", 0)[0]
    part, keys = table.take(train), table.keys.iloc[test]
    per_cell = build("mean_per_cell_type", FitOptions()).fit_predict(part, keys, [0], None).predictions[0]
    for row, cell_type in enumerate(keys["cell_type"]):
        assert per_cell[row] == pytest.approx(part.y[part.cell_type == cell_type].mean(axis=0), abs=1e-5)
    per_compound = build("mean_per_compound", FitOptions()).fit_predict(part, keys, [0], None).predictions[0]
    assert per_compound == pytest.approx(np.tile(part.y.mean(axis=0), (len(test), 1)), abs=1e-5), "none was seen"


def test_additive_finds_both_effects_and_gives_0_for_what_it_never_saw():
    table = small_table(noise=0.01, rare=None)
    assert out_of_fold_error(table, "additive", "random") < 0.6 * out_of_fold_error(table, "gene_mean", "random")
    train = table.take(np.flatnonzero(table.cell_type != "B cells"))
    keys = table.keys[table.cell_type == "B cells"].iloc[:1].assign(sm_name="new")
    found = build("additive", FitOptions()).fit_predict(train, keys, [0], None).predictions[0, 0]
    assert found == pytest.approx(train.y.mean(axis=0), abs=1e-4)


def structured_table():
    """A table in which the compounds of one scaffold do the same."""
    table = small_table(n_genes=20, noise=0.1, rare=None)
    pattern = np.random.default_rng(5).normal(size=(2, 20))
    benzene = np.char.startswith(table.smiles, "c1cc").astype(int)
    return replace(table, y=(3 * pattern[benzene] + 0.1 * table.y).astype(np.float32))


@pytest.mark.parametrize("name", ["knn", "ridge", "extra_trees", "gradient_boosting", "blend"])
def test_structure_helps_with_new_compounds(name):
    table = structured_table()
    baseline = out_of_fold_error(table, "mean_per_cell_type", "leave_compound_out")
    assert out_of_fold_error(table, name, "leave_compound_out") < 0.9 * baseline


def test_scaled_additive_follows_a_cell_type_that_differs_in_scale():
    table = small_table(n_genes=20, noise=0.01, rare=None)
    rng = np.random.default_rng(0)
    effect = dict(zip(np.unique(table.sm_name), rng.normal(size=(30, 20)), strict=False))
    size = dict(zip(np.unique(table.cell_type), (0.5, 1, 2, 4, 8, 16), strict=False))
    y = np.stack([size[cell] * effect[name] for cell, name in zip(table.cell_type, table.sm_name, strict=True)])
    scaled = replace(table, y=y.astype(np.float32))
    error = {name: out_of_fold_error(scaled, name, "random") for name in ("additive", "scaled_additive")}
    assert error["scaled_additive"] < 0.7 * error["additive"]


def test_a_row_is_not_among_the_features_of_its_own_target():
    table = small_table()
    reduced = Components.fit(table.y).reduce(table.y)
    known, _ = compound_effects(table, table.keys, reduced)
    single = replace(table, sm_name=np.array([f"alone {row}" for row in range(len(table))]))
    assert np.allclose(compound_effects(single, table.keys, reduced)[0], 0), "no other row, so no effect"
    changed = reduced.copy()
    changed[5] += 100
    moved = np.abs(compound_effects(table, table.keys, changed)[0] - known).max(axis=1)
    others = (table.sm_name == table.sm_name[5]) & (np.arange(len(table)) != 5)
    assert (moved[others] > 20).all()
    assert moved[5] < 1e-3, "its own target reaches a row by no way"


def test_features_of_known_and_asked_rows_agree():
    table = small_table()
    reduced = Components.fit(table.y).reduce(table.y)
    features = make_features(table, table.keys, reduced, with_effects=False)
    assert np.array_equal(features.known, features.asked)


def weights_of(train, keys):
    """Return the weights of a blend without networks, which would take longest."""
    return build("blend", FitOptions(patience=0)).fit_predict(train, keys, [0], None).config["blend_weights"][0]


def test_blend_joins_networks_and_their_seeds_and_sees_nothing_of_the_test_part():
    table = structured_table()
    train, test = folds(table, "random", 0)[0]
    poisoned = replace(table, y=table.y.copy())
    poisoned.y[test] = np.nan
    blend = build("blend", FitOptions(epochs=4, patience=2, batch_size=16))
    found, again = (
        blend.fit_predict(part.take(train), table.keys.iloc[test], [3, 4], None) for part in (table, poisoned)
    )
    assert found.predictions.shape == (1, len(test), 20)
    assert np.array_equal(found.predictions, again.predictions)
    assert set(NETWORK_MEMBERS) < set(found.config["blend_weights"][0])


def test_blend_leans_on_what_predicts_and_its_weights_sum_to_one():
    table = structured_table()
    train, test = folds(table, "leave_compound_out", 0)[0]
    weights = weights_of(table.take(train), table.keys.iloc[test])
    assert sum(weights.values()) == pytest.approx(1)
    assert min(weights.values()) >= 0
    assert sum(weights[name] for name in ("knn", "ridge", "extra_trees", "gradient_boosting")) > 0.5


def test_blend_shrinks_to_nothing_where_nothing_can_be_predicted():
    table = small_table()
    noise = np.random.default_rng(0).normal(size=table.y.shape).astype(np.float32)
    weights = weights_of(replace(table, y=noise), table.keys.iloc[:5].assign(sm_name="new"))
    assert weights["zeros"] > 0.5


def test_simplex_least_squares_finds_the_mixture():
    rng = np.random.default_rng(0)
    members = rng.normal(size=(3, 500))
    target = 0.7 * members[0] + 0.3 * members[2]
    assert simplex_least_squares(members @ members.T, members @ target) == pytest.approx([0.7, 0, 0.3], abs=1e-4)


@pytest.mark.parametrize("protocol", ["leave_compound_out", "leave_cell_type_out", "kaggle", "random"])
def test_inner_folds_ask_what_the_test_part_asks(protocol):
    table = small_table(rare=None)
    train, test = folds(table, protocol, 0)[0]
    small = {"kaggle": "kaggle"}  # 6 anchors against 6 compounds: as many rows as are asked
    if protocol in small:
        test = np.concatenate([test, test[:1]])
    assert asked_protocol(table.take(train), table.keys.iloc[test]) == protocol


def test_tanimoto_of_counts():
    counts = np.array([[2, 1, 0], [1, 1, 2], [0, 0, 0]], np.float32)
    found = tanimoto(counts, counts)
    assert found[0, 1] == pytest.approx(2 / 5)
    assert np.allclose(np.diag(found), 1)
    assert found[0, 2] == 0
    benzene, toluene, acid = morgan_counts(["c1ccccc1", "Cc1ccccc1", "CC(=O)O"])
    assert tanimoto(benzene[None], toluene[None]) > tanimoto(benzene[None], acid[None])
