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
)

from pharmacell.core.seeds import generator
from pharmacell.explanation import attribution, class_means
from pharmacell.explanation.attention_maps import attention_tables, relative_entropy
from pharmacell.explanation.attribution import (
    complete_gradients,
    deep_lift,
    integrated_gradients,
    member_weights,
    relevance,
)
from pharmacell.explanation.class_means import CLASSES, Attributor, class_profiles, pooled_p
from pharmacell.explanation.key_genes import agreement, degs_among, key_gene_table, key_list
from pharmacell.explanation.replicas import Replicas
from pharmacell.explanation.sample import draw_cells

CPU = torch.device("cpu")
STEPS = 12


class OneReplica(torch.nn.Module):
    """One replica of a stack as an ordinary module, for captum: from genes to the logit difference."""

    def __init__(self, replicas: Replicas, number: int) -> None:
        super().__init__()
        self.replicas, self.number = replicas, number

    def forward(self, x):
        return self.replicas.difference(self.replicas.affine(x))[self.number]


class Plain(torch.nn.Module):
    """One replica without attention as plain layers, for captum's methods that hook modules."""

    def __init__(self, replicas: Replicas, number: int) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(*(plain(layer, number) for layer in (replicas.affine, *replicas.behind)))

    def forward(self, x):
        logits = self.layers(x)
        return logits[:, 1] - logits[:, 0]


def plain(layer, number: int) -> torch.nn.Module:
    if isinstance(layer, torch.nn.ReLU):
        return torch.nn.ReLU()
    linear = torch.nn.Linear(*layer.weight.shape[1:], dtype=layer.weight.dtype)
    with torch.no_grad():
        linear.weight.copy_(layer.weight[number].T)
        linear.bias.copy_(layer.bias[number, 0])
    return linear


def hidden_of(replicas, rows, baseline):
    return replicas.hidden(rows), replicas.hidden(baseline[None])


def genes_of(replicas, multipliers, change) -> np.ndarray:
    """Return the attributions of all replicas, [n_replicas, n, n_genes]."""
    carried = torch.stack([replicas.to_genes(multipliers, number) for number in range(N_REPLICAS)])
    return (change * carried).numpy()


@pytest.fixture(scope="module")
def rows() -> torch.Tensor:
    return torch.as_tensor(np.random.default_rng(0).normal(size=(40, N_GENES)), dtype=torch.float32)


@pytest.mark.parametrize("config", [CONFIG, NO_ATTENTION], ids=["attention", "no attention"])
def test_cut_replicas_give_the_stack_s_logits(rows, config):
    model, replicas = network(config), Replicas(network(config))
    with torch.no_grad():
        logits = model.logits(rows, "target")
        found = replicas.difference(replicas.hidden(rows))
    np.testing.assert_allclose(found, logits[..., 1] - logits[..., 0], atol=1e-5)
    assert (replicas.attention is None) == (config is NO_ATTENTION)


def test_integrated_gradients_are_complete_at_default_steps(rows):
    replicas, baseline = Replicas(network()), rows[1]
    end, start = hidden_of(replicas, rows, baseline)
    found, gap, difference = complete_gradients(replicas, end, start, STEPS)
    with torch.no_grad():
        expected = replicas.difference(end) - replicas.difference(start)
    np.testing.assert_allclose(difference, expected)
    genes = genes_of(replicas, found, rows - baseline)
    np.testing.assert_allclose(gap, np.abs(genes.sum(-1) - expected.numpy()), atol=1e-5)
    assert (gap.mean(1) < 0.01 * difference.abs().mean(1)).all()
    coarse = genes_of(replicas, integrated_gradients(replicas, end, start, 2), rows - baseline)
    assert np.abs(coarse.sum(-1) - expected.numpy()).mean() > 0.01 * difference.abs().mean()


