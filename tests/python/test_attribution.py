"""Attributions: of what is predicted, complete, the same by independent ways, and right where the answer is planted."""

import numpy as np
import pandas as pd
import pytest
import torch
from synthetic_cells import CONFIG
from synthetic_model import (
    GENES,
    N_GENES,
    N_REPLICAS,
    NO_ATTENTION,
    PLANTED,
    bundle_of,
    linear_ensemble,
    network,
    planted_cells,
    planted_weights,
    write_predicted,
)

from pharmacell.core.seeds import generator
from pharmacell.data.cells import CellMatrix
from pharmacell.explain import attribution, class_means
from pharmacell.explain.attention_maps import attention_tables, relative_entropy
from pharmacell.explain.attribution import (
    complete_gradients,
    deep_lift,
    integrated_gradients,
    member_weights,
    relevance,
)
from pharmacell.explain.class_means import CLASSES, attribute_class, class_profiles, pooled_p
from pharmacell.explain.key_genes import agreement, degs_among, key_gene_table, key_list
from pharmacell.explain.replica import PlainReplica

CPU = torch.device("cpu")


def cells_of(x: np.ndarray, path) -> CellMatrix:
    return CellMatrix(write_predicted(path, x, np.zeros(len(x), int)))


@pytest.fixture(scope="module")
def rows() -> torch.Tensor:
    return torch.as_tensor(np.random.default_rng(0).normal(size=(40, N_GENES)), dtype=torch.float32)


@pytest.mark.parametrize("config", [CONFIG, NO_ATTENTION], ids=["attention", "no attention"])
def test_a_plain_replica_gives_the_stack_s_logits(rows, config):
    model = network(config)
    with torch.no_grad():
        logits = model.logits(rows, "target")
        for number in range(N_REPLICAS):
            plain = PlainReplica(model, number)(rows)
            np.testing.assert_allclose(plain, logits[number, :, 1] - logits[number, :, 0], atol=1e-5)


def test_a_plain_replica_has_the_stack_s_attention(rows):
    model = network()
    with torch.no_grad():
        stacked = model.predictor.attention.weights(model.target.encoder(rows))
        replica = PlainReplica(model, 1)
        _, weights, _ = replica.attention.mix(replica.latent(replica.first(rows)))
    np.testing.assert_allclose(weights, stacked[1], atol=1e-6)
    assert replica.attention is not None
    assert PlainReplica(network(NO_ATTENTION), 0).attention is None


def test_integrated_gradients_are_complete_at_default_steps(rows):
    replica, baseline = PlainReplica(network(), 0), rows[1]
    found, gap, difference = complete_gradients(replica, rows, baseline)
    np.testing.assert_allclose(difference, replica(rows) - replica(baseline[None]))
    np.testing.assert_allclose(gap, (found.sum(1) - difference).abs())
    assert gap.mean() < 0.01 * difference.abs().mean()
    coarse = integrated_gradients(replica, rows, baseline, steps=2)
    assert (coarse.sum(1) - difference).abs().mean() > 0.01 * difference.abs().mean()


def test_attributions_behind_the_first_map_are_those_of_the_genes(rows):
    from captum.attr import IntegratedGradients

    replica, baseline = PlainReplica(network(), 0), rows[1]
    whole = IntegratedGradients(replica).attribute(rows, baseline[None].expand_as(rows), n_steps=attribution.STEPS)
    np.testing.assert_allclose(integrated_gradients(replica, rows, baseline), whole, atol=1e-5)


def test_deep_lift_is_complete_without_attention_and_equals_captum_s(rows):
    from captum.attr import DeepLift

    replica, baseline = PlainReplica(network(NO_ATTENTION), 0), rows[1]
    found = deep_lift(replica, rows, baseline)
    np.testing.assert_allclose(found.sum(1), replica(rows) - replica(baseline[None]), atol=1e-5)
    whole = DeepLift(replica).attribute(rows.clone().requires_grad_(), baseline[None].expand_as(rows).contiguous())
    np.testing.assert_allclose(found, whole.detach(), atol=1e-5)


