"""The whole pipeline on small real data: what is published, and that unchanged steps are not run again."""

import json
import os
import signal
import time
from contextlib import contextmanager, suppress

import anndata as ad
import pandas as pd
import pytest
from engine_run import Finished, run, start

SAMPLES = ("cisplatin_cells", "plx_cells")
PREDICTIONS = [f"predictions/{sample}/predictions.csv" for sample in SAMPLES]
STEPS = ("QC", "PRETRAIN_BULK", "FINETUNE_SC", "PREDICT", "KEY_GENES", "TRAJECTORY", "FIGURES", "EXPLORER")


def tasks(*steps: str) -> list[str]:
    """Return the tasks of some steps, as Run.submitted lists them."""
    once = {"PREPARE_BULK": "PREPARE_BULK (2 drugs)", "REPORT": "REPORT (all samples)"}
    return sorted(
        task
        for step in steps
        for task in ([once[step]] if step in once else [f"{step} ({sample})" for sample in SAMPLES])
    )


@contextmanager
def edited(path):
    """Append a line to a file for as long as the block lasts."""
    before = path.read_bytes()
    path.write_bytes(before + b"\n# edited by a test\n")
    try:
        yield
    finally:
        path.write_bytes(before)


def test_every_step_ran_once(finished):
    assert finished.first.submitted == tasks("PREPARE_BULK", *STEPS, "REPORT")


@pytest.mark.parametrize("sample", SAMPLES)
def test_predictions_are_published(finished, sample):
    folder = finished.results / "predictions" / sample
    table = pd.read_csv(folder / "predictions.csv")
    assert list(table.columns) == ["cell_id", "probability", "probability_std", "label", "truth"]
    assert len(table) == 160
    assert table["probability"].between(0, 1).all()
    assert (table["label"] == (table["probability"] >= 0.5)).all()
    cells = ad.read_h5ad(folder / f"{sample}.h5ad")
    assert list(cells.obs_names) == list(table["cell_id"])
    assert cells.obs["pharmacell_probability"].to_numpy() == pytest.approx(table["probability"].to_numpy(), abs=1e-5)
    assert {"pharmacell_std", "pharmacell_label"} <= set(cells.obs)
    assert "pharmacell" in cells.uns


@pytest.mark.parametrize("sample", SAMPLES)
def test_scores_and_diagnostics_are_published(finished, sample):
    folder = finished.results / "predictions" / sample
    scores = pd.read_csv(folder / "metrics.csv")
    assert list(scores.columns) == ["metric", "value", "low", "high"]
    compared = pd.read_csv(folder / "model_metrics.csv")
    assert {"ensemble", "network", "signature", "ridge", "logistic"} == set(compared["model"])
    baselines = pd.read_csv(folder / "baselines.csv")
    assert list(baselines.columns) == ["cell_id", "network", "signature", "ridge", "logistic"]
    significance = pd.read_csv(folder / "significance.csv")
    assert list(significance.columns) == ["cell_id", "p", "fdr", "call"]
    assert significance["p"].between(0, 1, inclusive="right").all()
    diagnostics = json.loads((folder / "diagnostics.json").read_text())
    keys = {"verdict", "genes_shared", "source_auroc", "mmd_before", "mmd_after", "replica_agreement"}
    assert keys <= diagnostics.keys()
    assert len(diagnostics["separation_null"]) == 1000


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_other_result_is_published(finished, sample):
    results = finished.results
    assert {path.name for path in (results / "qc" / sample).iterdir()} == {"qc_metrics.csv", "qc_summary.json"}
    assert {path.name for path in (results / "models" / sample).iterdir()} == {
        "pretrained.safetensors",
        "pretrained.json",
        "split.csv",
        "source_metrics.csv",
        "source_history.csv",
        "model.safetensors",
        "model.json",
        "history.csv",
        "transfer.json",
    }
    weights = results / "models" / sample / "model.safetensors"
    assert weights.stat().st_mode & 0o040, "readable by the group"
    figures = list((results / "predictions" / sample / "figures").iterdir())
    assert figures
    assert {path.stem for path in figures if path.suffix == ".png"} == {
        path.stem for path in figures if path.suffix == ".svg"
    }
    assert {"reliability", "members", "null_spread", "significance"} <= {path.stem for path in figures}


@pytest.mark.parametrize("sample", SAMPLES)
def test_explanations_are_published(finished, sample):
    folder = finished.results / "key_genes" / sample
    table = pd.read_csv(folder / "key_genes.csv")
    assert list(table.columns)[:7] == ["gene", "class", "attribution", "std", "fdr", "log_fold_change", "is_deg"]
    facts = json.loads((folder / "key_genes.json").read_text())
    assert facts["n_cells"] == 160
    present = {path.name for path in folder.iterdir()}
    assert {"degs.csv", "attention.parquet", "attention_entropy.csv", "token_genes.parquet", "trajectory"} <= present
    assert "pathways" in facts["missing"]
    if len(table):
        assert all(gap["mean"] < 0.01 for gap in facts["completeness_gap"].values())
        assert {"deg_scores.csv", "attribution_methods.csv", "key_genes_by_group.csv"} <= present
        assert {"key_gene_heatmap.png", "attention.png"} <= {
            path.name for path in (finished.results / "predictions" / sample / "figures").iterdir()
        }
    else:
        assert "key genes" in facts["missing"]


