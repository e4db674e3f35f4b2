"""Releases are merged, lines are called, drugs are found."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from pharmacell.core.errors import InputError
from pharmacell.data.drugs import match_drug
from pharmacell.data.lines import load_lines
from pharmacell.data.names import drug_key, line_key
from pharmacell.data.response import add_labels, merge_releases, select_drugs, waterfall_cut


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
