"""Scores of gene lists: as scanpy makes them, against random lists of matched expression, with honest p-values."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.explanation.deg_scores import (
    bin_count,
    correlation_test,
    correlations,
    deg_list,
    differential,
    empirical_p,
    expression_bins,
    list_scores,
    random_scores,
    score_weights,
)
from pharmacell.explanation.expression import Expression
from pharmacell.explanation.key_genes import COLUMNS
from pharmacell.explanation.list_tests import independent_units
from pharmacell.explanation.pathways import enrichment, read_gene_sets
from pharmacell.explanation.separation import separation

N_CELLS, N_GENES = 120, 500
GENES = [f"G{number}" for number in range(N_GENES)]


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.gamma(2, rng.uniform(0.05, 1, N_GENES), (N_CELLS, N_GENES)).astype(np.float32)


def test_bins_and_weights_give_scanpy_s_score(x):
    """With all genes of the bins as reference nothing is drawn, so both scores must be the same."""
    import scanpy as sc
    from anndata import AnnData

    members = [3, 50, 111, 490]
    cells = AnnData(x.copy())
    cells.var_names = GENES
    sc.tl.score_genes(cells, [GENES[gene] for gene in members], ctrl_size=N_GENES, n_bins=bin_count(N_GENES))
    bins = expression_bins(x.mean(0))
    chosen = np.isin(np.arange(N_GENES), members)[None]
    weights = score_weights(chosen, np.isin(bins, bins[members])[None] & ~chosen)
    np.testing.assert_allclose((x @ weights.T)[:, 0], cells.obs["score"], atol=1e-5)


def test_random_lists_match_the_expression_of_the_list(x, monkeypatch):
    members, seen = np.array([3, 50, 111, 490]), []
    monkeypatch.setattr(
        "pharmacell.explanation.deg_scores.score_weights",
        lambda chosen, reference: seen.append((chosen, reference)) or chosen.astype(np.float32),
    )
    random_scores(x, members, np.random.default_rng(1), n_lists=30, controls=5)
    chosen, reference = seen[0]
    bins = expression_bins(x.mean(0))
    for row in chosen:
        assert sorted(bins[row]) == sorted(bins[members])
    assert not (chosen & reference).any()
    assert (reference.sum(1) <= 5 * len(set(bins[members]))).all()
    assert len({tuple(np.flatnonzero(row)) for row in chosen}) > 25


def test_the_p_of_a_random_list_is_uniform(x):
    """Lists drawn as the null draws them get p-values that a Kolmogorov-Smirnov test cannot tell from uniform ones."""
    from scipy.stats import kstest

    rng = np.random.default_rng(2)
    members, reference = rng.choice(N_GENES, 20, replace=False), rng.normal(size=N_CELLS).astype(np.float32)
    null = correlations(random_scores(x, members, rng, n_lists=1000), reference)
    observed = correlations(random_scores(x, members, rng, n_lists=400), reference)
    p = [empirical_p(value, null) for value in observed]
    assert kstest(p, "uniform").pvalue > 0.05


def test_p_is_never_0():
    assert empirical_p(9.0, np.zeros(999)) == 1 / 1000
    assert empirical_p(-9.0, np.zeros(999)) == 1


def test_correlations_are_pearson_s_and_0_for_a_constant():
    rng = np.random.default_rng(3)
    scores, reference = rng.normal(size=(50, 4)), rng.normal(size=50)
    scores[:, 2] = 5
    found = correlations(scores, reference)
    assert found[2] == 0
    for column in (0, 1, 3):
        assert found[column] == pytest.approx(np.corrcoef(scores[:, column], reference)[0, 1])
    test = correlation_test(scores[:, 0], reference, found, np.zeros(50), 0)
    assert test["low"] < test["pearson"] < test["high"]
    assert test["n_units"] == 50


def test_the_interval_of_a_correlation_counts_groups_and_not_cells():
    """Two scores share nothing but the six groups of the cells: the interval over cells excludes 0, ours does not."""
    excluded = {"cells": 0, "groups": 0}
    groups = np.repeat(np.arange(6), 50)
    for seed in range(40):
        rng = np.random.default_rng(seed)
        score, reference = (rng.normal(size=6)[groups] + 0.3 * rng.normal(size=300) for _ in range(2))
        for name, units in (("cells", np.zeros(300)), ("groups", groups)):
            test = correlation_test(score, reference, np.zeros(10), units, seed)
            excluded[name] += not test["low"] < 0 < test["high"]
    assert excluded["cells"] > 30
    assert excluded["groups"] < 16


def test_without_groups_clusters_of_the_cells_are_the_units():
    rng = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2], 40)
    x = ((6 * rng.normal(size=(3, 30)))[kinds] + rng.normal(size=(120, 30))).astype(np.float32)
    cells = Expression(x, [f"G{number}" for number in range(30)], pd.DataFrame(index=range(120)), kinds > 0, None, True)
    name, units = independent_units(cells, 0)
    assert name == "clusters"
    assert all(len(set(kinds[units == unit])) == 1 for unit in set(units))
    grouped = replace(cells, obs=pd.DataFrame({"pharmacell_group": np.tile(["a", "b"], 60)}))
    assert independent_units(grouped, 0)[0] == "groups"


def test_a_thousand_lists_on_1500_cells_are_quick():
    """Within 20 s of processor time, also on a machine that does much else."""
    rng = np.random.default_rng(4)
    cells = rng.random((1500, 6163), dtype=np.float32)
    start = time.process_time()
    found = random_scores(cells, rng.choice(6163, 100, replace=False), rng, n_lists=1000)
    assert time.process_time() - start < 20
    assert found.shape == (1500, 1000)


def test_planted_differences_are_degs(x):
    labels = np.arange(N_CELLS) % 2
    shifted = x.copy()
    shifted[labels == 1, :10] += 3
    shifted[labels == 0, 10:20] += 3
    table = differential(shifted, GENES, {"truth": labels}, log_scale=True)["truth"]
    assert set(deg_list(table, "sensitive", 10)) == set(GENES[:10])
    assert set(deg_list(table, "resistant", 10)) == set(GENES[10:20])
    lfc = table[table["class"] == "sensitive"].set_index("gene")["log_fold_change"]
    assert (lfc.loc[GENES[:10]] > 0.3).all()
    assert (lfc.loc[GENES[10:20]] < -0.3).all()
    of_resistant = table[table["class"] == "resistant"].set_index("gene")["log_fold_change"]
    np.testing.assert_allclose(of_resistant.loc[GENES], -lfc.loc[GENES])
    standardised = differential(shifted - shifted.mean(0), GENES, {"truth": labels}, log_scale=False)["truth"]
    difference = shifted[labels == 1].mean(0) - shifted[labels == 0].mean(0)
    found = standardised[standardised["class"] == "sensitive"].set_index("gene")["log_fold_change"]
    np.testing.assert_allclose(found.loc[GENES], difference, atol=1e-5)


def test_rank_sums_are_those_of_scipy_with_ties_and_for_every_labelling(x):
    from scipy.stats import false_discovery_control, mannwhitneyu

    counts = np.floor(x * 2)
    counts[:, 7] = 1
    labels = {"truth": np.arange(N_CELLS) % 2, "predicted": (np.arange(N_CELLS) < 30).astype(int)}
    tables = differential(counts, GENES, labels, log_scale=True)
    for name, sensitive in labels.items():
        table = tables[name][tables[name]["class"] == "sensitive"].set_index("gene").loc[GENES]
        two = counts[sensitive == 1], counts[sensitive == 0]
        varies = np.ptp(counts, axis=0) > 0
        p = mannwhitneyu(two[0][:, varies], two[1][:, varies], method="asymptotic", use_continuity=False).pvalue
        np.testing.assert_allclose(table["p"][varies], p, rtol=1e-5)  # scipy ranks in single precision
        assert table.loc["G7", ["score", "p"]].tolist() == [0, 1]
        np.testing.assert_allclose(table["fdr"], false_discovery_control(table["p"]))
        change = np.log2((np.expm1(two[0].mean(0)) + 1e-9) / (np.expm1(two[1].mean(0)) + 1e-9))
        np.testing.assert_allclose(table["log_fold_change"], change, atol=1e-5)


def test_lists_are_scored_as_scanpy_does(x):
    import scanpy as sc
    from anndata import AnnData

    lists = {"one": GENES[:40], "two": GENES[90:300:7]}
    cells = AnnData(x.copy())
    cells.var_names = GENES
    for name, members in lists.items():
        sc.tl.score_genes(cells, members, n_bins=bin_count(N_GENES), score_name=name, random_state=3)
    np.testing.assert_allclose(list_scores(x, GENES, lists, 3), cells.obs[["one", "two"]], atol=1e-6)


def test_scores_of_empty_lists_are_left_out(x):
    found = list_scores(x, GENES, {"full": GENES[:5], "empty": []}, seed=0)
    assert list(found) == ["full"]
    assert len(found) == N_CELLS


@pytest.mark.parametrize(("noise", "answer"), [((0.2, 6.0), "first"), ((1.0, 1.0), "neither")])
def test_separation_answers_with_an_interval(noise, answer):
    rng = np.random.default_rng(5)
    labels = np.arange(200) % 2
    scores = {
        name: labels + scale * rng.normal(size=200) for name, scale in zip(("key genes", "DEGs"), noise, strict=True)
    }
    table = separation(labels, scores, None, seed=0).set_index("score")
    row = table.loc["difference"]
    assert row["auroc"] == pytest.approx(table.loc["key genes", "auroc"] - table.loc["DEGs", "auroc"])
    assert row["low"] <= row["auroc"] <= row["high"]
    assert (row["low"] > 0) == (answer == "first")
    assert (row["p"] < 0.05) == (answer == "first")
    assert set(table["drawn"]) == {"cells"}


def test_separation_draws_pairs():
    """Two copies of one score never differ, whatever was drawn."""
    rng = np.random.default_rng(6)
    labels, score = np.arange(60) % 2, rng.normal(size=60)
    row = separation(labels, {"a": score, "b": score.copy()}, None, seed=0).iloc[2]
    assert (row["auroc"], row["low"], row["high"], row["p"]) == (0, 0, 0, 1)


def test_separation_draws_groups_only_when_each_class_has_enough():
    rng = np.random.default_rng(7)
    labels, groups = np.arange(60) // 30, (np.arange(60) // 10).astype(str)
    scores = {"a": rng.normal(size=60), "b": rng.normal(size=60)}
    assert set(separation(labels, scores, groups, seed=0)["drawn"]) == {"groups"}
    assert set(separation(labels, scores, labels.astype(str), seed=0)["drawn"]) == {"cells"}


def key_genes():
    """Return a table in which the first genes speak for sensitive, the last for resistant."""
    import pandas as pd

    value = np.linspace(1, -1, 200)
    tables = []
    for name, sign in (("sensitive", 1), ("resistant", -1)):
        table = pd.DataFrame(
            {
                "gene": GENES[:200],
                "class": name,
                "attribution": np.abs(value),
                "fdr": 0.001,
                "expressed": np.where(sign * value > 0, "higher", "lower"),
            }
        )
        tables.append(table.sort_values("attribution", ascending=False))
    return pd.concat(tables).reindex(columns=list(COLUMNS))


def test_enrichment_finds_planted_sets_offline():
    rng = np.random.default_rng(8)
    sets = {"SENSITIVE": GENES[:20], "RESISTANT": GENES[180:200], "TINY": GENES[:2]}
    sets |= {f"RANDOM{number}": list(rng.choice(GENES[:200], 20, replace=False)) for number in range(10)}
    found = enrichment(key_genes(), sets, 20, seed=1, threads=1)
    for method in ("over-representation", "GSEA"):
        for name in ("sensitive", "resistant"):
            best = found[(found["method"] == method) & (found["class"] == name)].iloc[0]
            assert best["set"] == name.upper(), (method, name)
            assert best["fdr"] < 0.05
    assert "TINY" not in set(found["set"])
    again = enrichment(key_genes(), sets, 20, seed=1, threads=1)
    assert found.equals(again)


def test_enrichment_without_a_usable_set_is_empty():
    assert enrichment(key_genes(), {"OTHER": ["X1", "X2", "X3", "X4", "X5"]}, 20, 1, 1).empty


def test_gene_sets_are_read(tmp_path):
    with whole_file(tmp_path / "sets.gmt") as partial:
        partial.write_text("A\tabout\tG1\tG2\n\nB\t\tG3\t\n")
    assert read_gene_sets(tmp_path / "sets.gmt") == {"A": ["G1", "G2"], "B": ["G3"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("A\tabout\n", "line 1 is no gene set"),
        ("A\tx\tG1\nA\tx\tG2\n", "line 2 has the name 'A' again"),
        ("", "is empty"),
    ],
)
def test_bad_gene_sets_are_refused(tmp_path, content, message):
    (tmp_path / "sets.gmt").write_text(content)
    with pytest.raises(InputError, match=message):
        read_gene_sets(tmp_path / "sets.gmt")