def test_relevance_equals_captum_s_epsilon_rule_without_attention(rows):
    from captum.attr import LRP
    from captum.attr._utils.lrp_rules import EpsilonRule

    replica = PlainReplica(network(NO_ATTENTION), 0)
    logits, found = torch.nn.Sequential(replica.first, *list(replica.behind)[:-1]), []
    for target in (1, 0):
        for layer in logits:
            if isinstance(layer, torch.nn.Linear):
                layer.rule = EpsilonRule(epsilon=attribution.EPSILON)  # captum takes it off after each use
        found.append(LRP(logits).attribute(rows, target=target).detach())
    np.testing.assert_allclose(relevance(replica, rows), found[0] - found[1], atol=1e-6)


def test_relevance_is_conserved_without_biases(rows):
    model = network()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith(("bias", "position")):
                value.zero_()
        replica = PlainReplica(model, 0)
        total = replica(rows)
    lost = (relevance(replica, rows).sum(1) - total).abs().mean()
    assert lost < 0.25 * total.abs().mean()  # the epsilon rule takes a share of small activations


def test_methods_without_a_change_attribute_nothing(rows):
    replica = PlainReplica(network(), 0)
    assert integrated_gradients(replica, rows[:1], rows[0]).abs().max() == 0
    assert deep_lift(replica, rows[:1], rows[0]).abs().max() == 0


