"""The panel of all drugs: the two commands on a small bulk data set, and what they refuse."""

import json

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from panel_bulk import lines_and_drugs, write_bulk, write_cells
from scipy.stats import spearmanr

from pharmacell.cli.predict_panel import predict_panel
from pharmacell.cli.pretrain_panel import pretrain_panel
from pharmacell.core.errors import InputError
from pharmacell.data.cells import CellMatrix
from pharmacell.data.driver_events import driver_events
from pharmacell.data.folds import UNKNOWN
from pharmacell.drug_panel import columns
from pharmacell.drug_panel.combinations import pairs_of_drugs
from pharmacell.drug_panel.groups import clusters, groups_of
from pharmacell.drug_panel.held_out import paired_auroc
from pharmacell.drug_panel.linear import LinearChoice, LinearPanel, of_tissue, tissue_mean
from pharmacell.drug_panel.mutations import EventEffects, fusions_of, learn_effects
from pharmacell.drug_panel.profiles import BulkScale, CountMatrix, pool
from pharmacell.drug_panel.resemblance import known_tissue, resemblance
from pharmacell.drug_panel.responses import read_responses
from pharmacell.drug_panel.sample_events import sample_events
from pharmacell.drug_panel.sample_run import event_notes
from pharmacell.drug_panel.separation import best_drugs
from pharmacell.drug_panel.verdict import unknown_events, verdicts
from pharmacell.linear.low_rank import soft_impute
from pharmacell.linear.weighted_ridge import WeightedRidge

