"""Rows of several drugs and of all: which steps run, how often, and where their results are published."""

import json

import pandas as pd
import pytest
from engine_run import run
from lib_calls import call

N_SAMPLES = 20
HEADER = "sample,path,drug,label_key,group_key,tissue\n"
SEVERAL = "cisplatin;docetaxel;PLX-4720;vorinostat;(x);Drug 6"


@pytest.fixture(scope="module")
def stubbed(project, tmp_path_factory):
    """A run with stubs: twenty samples with a panel, one of which names six drugs, and one with one drug."""
    folder = tmp_path_factory.mktemp("stubbed_panel")
    cells = project / "tests/data/cells_cisplatin.h5ad"
    rows = [f"s{number},{cells},{'target:BRAF' if number else SEVERAL},,line,\n" for number in range(N_SAMPLES)]
    (folder / "samples.csv").write_text(HEADER + "".join(rows) + f"one,{cells},cisplatin,,,\n")
    arguments = ("-profile", "test", "-stub-run", "--input", "samples.csv", "--outdir", "results")
    ended = run(project, folder, *arguments, "--cache_dir", "cache", "--bulk_stage", "shared")
    assert ended.code == 0, ended.output
    return folder, ended


def count(ended, process: str) -> int:
    return len([task for task in ended.submitted if task.startswith(f"{process} (")])


def test_samples_share_one_bulk_stage_and_each_is_read_once(stubbed):
    _, ended = stubbed
    assert "PREPARE_BULK (all drugs)" in ended.submitted
    counts = {"PREPARE_BULK": 1, "QC": N_SAMPLES + 1, "PRETRAIN_PANEL": 1, "PREDICT_PANEL": N_SAMPLES}
    counts |= {"PRETRAIN_BULK": 6}  # one for each drug: two samples share that of cisplatin
    counts |= {"PREDICT": 7, "KEY_GENES": 6, "TRAJECTORY": 6, "FIGURES": 7}
    counts |= {"PANEL_FIGURES": N_SAMPLES, "EXPLORER": N_SAMPLES + 1, "REPORT": 1}
    assert {process: count(ended, process) for process in counts} == counts


def test_each_of_several_drugs_has_a_folder_and_the_first_five_are_explained(stubbed):
    results = stubbed[0] / "results"
    drugs = ["PLX-4720", "cisplatin", "docetaxel", "vorinostat", "_x_", "Drug_6"]
    assert {path.name for path in (results / "predictions/s0").iterdir()} == set(drugs)
    for drug in drugs:
        assert (results / "predictions/s0" / drug / "s0.h5ad").exists()
        assert (results / "predictions/s0" / drug / "predictions.csv").exists()
        assert (results / "predictions/s0" / drug / "figures").is_dir()
        assert (results / "models/s0" / drug / "model.json").exists()
        assert (results / "models/bulk" / drug / "pretrained.json").exists()
    assert {path.name for path in (results / "key_genes/s0").iterdir()} == set(drugs) - {"Drug_6"}
    assert (results / "key_genes/s0/cisplatin/trajectory/pseudotime.csv").exists()
    assert (results / "predictions/one/one.h5ad").exists(), "one drug: no folder of the drug"


def test_panels_and_their_bulk_stage_are_published(stubbed):
    results = stubbed[0] / "results"
    assert {path.name for path in (results / "panel").iterdir()} == {f"s{number}" for number in range(N_SAMPLES)}
    assert (results / "panel/s7/panel.csv").exists()
    assert (results / "panel/s7/figures").is_dir()
    assert (results / "models/bulk/panel_model/card.json").exists()
    assert (results / "report/pharmacell_report.html").exists()


def test_a_stub_run_keeps_nothing_for_later_runs(stubbed):
    assert not list((stubbed[0] / "cache").rglob("*"))


@pytest.fixture(scope="module")
def predicted(project, tmp_path_factory):
    """A real run of the panel alone, on small data."""
    folder = tmp_path_factory.mktemp("panel")
    cells = project / "tests/data/cells_cisplatin.h5ad"
    (folder / "samples.csv").write_text(HEADER + f"a,{cells},all,,line,\n")
    ended = run(project, folder, "-profile", "test", "--input", "samples.csv", "--cache_dir", "cache")
    assert ended.code == 0, ended.output
    return folder, ended


def test_a_panel_alone_predicts_all_drugs_and_trains_for_none(predicted):
    folder, ended = predicted
    assert count(ended, "PRETRAIN_BULK") == count(ended, "PREDICT") == 0
    panel = folder / "results/test/panel/a"
    table = pd.read_csv(panel / "panel.csv")
    assert set(table["drug"]) == {"Cisplatin", "Docetaxel", "PLX-4720", "Vorinostat"}
    assert table["group"].nunique() == 8
    assert json.loads((panel / "panel.json").read_text())["groups"] == "8 groups of the column 'line'"
    assert {"cells.parquet", "combinations.csv", "groups.csv", "a.h5ad"} <= {path.name for path in panel.iterdir()}


def test_the_bulk_stage_is_kept_and_published(predicted):
    folder, _ = predicted
    (kept,) = (folder / "cache/bulk_stage").iterdir()
    published = folder / "results/test/models/bulk/panel_model"
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {
        path.name: path.read_bytes() for path in published.iterdir()
    }


def test_a_published_bulk_stage_of_other_lines_is_refused(project, predicted):
    folder, _ = predicted
    model = ("--model", "results/test/models/bulk")
    ended = run(
        project, folder, "-profile", "test", "-resume", "--input", "samples.csv", *model, "--exclude_lines", "42-MG-BA"
    )
    assert ended.code == 1
    said = [
        line for line in ended.output.splitlines() if line.startswith("ERROR ~ PRETRAIN_PANEL (all drugs): --model")
    ]
    assert said, ended.output
    assert "was made from other bulk data or with other lines excluded" in said[-1]
    assert count(ended, "PREDICT_PANEL") == 0


SHARED = {"bulk_stage": "shared"}
MODELS = {
    "nowhere": ("all", {}, "--model: nowhere holds no folder panel_model; give the folder models/bulk"),
    "published": ("X 1", SHARED, "--model: published holds no folder X_1; give the folder models/bulk"),
    "unused": ("X 1", {"bulk_stage": "own"}, "--model: nothing of it would be used: no row asks for a panel"),
}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_that_cannot_be_reused_is_refused_before_any_task(project, tmp_path, model):
    drug, more, said = MODELS[model]
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "published/panel_model").mkdir(parents=True)
    (tmp_path / "own.csv").write_text(f"sample,path,drug\na,a.csv,{drug}\n")
    params = {
        "mode": "predict",
        "input": "own.csv",
        "outdir": "results",
        "binarise": "quantile",
        "config": "default",
        "model": model,
    } | more
    case = {"call": "plan", "project": str(project), "params": params, "launch_dir": str(tmp_path)}
    assert call([case])[0]["error"].startswith(said)
