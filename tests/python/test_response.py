"""Releases are merged, lines are called, drugs are found."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from pharmacell.core.errors import InputError
from pharmacell.data.drugs import choose_drugs, match_drug
from pharmacell.data.lines import load_lines
from pharmacell.data.names import drug_key, line_key
from pharmacell.data.response import (
    ResponseReliability,
    add_labels,
    merge_releases,
    select_drugs,
    shrinkage,
    waterfall_cut,
)


def raw(values, drug="Cisplatin", database="GDSC1", lines=None) -> pd.DataFrame:
    lines = lines or [f"L{i:02d}" for i in range(len(values))]
    return pd.DataFrame({"drug": drug, "line": lines, "database": database, "value": np.asarray(values, dtype=float)})


def test_releases_are_standardised_before_they_are_averaged():
    second = raw([10, 30], database="GDSC2", lines=["L00", "L02"])
    merged = merge_releases(pd.concat([raw([1, 2, 3]), second]), "ln_ic50").set_index("line")
    assert merged.loc["L00", "value"] == 5.5
    spread = np.sqrt(2 / 3)
    np.testing.assert_allclose(merged["z"], [(-1 / spread - 1) / 2, 0, (1 / spread + 1) / 2])


def test_spellings_of_a_drug_are_one_drug():
    merged = merge_releases(pd.concat([raw([1, 2, 3], "PLX-4720"), raw([1, 2], "plx 4720", "GDSC2")]), "ln_ic50")
    assert merged["drug"].unique().tolist() == ["PLX-4720"]
    assert len(merged) == 3


def test_quantile_takes_the_lowest_share():
    response, summary = add_labels(merge_releases(raw(range(10)), "ln_ic50"), "quantile", 0.3)
    assert response["label"].tolist() == [1] * 3 + [0] * 7
    assert response["label"].dtype == np.int8
    assert summary.iloc[0][["n_lines", "n_sensitive", "n_resistant"]].tolist() == [10, 3, 7]


def test_threshold_is_in_units_of_the_measure():
    response, summary = add_labels(merge_releases(raw(range(10)), "ln_ic50"), "threshold", threshold=4.0)
    assert response["label"].sum() == 5
    assert summary["cut"].iloc[0] == 4.0


def test_waterfall_cuts_at_the_bend():
    flat, steep = np.linspace(3.0, 3.4, 80), np.linspace(-4.0, 2.5, 20)
    cut = waterfall_cut(np.random.default_rng(0).permutation(np.concatenate([steep, flat])))
    assert 2.4 < cut < 3.1


def test_waterfall_without_a_bend_is_the_median():
    assert waterfall_cut(np.arange(11)) == 5


def test_labels_are_taken_as_given():
    response, summary = add_labels(merge_releases(raw([1, 0, 1, 0]), "label"), "quantile", 0.3)
    assert response["label"].tolist() == [1, 0, 1, 0]
    assert (response["z"][response["label"] == 1] < 0).all()  # lower is more sensitive
    assert summary["binarise"].iloc[0] == "given"


def test_one_class_is_refused():
    _, summary = add_labels(merge_releases(raw(range(10)), "ln_ic50"), "threshold", threshold=-1.0)
    with pytest.raises(InputError, match="0 sensitive and 10 resistant"):
        select_drugs(summary, ["cisplatin"], "table")


CHOICES = {
    "all": ["Erlotinib", "Lapatinib", "AZD8055", "Bortezomib", "My drug"],
    "target:egfr": ["Erlotinib", "Lapatinib"],
    "Target: ERBB2": ["Lapatinib"],
    "pathway:PI3K/MTOR": ["AZD8055"],
    "tarceva": ["Erlotinib"],
}


@pytest.mark.parametrize("name", CHOICES)
def test_drugs_are_chosen_by_target_and_pathway(name):
    assert choose_drugs(name, CHOICES["all"], "table") == CHOICES[name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("target:EGFRR", "the target 'EGFRR'; nearest: EGFR"),
        ("pathway:-", "the pathway '-'"),
        ("all:x", "named 'all:x'"),
    ],
)
def test_a_choice_without_a_drug_is_refused_with_the_nearest(name, said):
    with pytest.raises(InputError, match=said):
        choose_drugs(name, CHOICES["all"], "table")


def test_of_chosen_drugs_those_of_one_class_are_left_out_and_named_ones_refused():
    rows = [("Erlotinib", 5), ("Lapatinib", 0), ("Cisplatin", 5)]
    summary = pd.DataFrame(rows, columns=["drug", "n_sensitive"]).assign(n_resistant=5, binarise="quantile", cut=0.0)
    assert select_drugs(summary, ["cisplatin", "target:EGFR"], "table")["drug"].tolist() == ["Cisplatin", "Erlotinib"]
    with pytest.raises(InputError, match="0 sensitive"):
        select_drugs(summary, ["target:EGFR", "lapatinib"], "table")


def test_drug_names_ignore_case_and_punctuation():
    assert match_drug("plx4720", ["Cisplatin", "PLX-4720"], "table") == "PLX-4720"
    assert drug_key("(5Z)-7-Oxozeaenol") == "5Z7OXOZEAENOL"


def test_unknown_drug_names_the_nearest_five():
    known = ["Cisplatin", "Carboplatin", "Oxaliplatin", "Docetaxel", "Vorinostat", "Gefitinib", "Erlotinib"]
    with pytest.raises(InputError, match=r"nearest: Cisplatin, .*") as refused:
        match_drug("cisplatine", known, "table")
    assert str(refused.value).split("nearest: ")[1].count(",") == 4


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("NCI-H2373", "NCIH2373"),
        ("H2373", "NCIH2373"),
        ("NCI-SNU-1", "SNU1"),
        ("SNU-1", "SNU1"),
        ("T-47D", "T47D"),
        ("H4", "H4"),
        ("HT-29", "HT29"),
    ],
)
def test_line_names(name, key):
    assert line_key(name) == key


def test_extremes_drop_the_middle_and_training_never_sees_it(tmp_path):
    rng = np.random.default_rng(0)
    raw = pd.DataFrame(
        {"drug": "X", "line": [f"L{i}" for i in range(40)], "database": "one", "value": rng.normal(size=40)}
    )
    table, summary = add_labels(merge_releases(raw, "ln_ic50"), "extremes", 0.25)
    ordered = table.sort_values("z")["label"].tolist()
    assert ordered == [1] * 10 + [-1] * 20 + [0] * 10
    assert summary[["n_lines", "n_sensitive", "n_resistant"]].to_numpy().tolist() == [[20, 10, 10]]
    with pytest.raises(InputError, match="give at most"):
        add_labels(merge_releases(raw, "ln_ic50"), "extremes", 0.6)
    genes = [f"G{number}" for number in range(60)]
    bulk = ad.AnnData(
        rng.normal(size=(40, 60)).astype(np.float32),
        pd.DataFrame({"database": "one", "tissue": "unknown"}, raw["line"]),
        pd.DataFrame(index=genes),
        {"pharmacell": {"database": "one", "scale": "log1p"}},
    )
    bulk.write_h5ad(tmp_path / "bulk.h5ad")
    table.to_parquet(tmp_path / "response.parquet")
    lines = load_lines(tmp_path / "bulk.h5ad", tmp_path / "response.parquet", "X", pd.Index(genes))
    assert len(lines.labels) == 20
    assert set(lines.labels) == {0, 1}


def two_releases(n_lines: int, n_both: int, noise: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Return measurements of two releases, both of the first lines and one of each other line, and the truth."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=n_lines)
    names = [f"L{number:04d}" for number in range(n_lines)]
    one = np.arange(n_lines) >= n_both
    kept = {"GDSC1": ~one | (np.arange(n_lines) % 2 == 0), "GDSC2": ~one | (np.arange(n_lines) % 2 == 1)}
    tables = [
        pd.DataFrame({"line": names, "database": name, "value": truth + noise * rng.normal(size=n_lines)})[rows]
        for name, rows in kept.items()
    ]
    return pd.concat(tables).assign(drug="X"), truth


def test_lines_that_one_release_measured_do_not_fill_the_extremes():
    raw, truth = two_releases(2000, 1000, 1.3)
    response, _ = add_labels(merge_releases(raw, "ln_ic50"), "quantile", 0.15)
    rho = response["reliability"].iloc[0]
    assert rho == pytest.approx(1 / (1 + 1.3**2), abs=0.06)
    response = response.set_index("line").sort_index()
    both, one = response.iloc[:1000], response.iloc[1000:]
    assert one["label"].mean() < both["label"].mean() + 0.02
    assert one["z"].std() < both["z"].std()
    # a missing measurement is its best linear prediction: z predicts the truth with one slope for either group
    slopes = [np.polyfit(part["z"], own, 1)[0] for part, own in ((both, truth[:1000]), (one, truth[1000:]))]
    assert slopes[0] == pytest.approx(slopes[1], rel=0.15)


def test_lines_that_every_release_measured_and_drugs_of_one_release_keep_their_mean():
    raw, _ = two_releases(60, 60, 1.0)
    merged = merge_releases(raw, "ln_ic50").set_index("line")
    wide = raw.pivot(index="line", columns="database", values="value")
    z = (wide - wide.mean()) / wide.std(ddof=0)
    np.testing.assert_allclose(merged["z"], z.mean(axis=1))
    assert merged["reliability"].iloc[0] == pytest.approx(wide.corr().iloc[0, 1])
    assert set(merged["reliability_lines"]) == {60}
    alone = merge_releases(raw[raw["database"] == "GDSC1"], "ln_ic50")
    assert alone["z"].std(ddof=0) == pytest.approx(1)
    assert alone["reliability"].isna().all()
    assert set(alone["reliability_lines"]) == {0}


def test_the_missing_of_three_releases_is_predicted_from_those_that_measured():
    measured, releases, rho = pd.Series([1, 2, 3, 1]), pd.Series([3, 3, 3, 1]), pd.Series([0.5] * 4)
    mean_of_predicted = [(1 + 2 * 0.5) / 3, (2 + 2 * 0.5 / 1.5) / 3, 1, 1]
    np.testing.assert_allclose(shrinkage(measured, releases, rho), mean_of_predicted)
    np.testing.assert_allclose(shrinkage(measured, releases, rho * np.nan), 1)
    np.testing.assert_allclose(shrinkage(measured, releases, -rho), [1 / 3, 2 / 3, 1, 1])


def test_reliability_is_not_known_of_few_lines_and_reaches_the_model(tmp_path):
    genes = [f"G{number}" for number in range(60)]
    for n_both, known in ((12, False), (40, True)):
        raw, _ = two_releases(60, n_both, 1.0)
        table, summary = add_labels(merge_releases(raw, "ln_ic50"), "quantile", 0.3)
        assert summary["reliability"].notna().tolist() == [known]
        assert summary["reliability_lines"].tolist() == [n_both]
        names = table["line"].to_list()
        ad.AnnData(
            np.zeros((60, 60), np.float32),
            pd.DataFrame({"database": "one", "tissue": "unknown"}, names),
            pd.DataFrame(index=genes),
            {"pharmacell": {"database": "one", "scale": "log1p"}},
        ).write_h5ad(tmp_path / "bulk.h5ad")
        table.to_parquet(tmp_path / "response.parquet")
        found = load_lines(tmp_path / "bulk.h5ad", tmp_path / "response.parquet", "X", pd.Index(genes)).reliability
        assert (found is not None) == known
    assert found == ResponseReliability(summary["reliability"].iloc[0], 40)