def test_only_cells_that_miss_completeness_get_more_steps(rows, monkeypatch):
    replicas = Replicas(network())
    end, start = hidden_of(replicas, rows, rows[1])
    coarse, taken = integrated_gradients(replicas, end, start, 4), []
    original = integrated_gradients

    def counted(replicas, end, start, steps):
        taken.append((end.shape[1], steps))
        return original(replicas, end, start, steps)

    monkeypatch.setattr(attribution, "integrated_gradients", counted)
    found, gap, difference = complete_gradients(replicas, end, start, 4)
    assert taken[0] == (len(rows), 4)
    assert [steps for _, steps in taken] == [4 * 2**doublings for doublings in range(len(taken))]
    assert len(taken) > 1
    assert all(0 < cells < len(rows) for cells, _ in taken[1:])
    missed = ((hidden_sum(coarse, end, start) - difference).abs() > 0.01 * difference.abs().mean(1, keepdim=True)).any(
        0
    )
    assert taken[1][0] <= missed.sum()
    kept = (found == coarse).all(-1).all(0)
    assert not kept[missed].any()
    assert (gap <= 0.01 * difference.abs().mean(1, keepdim=True)).all()


def hidden_sum(multipliers, end, start):
    return ((end - start) * multipliers).sum(-1)


def captum_gradients(replicas, x, baseline, steps):
    """Return captum's attributions of all replicas, [n_replicas, n, n_genes]."""
    from captum.attr import IntegratedGradients

    return torch.stack(
        [
            IntegratedGradients(OneReplica(replicas, number)).attribute(
                x, baseline[None].expand_as(x), n_steps=steps, internal_batch_size=4096
            )
            for number in range(N_REPLICAS)
        ]
    ).numpy()


def largest_error(found, expected):
    """Return the largest error of each cell relative to its largest attribution, [n_replicas, n]."""
    return (np.abs(found - expected) / np.abs(expected).max(-1, keepdims=True).clip(1e-300)).max(-1)


def test_integrated_gradients_are_those_of_captum_from_the_genes(rows):
    """Captum's sum, which does not know where a unit of ReLU changes sign, takes many steps to get as close."""
    model, x = network().double(), rows[:4].double()
    replicas, baseline = Replicas(model), rows[20].double()
    hidden = hidden_of(replicas, x, baseline)
    expected = captum_gradients(replicas, x, baseline, 1000)
    errors = {
        steps: largest_error(genes_of(replicas, integrated_gradients(replicas, *hidden, steps), x - baseline), expected)
        for steps in (STEPS, 4 * STEPS, 500)
    }
    assert errors[500].max() < 2e-3
    assert errors[4 * STEPS].mean() < errors[STEPS].mean() / 6
    assert errors[STEPS].mean() < largest_error(captum_gradients(replicas, x, baseline, 50), expected).mean()


def test_integrated_gradients_are_captum_s_to_seven_digits_where_no_unit_changes_sign(rows):
    model, x = network().double(), rows[:4].double()
    replicas = Replicas(model)
    found = []
    for cell in x:
        near = cell + 1e-5 * rows[20].double()
        multipliers = integrated_gradients(replicas, *hidden_of(replicas, near[None], cell), STEPS)
        expected = captum_gradients(replicas, near[None], cell, STEPS)
        found.append(largest_error(genes_of(replicas, multipliers, near[None] - cell), expected))
    assert np.max(found) < 1e-7


def test_deep_lift_is_complete_without_attention_and_equals_captum_s(rows):
    from captum.attr import DeepLift

    replicas, baseline = Replicas(network(NO_ATTENTION)), rows[1]
    end, start = hidden_of(replicas, rows, baseline)
    found = genes_of(replicas, deep_lift(replicas, end, start), rows - baseline)
    with torch.no_grad():
        difference = replicas.difference(end) - replicas.difference(start)
    np.testing.assert_allclose(found.sum(-1), difference, atol=1e-5)
    for number in range(N_REPLICAS):
        whole = DeepLift(Plain(replicas, number)).attribute(
            rows.clone().requires_grad_(), baseline[None].expand_as(rows).contiguous()
        )
        np.testing.assert_allclose(found[number], whole.detach(), atol=1e-5)


def test_deep_lift_passes_the_gradient_of_attention(rows):
    """Between a cell and one close by, no ReLU changes sides: the rule is the gradient."""
    model = network().double()
    replicas, x = Replicas(model), rows[:5].double()
    end = replicas.hidden(x).requires_grad_()
    gradient = torch.autograd.grad(replicas.difference(end).sum(), end)[0]
    for cell in range(5):
        one = end[:, cell : cell + 1].detach()
        np.testing.assert_allclose(deep_lift(replicas, one, one + 1e-6), gradient[:, cell : cell + 1], atol=1e-6)