RARE = "Drug 49"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the folder of a bulk data set without two lines, its model, and these lines."""
    folder = tmp_path_factory.mktemp("panel")
    lines = list(lines_and_drugs()[0].index[[3, 40]])
    bulk, response = write_bulk(folder / "bulk", tuple(lines), RARE)
    arguments = ["--bulk", bulk, "--response", response, "--outdir", folder / "model", "--threads", "1"]
    result = CliRunner().invoke(pretrain_panel, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    return folder, lines


def predict(folder, sample, name, *more, fails=False):
    arguments = ["--model", folder / "model", "--bulk", folder / "bulk" / "bulk.h5ad", "--sample", sample]
    arguments += [
        "--response",
        folder / "bulk" / "response.parquet",
        "--outdir",
        folder / name,
        "--threads",
        "1",
        *more,
    ]
    result = CliRunner().invoke(predict_panel, [str(one) for one in arguments])
    if fails:
        assert result.exit_code == 1
        assert len(result.output.strip().splitlines()) == 1
        return result.output
    assert result.exit_code == 0, result.output
    return pd.read_csv(folder / name / "panel.csv"), json.loads((folder / name / "panel.json").read_text())


@pytest.fixture(scope="module")
def mixture(trained):
    folder, lines = trained
    sample = write_cells(folder / "mixture.h5ad", lines)
    return predict(folder, sample, "mixture", "--group_key", "line"), folder, lines


def test_model_folder_says_how_well_each_drug_is_predicted(trained):
    folder, _ = trained
    drugs = pd.read_csv(folder / "model" / "drugs.csv")
    assert list(drugs) == list(columns.DRUGS)
    assert RARE not in set(drugs["drug"])
    assert json.loads((folder / "model" / "card.json").read_text())["left_out"] == [RARE]
    assert drugs["predictability"].mean() > 0.6  # the drugs follow gene programmes
    assert ((drugs["predictability_low"] < drugs["predictability"]) & (drugs["n_lines"] == 88)).all()


def test_groups_are_predicted_in_absolute_terms(mixture):
    (panel, facts), _, lines = mixture
    assert list(panel) == list(columns.PANEL)
    assert len(panel) == 2 * 49
    assert (panel["low"] < panel["ln_ic50"]).all()
    assert (panel["ln_ic50"] < panel["high"]).all()
    assert panel["percentile"].between(0, 1).all()
    _, _, z = lines_and_drugs()
    found = panel.pivot_table(index="group", columns="drug", values="ln_ic50")
    for line in lines:
        assert spearmanr(found.loc[line], z.loc[line, found.columns])[0] > 0.2
    difference = found.loc[lines[0]] - found.loc[lines[1]]
    assert spearmanr(difference, (z.loc[lines[0]] - z.loc[lines[1]])[found.columns])[0] > 0.5
    assert "line" in facts["groups"]


def test_rows_are_ranked_within_groups_and_hopeless_drugs_are_not(mixture):
    (panel, _), folder, _ = mixture
    drugs = pd.read_csv(folder / "model" / "drugs.csv").set_index("drug")
    for _, own in panel.groupby("group"):
        ranked = own[own["rank"].notna()]
        assert list(ranked["rank"]) == list(range(1, len(ranked) + 1))
        assert ranked["specific"].is_monotonic_increasing
        assert (own["verdict"].eq(columns.NOT_SUPPORTED) == own["rank"].isna()).all()
        hopeless = drugs.index[drugs["verdict_ceiling"] == columns.NOT_SUPPORTED]
        assert own.loc[own["drug"].isin(hopeless), "rank"].isna().all()


def test_a_line_alone_is_predicted_as_in_the_mixture(mixture):
    (panel, _), folder, lines = mixture
    for line in lines:
        sample = write_cells(folder / f"{line}.h5ad", [line])
        alone, _ = predict(folder, sample, f"alone {line}", "--group_key", "line")
        both = alone.merge(panel, on=["group", "drug"], suffixes=("", "_mixed"))
        assert len(both) == 49
        assert both["ln_ic50"].to_numpy() == pytest.approx(both["ln_ic50_mixed"].to_numpy(), abs=1e-4)
        assert both["percentile"].to_numpy() == pytest.approx(both["percentile_mixed"].to_numpy(), abs=1e-4)


def test_cells_and_h5ad_hold_what_the_table_sums_up(mixture):
    (panel, _), folder, lines = mixture
    cells = pd.read_parquet(folder / "mixture" / "cells.parquet")
    sample = ad.read_h5ad(folder / "mixture" / "mixture.h5ad")
    assert list(cells["cell_id"]) == list(sample.obs_names)
    drug = "Drug 0"
    share = (cells[drug] >= 0.5).groupby(sample.obs["line"].to_numpy()).mean()
    own = panel[panel["drug"] == drug].set_index("group")["share_sensitive"]
    assert own.loc[lines].to_numpy() == pytest.approx(share.loc[lines].to_numpy())
    names = list(sample.uns["pharmacell_panel"]["drugs"])
    assert sample.obsm["pharmacell_panel"][:, names.index(drug)] == pytest.approx(cells[drug].to_numpy())


def test_combinations_take_the_better_of_two_drugs():
    percentile = np.array([[0.1, 0.9, 0.5], [0.8, 0.2, 0.5], [0.9, 0.05, 0.9]])
    found = pairs_of_drugs(
        percentile, list("abc"), ["g", "h", "n"], np.array([1, 1, 0], bool), np.array([0, 0, 1], bool)
    )
    assert list(found) == list(columns.COMBINATIONS)
    first = found[(found["drug_a"] == "a") & (found["drug_b"] == "b")].iloc[0]
    assert first["worst_group"] == "h"
    assert first["worst_percentile"] == pytest.approx(0.2)
    assert first["better_single"] == pytest.approx(0.8)
    assert first["gain"] == pytest.approx(0.6)
    assert first["normal_percentile"] == pytest.approx(0.05)
    assert list(found["normal_percentile"] > found["worst_percentile"]) == [
        True,
        False,
        False,
    ]  # those that spare first


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--normal_key", "absent"], "no column 'absent'"),
        (["--group_key", "absent"], "no column 'absent'"),
        (["--tissue", "lungs"], "no bulk line is of tissue 'lungs'"),
        (["--drug", "target:EGFR"], "no drug has the target 'EGFR'"),
        (["--drug", RARE], "fewer than 50 lines"),
        (["--mutations", "NOGENE"], "'NOGENE' is none of the"),
        (["--mutations", "column:absent"], "no column 'absent'"),
        (["--mutations", "column:line"], "is none of the"),
    ],
)
def test_bad_input_is_one_line(mixture, more, words):
    _, folder, _ = mixture
    assert words in predict(folder, folder / "mixture.h5ad", "bad", *more, fails=True)
    assert not (folder / "bad").exists()


def test_drugs_with_few_lines_are_listed(mixture):
    _, folder, _ = mixture
    panel, facts = predict(folder, folder / "mixture.h5ad", "two", "--drug", f"drug 1;{RARE}", "--tissue", "skin")
    assert set(panel["drug"]) == {"Drug 1"}
    assert any(RARE in note for note in facts["notes"])
    assert set(facts["tissue"].values()) == {"skin"}


def test_five_cells_are_one_group(trained):
    folder, lines = trained
    sample = write_cells(folder / "five.h5ad", lines[:1], n_cells=5)
    panel, facts = predict(folder, sample, "five")
    assert set(panel["group"]) == {"all"}
    assert "one group" in facts["groups"]


def test_groups_of_one_cell_are_noted(trained):
    folder, lines = trained
    sample = write_cells(folder / "single.h5ad", lines)
    cells = ad.read_h5ad(sample)
    cells.obs["line"] = ["odd", *cells.obs["line"].astype(str)[1:]]
    cells.write_h5ad(sample)
    panel, facts = predict(folder, sample, "single", "--group_key", "line")
    assert panel.loc[panel["group"] == "odd", "n_cells"].eq(1).all()
    assert any("one cell (odd)" in note for note in facts["notes"])


def test_cells_without_a_group_are_together_and_numbers_name_groups(trained):
    folder, lines = trained
    sample = write_cells(folder / "odd.h5ad", lines)
    cells = ad.read_h5ad(sample)
    cells.obs["clone"] = np.array([(1.0, 2.0, np.nan)[place % 3] for place in range(cells.n_obs)])
    cells.obs["name"] = pd.Categorical([("a", " ", "", "b ")[place % 4] for place in range(cells.n_obs)])
    cells.write_h5ad(sample)
    for key, names in (("clone", ["1", "2", "not known"]), ("name", ["a", "b", "not known"])):
        predict(folder, sample, key, "--group_key", key)
        groups = pd.read_csv(folder / key / "groups.csv", dtype={"group": str})
        assert list(groups["group"]) == names
        assert groups["n_cells"].sum() == cells.n_obs


def test_an_origin_within_a_tissue_names_the_tissue():
    tissues = np.array(["skin", "lung_NSCLC", "lung_Mesothelioma", "urogenital_system"])
    for name, tissue in {"Melanoma": "skin", "PROSTATE": "urogenital_system", "lung nsclc": "lung_NSCLC"}.items():
        assert known_tissue(name, tissues) == tissue
    for name in ("lung", "pancreas"):  # more than one is of the lung; no line of these is of the other
        with pytest.raises(InputError, match=f"no bulk line is of tissue '{name}'"):
            known_tissue(name, tissues)


def test_z_scored_cells_have_no_level(trained):
    folder, lines = trained
    sample = write_cells(folder / "scored.h5ad", lines, scale="zscore")
    panel, facts = predict(folder, sample, "scored", "--group_key", "line")
    assert panel[["ln_ic50", "percentile", "low", "high"]].isna().all().all()
    found = panel.pivot_table(index="group", columns="drug", values="specific")
    _, _, z = lines_and_drugs()
    difference = (z.loc[lines[0]] - z.loc[lines[1]])[found.columns]
    assert spearmanr(found.loc[lines[0]] - found.loc[lines[1]], difference)[0] > 0.5
    assert any("z-scores" in note for note in facts["notes"])


def test_patients_are_groups_of_their_own(trained):
    folder, lines = trained
    expression, _, _ = lines_and_drugs()
    table = np.exp(expression.loc[lines].to_numpy())
    logged = np.log1p(table / table.sum(1, keepdims=True) * 1e4).astype(np.float32)
    sample = ad.AnnData(logged, obs=pd.DataFrame(index=["p1", "p2"]), var=pd.DataFrame(index=expression.columns))
    for card in ({"scale": "tpm"}, {"scale": "log1p", "rows": "tissue"}):
        sample.uns["pharmacell"] = {"sample": "patients", **card}
        sample.write_h5ad(folder / "patients.h5ad")
        panel, facts = predict(folder, folder / "patients.h5ad", "patients")
        assert set(panel["group"]) == {"p1", "p2"}
        assert "each of the 2 rows" in facts["groups"]


def test_many_groups_are_held_in_fewer_parts(trained, monkeypatch):
    folder, lines = trained
    sample = write_cells(folder / "parts.h5ad", lines)
    expression, _, _ = lines_and_drugs()
    counts = CountMatrix(CellMatrix(sample), list(expression.columns))
    groups = np.arange(counts.n_cells) % 8
    whole = pool(counts, groups, None, 0)
    monkeypatch.setattr("pharmacell.drug_panel.profiles.MOST_SUMS", 24)
    fewer = pool(counts, groups, None, 0)
    assert (whole.parts.shape[1], fewer.parts.shape[1]) == (10, 3)
    np.testing.assert_array_equal(whole.parts.sum(1), fewer.parts.sum(1))
    assert fewer.reference.shape[0] == 0, "cells that are pooled with no other are not held"


def test_permutation_p_is_that_of_permutations(trained):
    folder, _ = trained
    lines = ad.read_h5ad(folder / "bulk" / "bulk.h5ad")
    responses = read_responses(lines, pd.read_parquet(folder / "bulk" / "response.parquet"))
    scale = BulkScale.fit(np.asarray(lines.X), list(lines.var_names))
    learned = responses.learned(np.arange(lines.n_obs))
    tissues = lines.obs["tissue"].to_numpy(str)
    members = LinearPanel(scale, learned, tissues, "skin", LinearChoice(2.0, 4.0, 1.0))
    profile = scale.x[:1] * 0.6
    hat = members.ridge.hat((profile @ scale.x.T).astype(float))
    added = (hat - members.ridge.share) @ learned + tissue_mean(learned, tissues == "skin")
    assert added[0] == pytest.approx(members.z(profile)[0], abs=1e-4)
    rng = np.random.default_rng(0)
    drawn = np.stack([(hat @ learned[rng.permutation(len(learned))])[0] for _ in range(2000)])
    centre = learned.mean(0)
    counted = (np.abs(drawn - centre) >= np.abs(hat @ learned - centre)).mean(0)
    assert members.permutation_p(profile)[0] == pytest.approx(counted, abs=0.04)


def test_weighted_ridge_is_that_of_scikit_learn():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    x, y, weights, asked = (
        rng.normal(size=(30, 50)),
        rng.normal(size=(30, 3)),
        rng.uniform(1, 4, 30),
        rng.normal(size=(4, 50)),
    )
    expected = Ridge(alpha=5.0).fit(x, y, sample_weight=weights).predict(asked)
    assert WeightedRidge(x @ x.T, weights, 5.0).hat(asked @ x.T) @ y == pytest.approx(expected)


def test_gaps_are_filled_from_drugs_alike():
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(80, 2)) @ rng.normal(size=(2, 30)) + rng.normal(0, 0.1, (80, 30))
    gaps = rng.uniform(size=whole.shape) < 0.2
    estimate = soft_impute(np.where(gaps, np.nan, whole), 2)
    assert np.corrcoef(estimate[gaps], whole[gaps])[0, 1] > 0.9


def test_clusters_that_repeat_are_found_and_noise_is_not_cut():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 10))
    code, how = clusters(noise + 8 * (np.arange(200) % 2)[:, None], seed=0)
    assert "2 clusters" in how
    assert len(set(zip(code, np.arange(200) % 2, strict=True))) == 2


def test_auroc_within_groups_and_its_error():
    sensitive, score = np.array([1, 0, 1, 0], bool), np.array([2.0, 1.0, 5.0, 6.0])
    assert paired_auroc(sensitive, score, np.array([0, 0, 1, 1]))[0] == pytest.approx(0.5)
    assert paired_auroc(sensitive, score, np.zeros(4))[0] == pytest.approx(0.5)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(200):
        truth = rng.uniform(size=100) < 0.3
        value, error = paired_auroc(truth, truth + rng.normal(0, 1, 100), np.arange(100) % 4)
        drawn.append((value, error))
    values, errors = np.array(drawn).T
    assert errors.mean() == pytest.approx(values.std(), rel=0.25)


def test_an_event_that_changes_a_drug_is_learned_and_others_are_not():
    expression, tissues, _ = lines_and_drugs()
    names = expression.index
    has = driver_events(names)
    residuals = np.random.default_rng(0).normal(size=(len(names), 3))
    residuals[:, 1] -= 3 * has["TP53"].to_numpy()
    residuals[::7, 1] = np.nan
    in_skin = (tissues == "skin").to_numpy()
    residuals[:, 2] -= 4 * has["BRAF"].to_numpy() * in_skin
    found = learn_effects(names, residuals, ["", "", "BRAF, RAF1"], tissues.to_numpy())
    braf, tp53 = (np.flatnonzero(found.event == found.names.index(name)) for name in ("BRAF", "TP53"))
    assert list(found.drug[braf]) == [2]
    assert list(found.drug[tp53]) == [1]
    skin, breast = (found.effects[found.place(tissue), braf[0]] for tissue in ("skin", "breast"))
    assert skin < -2
    assert abs(breast) < abs(skin) / 2
    assert found.effects[:, tp53] == pytest.approx(-2.8, abs=0.8)
    assert len(found.drug) == 2
    assert found.driving(3) == ["", "TP53", "BRAF"]
    with_event, _ = found.shift(["TP53"], 3)
    without, rare = found.shift(["BRCA2"], 3)
    assert (with_event[:, 1] < 0).all()
    assert (without[:, 1] > 0).all()
    assert rare == ["BRCA2"]


def test_a_drug_that_follows_an_event_is_uncertain_where_the_sheet_is_silent():
    drugs = pd.DataFrame({"driver_event": ["EGFR", "", "MET"], "fusion": ["", "", "ALK fusion"]})
    silent, told = unknown_events(drugs, False), unknown_events(drugs, True)
    assert silent == ["EGFR", "", "MET;ALK fusion"]
    assert told == ["", "", "ALK fusion"]
    ceilings, fdr = np.full(3, columns.SUPPORTED, object), np.full((1, 3), 0.01)
    flagged = np.zeros(1, bool)
    assert list(verdicts(ceilings, fdr, flagged, np.array([silent]))[0]) == ["uncertain", "supported", "uncertain"]
    assert list(verdicts(ceilings, fdr, flagged, np.array([told]))[0]) == ["supported", "supported", "uncertain"]
    assert fusions_of(["MET, ALK, ROS1", "EGFR", ""]) == ["ALK fusion;ROS1 fusion", "", ""]
    assert "2 drugs follow driver events" in event_notes(silent)[0]
    assert event_notes(["", ""]) == []


def clones(trained):
    """Write a mixture whose first line has TP53 and BRAF in most cells that say anything; return its path and it."""
    folder, lines = trained
    sample = write_cells(folder / "clones.h5ad", lines)
    cells = ad.read_h5ad(sample)
    first = (cells.obs["line"] == lines[0]).to_numpy()
    texts = np.where(first, "TP53; BRAF V600E", "").astype(object)
    texts[np.flatnonzero(first)[:5]] = ["none", "WT", "tp53", np.nan, " "]
    cells.obs["events"] = texts
    cells.write_h5ad(sample)
    return sample, cells


def test_groups_have_the_events_of_their_own_cells(trained):
    _, lines = trained
    _, cells = clones(trained)
    groups = groups_of(cells.obs, None, "line", 0)
    effects = EventEffects(
        ["BRAF", "TP53"], np.array([0.1, 0.5]), ["skin"], np.array([0, 1]), np.array([2, 0]), -np.ones((2, 2))
    )
    found = sample_events(effects, 3, "column:events", cells.obs, groups)
    order = [groups.names.index(line) for line in lines]
    assert list(found.known[order]) == [True, False]
    first, second = found.shift[found.kind[order]]
    assert first == pytest.approx(np.tile([-0.5, 0, -0.9], (2, 1)))
    assert (second == 0).all()
    told = sample_events(effects, 3, "BRAF", cells.obs, groups)
    assert (told.known.all(), told.shift.shape[0]) == (True, 1)
    assert told.shift[0, 0] == pytest.approx([0.5, 0, -0.9])
    assert sample_events(effects, 3, "none", cells.obs, groups).shift[0, 0] == pytest.approx([0.5, 0, 0.1])
    assert not sample_events(effects, 3, None, cells.obs, groups).known.any()


def test_a_drug_that_separates_groups_says_which_event_it_follows():
    panel = pd.DataFrame(
        {"group": ["a", "b"], "drug": "gefitinib", "percentile": [0.1, 0.6], "verdict": ["uncertain", "uncertain"]}
    )
    facts = {"drug": "gefitinib", "pathway": "EGFR", "verdict_ceiling": "supported", "predictability": 0.7}
    facts |= {"predictability_low": 0.6, "predictability_high": 0.8, "driver_event": "", "follows": "EGFR;TP53"}
    drugs, apart = pd.DataFrame([facts]), pd.Series({"gefitinib": 1.0})
    for had, words in (({"a": ("EGFR", "KRAS")}, "; follows EGFR, which a has"), ({"b": ("EGFR",)}, None), ({}, None)):
        (said,) = [row["words"] for row in best_drugs(panel, apart, drugs, had)]
        assert said.endswith(words or "; uncertain")


def test_notes_say_whose_events_are_known(trained):
    folder, lines = trained
    sample, _ = clones(trained)
    _, facts = predict(folder, sample, "by clone", "--group_key", "line", "--mutations", "column:events")
    assert any(f"of {lines[0]} (BRAF; TP53; no others)" in note for note in facts["notes"])
    assert any(f"of {lines[1]} are not known" in note for note in facts["notes"])


def test_a_tissue_is_named_where_it_stands_out_and_not_elsewhere():
    rng = np.random.default_rng(0)
    tissues = np.repeat(["skin", "breast", UNKNOWN], 40)
    own = rng.normal(size=(3, 300))
    lines = rng.normal(size=(120, 300)) + np.repeat(own, 40, axis=0)
    profiles = np.exp(np.stack([own[0], own[1], (own[0] + own[1]) / 2, own[2]]) + rng.normal(0, 0.5, (4, 300)))
    found = resemblance(profiles, lines, tissues, None)
    assert list(found.tissue) == ["skin", "breast", UNKNOWN, UNKNOWN]
    assert list(found.line // 40)[:2] == [0, 1]
    assert list(resemblance(profiles, lines, tissues, "breast").tissue) == ["breast"] * 4
    assert set(resemblance(profiles[:3], lines, tissues, None, together=True).tissue) == {UNKNOWN}
    assert set(resemblance(profiles[[0, 0, 2]], lines, tissues, None, together=True).tissue) == {"skin"}
    assert resemblance(rng.random((1, 300)), lines, tissues, None).correlation[0] < found.correlation.min()
    assert not of_tissue(tissues, UNKNOWN).any(), "lines of unknown tissue have none in common"