def test_report_and_run_information_are_published(finished):
    page = (finished.results / "report" / "pharmacell_report.html").read_text()
    assert all(sample in page for sample in SAMPLES)
    assert all((finished.results / f"report/explorer_{sample}.html").exists() for sample in SAMPLES)
    last = [line for line in finished.first.output.splitlines() if line.strip()][-2 - len(SAMPLES) - 1 :]
    assert [line.split(":")[0] for line in last[:3]] == ["Report", "Explorer", "Predictions"]
    assert all(line.startswith(f"{sample}, ") for line, sample in zip(last[3:], SAMPLES, strict=True))
    assert all("% of the cells sensitive" in line for line in last[3:])
    information = finished.results / "pipeline_info"
    assert {path.name for path in information.iterdir()} == {
        "execution_report.html",
        "timeline.html",
        "dag.html",
        "versions.yml",
    }
    versions = (information / "versions.yml").read_text().splitlines()
    assert sorted(line.partition(":")[0] for line in versions) == sorted(["WORKFLOW", "PREPARE_BULK", *STEPS, "REPORT"])
    assert any('"nextflow":"24.10.0"' in line and '"container":"none"' in line for line in versions)


def test_unchanged_resume_runs_nothing(finished):
    again = finished.resume()
    assert again.code == 0, again.output
    assert again.submitted == []
    assert again.cached == finished.first.submitted


@pytest.fixture(scope="module")
def stubbed(project, tmp_path_factory) -> Finished:
    """The same run with stubs, where the subject is which tasks run again and not what they compute."""
    launch_dir = tmp_path_factory.mktemp("stubbed")
    first = run(project, launch_dir, "-profile", "test", "-stub-run")
    assert first.code == 0, first.output
    assert first.submitted == tasks("PREPARE_BULK", *STEPS, "REPORT")
    return Finished(project, launch_dir, first)


EDITS = {
    "report/__init__.py": ("FIGURES", "EXPLORER", "REPORT"),
    "explanation/attribution.py": ("KEY_GENES", "TRAJECTORY", "FIGURES", "EXPLORER", "REPORT"),
    "response/__init__.py": (*STEPS[1:], "REPORT"),
}


@pytest.mark.parametrize("module", EDITS)
def test_edited_module_runs_the_steps_that_import_it_again_and_no_others(stubbed, module):
    with edited(stubbed.project / "bin/pharmacell" / module):
        again = stubbed.resume("-stub-run")
    assert again.code == 0, again.output
    assert again.submitted == tasks(*EDITS[module])
    assert again.cached == tasks(*({"PREPARE_BULK", *STEPS} - set(EDITS[module])))


def test_one_bulk_stage_for_each_drug_when_asked(stubbed):
    shared = stubbed.resume("-stub-run", "--bulk_stage", "shared", "--outdir", "results/shared")
    assert shared.code == 0, shared.output
    again = (*STEPS[STEPS.index("FINETUNE_SC") :], "REPORT")
    stages = {"cisplatin", "PLX4720"}  # as the sheet names them
    assert shared.submitted == sorted([*tasks(*again), *(f"PRETRAIN_BULK (bulk+{drug})" for drug in stages)])
    models = stubbed.launch_dir / "results/shared/models"
    assert {path.name for path in (models / "bulk").iterdir()} == stages
    for sample in SAMPLES:
        assert {"source_metrics.csv", "model.json"} <= {path.name for path in (models / sample).iterdir()}
        assert not (models / sample / "pretrained.json").exists()


def test_explanations_are_left_out_when_asked(stubbed):
    without = stubbed.resume("-stub-run", "--skip_explain", "--outdir", "results/unexplained")
    assert without.code == 0, without.output
    assert without.submitted == tasks("FIGURES", "EXPLORER", "REPORT")
    assert (stubbed.launch_dir / "results/unexplained/predictions").exists()
    assert not (stubbed.launch_dir / "results/unexplained/key_genes").exists()


def test_killed_engine_resumes_after_edited_model_with_the_same_predictions(finished):
    """An edit to a model runs all from PRETRAIN_BULK on again; the engine is killed in the midst, then resumed."""
    before = {path: (finished.results / path).read_bytes() for path in PREDICTIONS}
    arguments = ("-profile", "test", "-resume", "--skip_explain", "--outdir", "results/killed")
    with edited(finished.project / "bin/pharmacell/response/__init__.py"):
        killed = start(finished.project, finished.launch_dir, *arguments)
        for line in killed.stdout:
            if "Submitted process" in line and "PRETRAIN_BULK" in line:
                break
        time.sleep(3)
        assert killed.poll() is None, "the run ended before it could be killed"
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        resumed = run(finished.project, finished.launch_dir, *arguments)
        with suppress(ProcessLookupError):  # a killed engine leaves its tasks behind, unless they ended meanwhile
            os.killpg(killed.pid, signal.SIGKILL)
    assert resumed.code == 0, resumed.output
    assert resumed.submitted == tasks("PRETRAIN_BULK", "FINETUNE_SC", "PREDICT", "FIGURES", "EXPLORER", "REPORT")
    assert resumed.cached == tasks("PREPARE_BULK", "QC")
    assert all(path.stat().st_size for path in (finished.launch_dir / "results/killed").glob("**/figures/*.png"))
    assert {path: (finished.launch_dir / "results/killed" / path).read_bytes() for path in PREDICTIONS} == before