def test_relevance_equals_captum_s_epsilon_rule_without_attention(rows):
    from captum.attr import LRP
    from captum.attr._utils.lrp_rules import EpsilonRule

    replicas = Replicas(network(NO_ATTENTION))
    found = genes_of(replicas, relevance(replicas, replicas.hidden(rows)), rows)
    for number in range(N_REPLICAS):
        logits, of_targets = Plain(replicas, number).layers, []
        for target in (1, 0):
            for layer in logits:
                if isinstance(layer, torch.nn.Linear):
                    layer.rule = EpsilonRule(epsilon=attribution.EPSILON)  # captum takes it off after each use
            of_targets.append(LRP(logits).attribute(rows, target=target).detach())
        np.testing.assert_allclose(found[number], of_targets[0] - of_targets[1], atol=1e-6)


def test_relevance_is_conserved_without_biases(rows):
    model = network()
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith(("bias", "position")):
                value.zero_()
        replicas = Replicas(model)
        hidden = replicas.hidden(rows)
        total = replicas.difference(hidden).numpy()
    lost = np.abs(genes_of(replicas, relevance(replicas, hidden), rows).sum(-1) - total).mean()
    assert lost < 0.25 * np.abs(total).mean()  # the epsilon rule takes a share of small activations


def test_methods_without_a_change_attribute_nothing(rows):
    replicas = Replicas(network())
    end, start = hidden_of(replicas, rows[:1], rows[0])
    for multipliers in (integrated_gradients(replicas, end, start, STEPS), deep_lift(replicas, end, start)):
        assert torch.isfinite(multipliers).all()
        assert np.abs(genes_of(replicas, multipliers, rows[:1] - rows[0])).max() == 0


def test_member_weights_rebuild_the_score(rows):
    """Attributions of the whole score are complete: they sum to the difference of the ensemble's own scores."""
    model, ensemble = network(), linear_ensemble(0.4)
    bundle, replicas = bundle_of(model, ensemble), Replicas(model)
    share, linear = member_weights(ensemble, N_REPLICAS)
    baseline = rows[1]
    scores = bundle.score(rows.numpy(), "target", CPU)
    multipliers = integrated_gradients(replicas, *hidden_of(replicas, rows, baseline), STEPS)
    found = share[:, None, None] * genes_of(replicas, multipliers, rows - baseline)
    found += linear[:, None] * (rows - baseline).numpy()
    np.testing.assert_allclose(found.sum(-1), scores - scores[:, 1:2], atol=5e-3)
    share, linear = member_weights(None, N_REPLICAS)
    assert share.tolist() == [1, 1]
    assert linear is None


def test_means_over_a_class_are_those_of_single_cells(rows):
    """What is summed before it is carried to the genes equals the mean of the cells' own attributions."""
    model, ensemble = network(), linear_ensemble(0.4)
    labels, baseline = np.arange(len(rows)) % 2, rows[1].numpy()
    found = Attributor(bundle_of(model, ensemble), rows.numpy(), labels, STEPS, CPU).towards(
        0, baseline, generator(0, "x")
    )
    replicas = Replicas(model)
    end, start = hidden_of(replicas, rows, rows[1])
    methods = (
        complete_gradients(replicas, end, start, STEPS)[0],
        deep_lift(replicas, end, start),
        relevance(replicas, end),
    )
    changes = (rows - rows[1], rows - rows[1], rows)  # relevance has no baseline
    own = [
        -genes_of(replicas, each, change)[:, labels == 0].mean(1) for each, change in zip(methods, changes, strict=True)
    ]
    np.testing.assert_allclose(found.methods, own, atol=1e-5)
    share, linear = member_weights(ensemble, N_REPLICAS)
    change = (rows.numpy() - baseline)[labels == 0].mean(0)
    np.testing.assert_allclose(found.score, share[:, None] * own[0] - linear * change, atol=1e-5)