def test_member_weights_rebuild_the_score(rows):
    """Attributions of the whole score are complete: they sum to the difference of the ensemble's own scores."""
    model, ensemble = network(), linear_ensemble(0.4)
    bundle = bundle_of(model, ensemble)
    share, linear = member_weights(ensemble, N_REPLICAS)
    baseline = rows[1]
    scores = bundle.score(rows.numpy(), "target", CPU)
    for number in range(N_REPLICAS):
        found = share[number] * integrated_gradients(PlainReplica(model, number), rows, baseline).numpy()
        found += linear[number] * (rows - baseline).numpy()
        np.testing.assert_allclose(found.sum(1), scores[number] - scores[number, 1], atol=5e-3)
    share, linear = member_weights(None, N_REPLICAS)
    assert share.tolist() == [1, 1]
    assert linear is None


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Cells whose planted genes differ between the classes, and their key genes under a linear score."""
    labels = np.repeat([0, 1], 40)
    cells = cells_of(planted_cells(80, labels), tmp_path_factory.mktemp("planted") / "s.h5ad")
    bundle = bundle_of(network(), linear_ensemble())
    profiles = class_profiles(bundle, cells, labels)
    found = {
        name: attribute_class(bundle, cells, labels, label, profiles[1 - label], generator(0, name), CPU, steps=4)
        for label, name in ((1, "sensitive"), (0, "resistant"))
    }
    degs = pd.concat(
        [
            pd.DataFrame({"gene": GENES, "class": name, "log_fold_change": 0.0, "is_deg": planted_weights() * sign > 0})
            for name, sign in (("sensitive", 1), ("resistant", -1))
        ]
    )
    return found, key_gene_table(found, GENES, profiles, degs), profiles


def test_planted_genes_are_found(planted):
    _, table, _ = planted
    planted_genes = set(GENES[: 2 * PLANTED])
    for name, own in (("sensitive", GENES[:PLANTED]), ("resistant", GENES[PLANTED : 2 * PLANTED])):
        rows = table[table["class"] == name]
        assert set(rows["gene"].head(2 * PLANTED)) == planted_genes
        assert (rows["fdr"].head(2 * PLANTED) < 0.05).all()
        assert set(key_list(table, name, 100)) == set(own)
        assert rows["attribution"].is_monotonic_decreasing
    silent = table[~table["gene"].isin(planted_genes)]
    assert (silent["attribution"].abs() < 1e-6).all()
    assert (silent["fdr"] > 0.05).all()


def test_a_linear_score_s_attributions_are_exact(planted):
    found, _, profiles = planted
    expected = planted_weights() / 2 * (profiles[1] - profiles[0])
    np.testing.assert_allclose(found["sensitive"].score[0], expected, atol=1e-5)
    np.testing.assert_allclose(found["resistant"].score[1], expected, atol=1e-5)


def test_degs_among_the_first_genes_are_counted_against_chance(planted):
    counts = degs_among(planted[1], top=12)["sensitive"]
    assert (counts["top"], counts["degs"]) == (12, 12)
    assert counts["by_chance"] == pytest.approx(12 * 12 / N_GENES)
    assert counts["p"] < 1e-6


def test_agreement_compares_every_pair_of_methods(planted):
    table = agreement(planted[0], top=10)
    assert len(table) == 2 * 6
    assert table["spearman"].between(-1, 1).all()
    assert table["overlap"].between(0, 1).all()
    assert table["overlap_by_chance"].eq(10 / N_GENES).all()


def test_chunks_change_nothing(planted, tmp_path, monkeypatch):
    x = np.random.default_rng(3).normal(size=(30, N_GENES)).astype(np.float32)
    labels = np.arange(30) % 2
    bundle = bundle_of(network(), linear_ensemble(0.5))
    cells = cells_of(x, tmp_path / "s.h5ad")
    found = []
    for chunk in (512, 7):
        monkeypatch.setattr(class_means, "CHUNK_CELLS", chunk)
        found.append(attribute_class(bundle, cells, labels, 1, np.zeros(N_GENES, np.float32), generator(0, "x"), CPU))
    np.testing.assert_allclose(found[0].score, found[1].score, atol=1e-4)  # a chunk may take more steps than another
    np.testing.assert_allclose(found[0].methods, found[1].methods, atol=1e-4)
    np.testing.assert_allclose(found[0].p, found[1].p, atol=0.01)
    assert found[0].gap["mean"] < 0.01


def test_label_permutations_are_calibrated_under_the_null():
    """Attributions that do not depend on the labels give uniform p-values."""
    from scipy.stats import kstest

    rng = np.random.default_rng(4)
    labels = np.arange(100) % 2
    sums = class_means.Accumulator(labels, 1, (1, 800), rng)
    sums.add_labels(slice(0, 100), rng.normal(size=(100, 800)).astype(np.float32))
    sums.gaps, sums.differences = [np.zeros((1, 100))], [np.ones((1, 100))]
    assert kstest(sums.result().p, "uniform").pvalue > 0.05


def test_pooled_p_counts_the_observed_value():
    null = np.arange(1.0, 10.0)[None]
    np.testing.assert_allclose(pooled_p(np.array([100.0, 0.0, -9.0]), null), [0.1, 1.0, 0.2])


def test_attention_tables_are_means_of_each_class(tmp_path):
    x = np.random.default_rng(5).normal(size=(20, N_GENES)).astype(np.float32)
    labels = (np.arange(20) < 8).astype(np.int64)
    model = network()
    tables = attention_tables(bundle_of(model, None), cells_of(x, tmp_path / "s.h5ad"), labels, generator(0, "t"), CPU)
    sums = tables.maps.groupby(["replica", "head", "class", "query"])["weight"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-5)
    with torch.no_grad():
        direct = model.predictor.attention.weights(model.target.encoder(torch.as_tensor(x[labels == 1])))
    of_one = tables.maps.query("replica == 1 and head == 2 and `class` == 'sensitive'")
    np.testing.assert_allclose(of_one["weight"], direct[1, :, 2].mean(0).ravel(), atol=1e-5)
    assert tables.entropy["entropy"].between(0, 1 + 1e-6).all()
    tokens = CONFIG.tokens()
    assert len(tables.token_genes) == N_REPLICAS * tokens * 20
    assert set(tables.token_genes["gene"]) <= set(GENES)


def test_token_genes_are_the_genes_that_move_a_token(tmp_path):
    """A gene whose weights into the encoder are zero moves no token, and one with large weights moves them most."""
    x = np.random.default_rng(6).normal(size=(20, N_GENES)).astype(np.float32)
    model = network()
    with torch.no_grad():
        model.target.encoder[0].weight[:, 7] = 0
        model.target.encoder[0].weight[:, 11] *= 30
    tables = attention_tables(
        bundle_of(model, None), cells_of(x, tmp_path / "s.h5ad"), np.ones(20, np.int64), generator(0, "t"), CPU
    )
    assert GENES[7] not in set(tables.token_genes["gene"])
    assert set(tables.token_genes.query("rank == 1")["gene"]) == {GENES[11]}
    assert set(tables.maps["class"]) == {"sensitive"}, "a class without cells has no map"


def test_entropy_is_1_when_all_tokens_count_alike_and_0_when_one_does():
    even, single = torch.full((1, 1, 4, 4), 0.25), torch.eye(4)[None, None]
    assert relative_entropy(even).item() == pytest.approx(1)
    assert relative_entropy(single).item() == pytest.approx(0, abs=1e-6)
    assert CLASSES == ("resistant", "sensitive")
