"""Transfer to cells: all parts learn from all terms, and no label is used that was not asked for."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from synthetic_cells import CPU, GENES, TRAINING, equal, make_lines, pretrain_small, weights_of, write_cells

from pharmacell.core.errors import InputError
from pharmacell.data.cells import CellMatrix
from pharmacell.data.standardise import LIMIT, Standardiser
from pharmacell.response.finetune_sc import adapt, labelled_cells
from pharmacell.response.predict import CellPredictions
from pharmacell.response.prediction_tables import prediction_tables
from pharmacell.response.settings import Configuration, TransferConfig
from pharmacell.response.store import load_bundle, save_bundle
from pharmacell.response.training_lines import SplitLines
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.clusters import cluster_cells

PARTS = ("source.encoder", "target.encoder", "predictor")


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    path = tmp_path_factory.mktemp("pretrained") / "s.pretrained.safetensors"
    result = pretrain_small()
    save_bundle(result.bundle, path)
    return path, result.split


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write_cells(tmp_path_factory.mktemp("cells") / "s.h5ad")


def transfer(pretrained, sample, lines=None, supervision="none", training=None, seed=7, **settings):
    """Adapt the pretrained stack to a sample; returns the bundle and the history."""
    path, split = pretrained
    bundle = load_bundle(path, lambda _: [1, 2])
    bulk = SplitLines(lines or make_lines(), split)
    configuration = Configuration(training=training or TRAINING, transfer=TransferConfig(**settings))
    result = adapt(bundle, bulk, CellMatrix(sample), configuration, supervision, TrainingRun(seed, CPU))
    return bundle, result.history


def moved(first: dict, second: dict) -> set[str]:
    """Return the parts of the network in which two sets of weights differ."""
    return {
        part
        for part in PARTS
        for name in first
        if name.startswith(part) and not np.array_equal(first[name], second[name])
    }


@pytest.fixture(scope="module")
def without_transfer(pretrained, sample):
    return weights_of(transfer(pretrained, sample, omega=0.0, theta=0.0)[0].model)


def test_training_moves_both_encoders_and_the_predictor(pretrained, sample):
    before = weights_of(load_bundle(pretrained[0]).model)
    assert moved(before, weights_of(transfer(pretrained, sample)[0].model)) == set(PARTS)


def test_mmd_teaches_both_encoders(pretrained, sample, without_transfer):
    with_mmd = weights_of(transfer(pretrained, sample, omega=1.0, theta=0.0)[0].model)
    assert {"source.encoder", "target.encoder"} <= moved(without_transfer, with_mmd)


def test_cluster_regulariser_teaches_the_target_encoder(pretrained, sample, without_transfer):
    with_clusters = weights_of(transfer(pretrained, sample, omega=0.0, theta=1.0)[0].model)
    assert "target.encoder" in moved(without_transfer, with_clusters)


def test_total_is_the_weighted_sum_of_the_terms(pretrained, sample):
    history = transfer(pretrained, sample, omega=0.7, theta=0.2)[1]
    joint = history[history["stage"] == "joint"]
    wide = joint.pivot_table(index=["epoch", "part", "replica"], columns="term", values="value")
    np.testing.assert_allclose(wide["total"], wide["class"] + 0.7 * wide["mmd"] + 0.2 * wide["cluster"], rtol=1e-5)
    assert {"train", "validation"} == set(joint["part"])
    assert np.isfinite(history["value"]).all()


def test_mmd_weight_brings_the_domains_together(pretrained, sample):
    longer = replace(TRAINING, epochs=25, patience=25)
    alone, aligned = (  # from a random start, where the domains lie apart
        transfer(pretrained, sample, training=longer, omega=omega, theta=0.0, encoder_init="random")[0].card.adaptation
        for omega in (0.0, 20.0)
    )
    assert aligned.mmd_after < aligned.mmd_before
    assert aligned.mmd_after < alone.mmd_after


def test_target_encoder_starts_from_the_bulk_encoder_or_at_random(pretrained, sample):
    slow = replace(TRAINING, epochs=1, learning_rate=1e-9)
    for init, close in (("bulk", True), ("random", False)):
        weights = weights_of(transfer(pretrained, sample, training=slow, encoder_init=init)[0].model)
        name = "encoder.0.weight"
        assert np.allclose(weights[f"target.{name}"], weights[f"source.{name}"], atol=1e-5) is close


def test_only_an_encoder_from_random_weights_is_trained_as_an_autoencoder_of_the_cells(pretrained, sample):
    for init, trained in (("bulk", False), ("random", True)):
        stages = set(transfer(pretrained, sample, encoder_init=init)[1]["stage"])
        assert "joint" in stages
        assert ("target_autoencoder" in stages) is trained


def test_same_seed_same_weights_and_another_seed_other_cells_to_stop_on(pretrained, sample):
    first, again, other = (transfer(pretrained, sample, seed=seed) for seed in (7, 7, 8))
    assert equal(weights_of(first[0].model), weights_of(again[0].model))
    assert first[1].equals(again[1])
    assert not first[1].equals(other[1])


def test_test_lines_change_nothing(pretrained, sample):
    clean = make_lines()
    test = (pretrained[1] == "test").to_numpy()
    x, labels = clean.x.copy(), clean.labels.copy()
    x[test], labels[test] = 1e4, 1 - labels[test]
    for sampling in ("none", "over"):
        training = replace(TRAINING, sampling=sampling, resample="lines")
        honest = transfer(pretrained, sample, training=training)[0]
        poisoned = transfer(pretrained, sample, replace(clean, x=x, labels=labels), training=training)[0]
        assert equal(weights_of(honest.model), weights_of(poisoned.model))


def test_without_supervision_the_truth_of_the_cells_changes_nothing(pretrained, sample, tmp_path):
    import anndata as ad

    cells = ad.read_h5ad(sample)
    cells.obs["pharmacell_truth"] = (1 - cells.obs["pharmacell_truth"]).astype(np.int8)
    cells.write_h5ad(tmp_path / "poisoned.h5ad")
    del cells.obs["pharmacell_truth"]
    cells.write_h5ad(tmp_path / "unlabelled.h5ad")
    honest = transfer(pretrained, sample)
    for name in ("poisoned", "unlabelled"):
        other = transfer(pretrained, tmp_path / f"{name}.h5ad")
        assert equal(weights_of(honest[0].model), weights_of(other[0].model))
        assert honest[1].equals(other[1])
    assert honest[0].card.labelled_cells == []


def test_labels_are_used_only_where_asked_and_reach_the_target_encoder(pretrained, sample):
    none, few = transfer(pretrained, sample), transfer(pretrained, sample, supervision="few_shot:4")
    truth = CellMatrix(sample).obs["pharmacell_truth"]
    assert truth[few[0].card.labelled_cells].value_counts().to_dict() == {0: 4, 1: 4}
    assert moved(weights_of(none[0].model), weights_of(few[0].model)) == set(PARTS)
    assert "target_class" in set(few[1]["term"])
    assert "target_class" not in set(none[1]["term"])


def test_labelled_share_of_the_papers_protocol():
    truth = np.repeat([0, 1], [50, 20])
    chosen = labelled_cells(truth, "labels", np.random.default_rng(0))
    assert np.bincount(truth[chosen]).tolist() == [40, 16]
    assert np.array_equal(chosen, np.unique(chosen))


@pytest.mark.parametrize(("supervision", "counts"), [("few_shot:5", (9, 5)), ("labels", (9, 1)), ("labels", (5, 0))])
def test_supervision_that_leaves_no_cell_to_score_is_an_input_error(supervision, counts):
    with pytest.raises(InputError, match="are left to score"):
        labelled_cells(np.repeat([0, 1], counts), supervision, np.random.default_rng(0))


def test_supervision_without_labels_is_an_input_error(pretrained, tmp_path):
    unlabelled = write_cells(tmp_path / "s.h5ad", truth=False)
    with pytest.raises(InputError, match="label_key"):
        transfer(pretrained, unlabelled, supervision="labels")


def test_labelled_cells_are_not_scored():
    rng = np.random.default_rng(0)
    truth = np.tile([0, 1], 30).astype(np.int8)
    obs = pd.DataFrame({"pharmacell_truth": truth}, [f"cell{number}" for number in range(60)])
    probability = rng.random((2, 60)).astype(np.float32)
    alone = rng.random((4, 60)).astype(np.float32)
    labelled = list(obs.index[:20])
    cheated, cheated_alone = probability.copy(), alone.copy()
    cheated[:, :20], cheated_alone[:, :20] = truth[:20], truth[:20]
    honest, cheating = (
        prediction_tables(CellPredictions(p, f, p, f), obs, labelled, None, 0)
        for p, f in ((probability, alone), (cheated, cheated_alone))
    )
    assert honest["metrics"].equals(cheating["metrics"])
    assert honest["model_metrics"].equals(cheating["model_metrics"])
    everything = prediction_tables(CellPredictions(cheated, cheated_alone, cheated, cheated_alone), obs, [], None, 0)
    assert not everything["metrics"].equals(honest["metrics"])
    assert len(honest["predictions"]) == 60


@pytest.mark.parametrize("kind", ["louvain", "leiden"])
def test_clusters_find_separate_groups_repeatably(kind):
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 40)
    x = (6 * rng.normal(size=(3, 30)))[group] + rng.normal(size=(120, 30))
    found = cluster_cells(x.astype(np.float32), kind, 1)
    assert np.array_equal(found, cluster_cells(x.astype(np.float32), kind, 1))
    assert set(found) == set(range(found.max() + 1))
    for cluster in set(found):
        assert len(set(group[found == cluster])) == 1


def test_two_cells_are_one_cluster():
    assert cluster_cells(np.zeros((2, 5), np.float32), "louvain", 0).tolist() == [0, 0]


def test_standardiser_in_blocks_equals_one_block_and_clips():
    rng = np.random.default_rng(0)
    x = (1e4 + rng.normal(size=(100, 6)) * [1, 2, 3, 4, 5, 0]).astype(np.float32)
    whole, blocks = Standardiser.fit([x]), Standardiser.fit([x[:7], x[7:60], x[60:]])
    np.testing.assert_allclose(whole.mean, blocks.mean)
    np.testing.assert_allclose(whole.std, blocks.std, rtol=1e-5)
    np.testing.assert_allclose(whole.std[:5], x.astype(float).std(0)[:5], rtol=1e-3)
    assert (whole.apply(x)[:, 5] == 0).all()
    assert whole.apply(x + 1e6).max() == LIMIT


def test_target_scaling_is_that_of_the_cells(pretrained, sample):
    bundle = transfer(pretrained, sample)[0]
    x = np.concatenate(list(CellMatrix(sample).chunks(GENES)))
    np.testing.assert_allclose(bundle.target_scaler.mean, x.mean(0), atol=1e-5)
    np.testing.assert_allclose(bundle.target_scaler.std, x.std(0), rtol=1e-4)