def test_a_draw_keeps_the_shares_of_classes_and_groups():
    labels = np.repeat([0, 1], [900, 100])
    obs = pd.DataFrame({"group": np.tile(["a", "a", "a", "b"], 250)})
    drawn = draw_cells(labels, obs, generator(0, "draw"), most=200)
    assert len(drawn) == len(set(drawn)) == 200
    assert (np.diff(drawn) > 0).all()
    counts = pd.crosstab(labels[drawn], obs["group"].to_numpy()[drawn]).to_numpy()
    np.testing.assert_allclose(counts, [[135, 45], [15, 5]], atol=1)
    assert draw_cells(labels, obs, generator(0, "draw"), most=1000).tolist() == list(range(1000))
    other = draw_cells(labels, obs, generator(1, "draw"), most=200)
    assert set(other) != set(drawn)


@pytest.fixture(scope="module")
def planted():
    """Cells whose planted genes differ between the classes, and their key genes under a linear score."""
    labels = np.repeat([0, 1], 40)
    x = planted_cells(80, labels)
    attributor = Attributor(bundle_of(network(), linear_ensemble()), x, labels, 4, CPU)
    profiles = class_profiles(x, labels)
    found = {
        name: attributor.towards(label, profiles[1 - label], generator(0, name))
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


def test_chunks_change_nothing(monkeypatch):
    x = np.random.default_rng(3).normal(size=(30, N_GENES)).astype(np.float32)
    labels = (np.arange(30) >= 18).astype(int)  # some chunks hold no cell of the class
    attributor = Attributor(bundle_of(network(), linear_ensemble(0.5)), x, labels, STEPS, CPU)
    found = []
    for chunk in (512, 7):
        monkeypatch.setattr(class_means, "CHUNK_CELLS", chunk)
        monkeypatch.setattr(attribution, "CELLS_AT_ONCE", chunk)
        found.append(attributor.towards(1, np.zeros(N_GENES, np.float32), generator(0, "x")))
    np.testing.assert_allclose(found[0].score, found[1].score, atol=1e-5)
    np.testing.assert_allclose(found[0].methods, found[1].methods, atol=1e-5)
    np.testing.assert_allclose(found[0].p, found[1].p, atol=0.01)
    assert found[0].gap["mean"] < 0.01


def test_label_permutations_are_calibrated_under_the_null():
    """Attributions that do not depend on the labels give uniform p-values."""
    from scipy.stats import kstest

    rng = np.random.default_rng(4)
    test = class_means.LabelTest(np.arange(100) % 2, 1, 800, rng)
    test.add(slice(0, 100), rng.normal(size=(100, 800)).astype(np.float32))
    assert kstest(test.result()[0], "uniform").pvalue > 0.05


def test_pooled_p_counts_the_observed_value():
    null = np.arange(1.0, 10.0)[None]
    np.testing.assert_allclose(pooled_p(np.array([100.0, 0.0, -9.0]), null), [0.1, 1.0, 0.2])


def test_attention_tables_are_means_of_each_class():
    x = np.random.default_rng(5).normal(size=(20, N_GENES)).astype(np.float32)
    labels = (np.arange(20) < 8).astype(np.int64)
    model = network()
    tables = attention_tables(bundle_of(model, None), x, labels, generator(0, "t"), CPU)
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


def test_token_genes_are_the_genes_that_move_a_token():
    """A gene whose weights into the encoder are zero moves no token, and one with large weights moves them most."""
    x = np.random.default_rng(6).normal(size=(20, N_GENES)).astype(np.float32)
    model = network()
    with torch.no_grad():
        model.target.encoder[0].weight[:, 7] = 0
        model.target.encoder[0].weight[:, 11] *= 30
    tables = attention_tables(bundle_of(model, None), x, np.ones(20, np.int64), generator(0, "t"), CPU)
    assert GENES[7] not in set(tables.token_genes["gene"])
    assert set(tables.token_genes.query("rank == 1")["gene"]) == {GENES[11]}
    assert set(tables.maps["class"]) == {"sensitive"}, "a class without cells has no map"


def test_entropy_is_1_when_all_tokens_count_alike_and_0_when_one_does():
    even, single = torch.full((1, 1, 4, 4), 0.25), torch.eye(4)[None, None]
    assert relative_entropy(even).item() == pytest.approx(1)
    assert relative_entropy(single).item() == pytest.approx(0, abs=1e-6)
    assert CLASSES == ("resistant", "sensitive")
