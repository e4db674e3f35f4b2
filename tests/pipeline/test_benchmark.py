"""`--mode benchmark` on small real data: what is published, what a resume repeats, and slices that fail for good."""

import json

import pandas as pd
import pytest
from engine_run import run
from lib_calls import call

from pharmacell.benchmark.registry import model_names, settings_of

ARGUMENTS = (
    "-profile",
    "test",
    "--mode",
    "benchmark",
    "--repeats",
    "2",
    "--folds",
    "3",
    "--models",
    "atsdp,prevalence",
    "--heads_sweep",
    "0,2",
    "--epochs",
    "2",
    "--n_replicas",
    "1",
    "--folds_per_task",
    "6",
)
SHEET = ("--input", "samples.csv")
KEYS = ["dataset", "drug", "model", "heads", "sampling", "protocol", "repeat", "fold"]


@pytest.fixture(scope="module")
def benchmark(project, tmp_path_factory):
    launch_dir = tmp_path_factory.mktemp("benchmark")
    cells = project / "tests/data/cells_cisplatin.h5ad"
    (launch_dir / "samples.csv").write_text(f"sample,path,drug,label_key\ncells,{cells},cisplatin,response\n")
    ended = run(project, launch_dir, *ARGUMENTS, *SHEET, "--outdir", "results")
    assert ended.code == 0, ended.output
    return ended, launch_dir


def tasks(ended, step: str) -> list[str]:
    return [task for task in ended.submitted if task.startswith(f"{step} (")]


def test_bulk_stage_is_done_once_for_all_folds(benchmark):
    ended, _ = benchmark
    counts = {
        step: len(tasks(ended, step))
        for step in (
            "PLAN_FOLDS",
            "PRETRAIN_AUTOENCODER",
            "PRETRAIN_REPEATS",
            "CROSS_VALIDATE",
            "CROSS_VALIDATE_CPU",
            "BENCHMARK_SUMMARY",
            "REPORT",
        )
    }
    assert counts == {
        "PLAN_FOLDS": 1,
        "PRETRAIN_AUTOENCODER": 1,
        "PRETRAIN_REPEATS": 2,
        "CROSS_VALIDATE": 2,  # networks, which may want a GPU
        "CROSS_VALIDATE_CPU": 1,
        "BENCHMARK_SUMMARY": 1,
        "REPORT": 1,
    }


def test_plan_scores_and_predictions_are_published(benchmark):
    folder = benchmark[1] / "results/benchmark"
    plan = pd.read_csv(folder / "cells.folds.csv", dtype={"cell_id": str})
    assert list(plan) == ["dataset", "protocol", "repeat", "fold", "cell_id"]
    predictions = pd.read_parquet(folder / "predictions.parquet")
    joined = predictions.merge(plan, on=["dataset", "protocol", "repeat", "fold", "cell_id"])
    assert len(joined) == len(predictions) == 3 * len(plan)  # three rows of the table of models, each on the same folds
    scores = pd.read_csv(folder / "scores.csv")
    assert list(scores) == [*KEYS, "metric", "value"]
    assert len(scores[KEYS].drop_duplicates()) == 3 * 6
    assert (benchmark[1] / "results/report/pharmacell_report.html").exists()
    assert pd.read_csv(folder / "missing.csv").empty


def test_unchanged_resume_runs_nothing(project, benchmark):
    ended, launch_dir = benchmark
    again = run(project, launch_dir, *ARGUMENTS, *SHEET, "--outdir", "results", "-resume")
    assert again.code == 0, again.output
    assert again.submitted == []
    assert again.cached == ended.submitted


def test_models_are_given_the_options_that_they_read_and_no_others():
    """Others would be in the hash of their tasks: a changed --epochs would fit the baselines again."""
    networks = call([{"call": "networks", "models": model_names()}])[0]["answer"]
    assert networks == [name for name in model_names() if "epochs" in settings_of(name)]
    options = {
        "network": {"heads": 8, "seed": 1},
        "training": {"epochs": 5, "noise": "dropout", "seed": 1},
        "transfer": {"omega": 1, "supervision": "labels"},
        "prediction": {"neighbours": 15},
        "stacks": {"max_stack_memory": "4GB", "seed": 1},
        "benchmark": {"model_settings": "cnn.dropout=0.5, ridge.alpha=3,ridge.x=1", "repeats": 2},
    }
    slices = ({"model": "ridge", "heads": ""}, {"model": "mlp", "heads": ""}, {"model": "atsdp", "heads": "0"})
    answers = call([{"call": "slice options", "options": options, "slice": part} for part in slices])
    shared = {"max_stack_memory": "4GB", "seed": 1}
    assert [answer["answer"] for answer in answers] == [
        shared | {"model_settings": "ridge.alpha=3,ridge.x=1"},
        shared | {"model_settings": None, "epochs": 5},
        shared | {"model_settings": None, "heads": 8, "epochs": 5, "noise": "dropout", "omega": 1, "neighbours": 15},
    ]


def test_failed_slices_are_named_as_missing_and_what_would_fail_again_is_not_tried_again(project, benchmark):
    """The network's folds do not fit into the memory allowed, the baseline's do."""
    _, launch_dir = benchmark
    ended = run(project, launch_dir, *ARGUMENTS, *SHEET, "--outdir", "small", "-resume", "--max_stack_memory", "709MB")
    assert ended.code == 0, ended.output
    task = "CROSS_VALIDATE (cells.atsdp.2.none.0-6)"
    assert "Re-submitted" not in ended.output
    assert f"{task}` terminated with an error exit status (1) -- Error is ignored" in ended.output
    assert not tasks(ended, "PRETRAIN_REPEATS")
    missing = pd.read_csv(launch_dir / "small/benchmark/missing.csv")
    assert set(missing["model"]) == {"atsdp"}
    assert len(missing) == 2 * 6
    assert set(pd.read_csv(launch_dir / "small/benchmark/scores.csv")["model"]) == {"prevalence"}


def test_tuned_settings_enter_the_table_of_the_same_run(project, benchmark):
    _, launch_dir = benchmark
    chosen = ("-profile", "test", "--mode", "benchmark", "--repeats", "1", "--folds", "2", "--models", "ridge")
    chosen = (*chosen, "--protocol", "transfer", *SHEET, "-resume")

    def scores(folder: str, *more: str) -> pd.Series:
        ended = run(project, launch_dir, *chosen, *more, "--outdir", folder)
        assert ended.code == 0, ended.output
        return pd.read_csv(launch_dir / folder / "benchmark/scores.csv").query("metric == 'brier'")["value"]

    tuned = scores("tuned", "--tune", "6")
    settings = json.loads((launch_dir / "tuned/benchmark/tuned/cells/ridge.params.json").read_text())
    assert (
        tuned.tolist() == scores("given", "--model_settings", settings["model_settings"]).tolist()
    )  # not those of the defaults


LABELLED = "sample,path,drug,label_key\na,{data}/cells_cisplatin.h5ad,cisplatin,response\n"
BEFORE_ANY_TASK = {
    "labels protocol without labels": (
        "sample,path,drug\na,{data}/cells_cisplatin.h5ad,cisplatin\n",
        [],
        "row 1: 'label_key' is empty",
    ),
    "no groups to leave out": (LABELLED, ["--protocol", "leave_group_out"], "row 1: 'group_key' is empty"),
}
BEFORE_TRAINING = {
    "a group of one class": (
        "sample,path,drug,label_key,group_key\ncells,{data}/cells_cisplatin.h5ad,cisplatin,response,line\n",
        ["--protocol", "leave_group_out"],
        "only, so that a fold of it cannot be scored",
    ),
    "a bottleneck that cannot be cut": (
        None,
        ["--bottleneck", "17"],
        "--bottleneck 17: cannot be cut into 4 attention tokens",
    ),
}


@pytest.mark.parametrize("kind", BEFORE_ANY_TASK)
def test_sheet_that_lacks_what_a_protocol_needs_is_refused(project, tmp_path, kind):
    sheet, arguments, expected = BEFORE_ANY_TASK[kind]
    (tmp_path / "samples.csv").write_text(sheet.format(data=project / "tests/data"))
    words = ["main.nf", *ARGUMENTS, "--input", "samples.csv", *arguments]
    (answer,) = call([{"call": "command", "project": str(project), "words": words, "launch_dir": str(tmp_path)}])
    assert expected in answer["error"]
    assert "\n" not in answer["error"]


@pytest.mark.parametrize("kind", BEFORE_TRAINING)
def test_stops_before_training(project, benchmark, kind):
    sheet, arguments, expected = BEFORE_TRAINING[kind]
    launch_dir, name = benchmark[1], "samples.csv"
    if sheet:
        name = "others.csv"
        (launch_dir / name).write_text(sheet.format(data=project / "tests/data"))
    ended = run(project, launch_dir, *ARGUMENTS, "--input", name, "--outdir", "bad", "-resume", *arguments)
    assert ended.code == 1
    assert expected in ended.output
    assert "Traceback" not in ended.output
    assert not tasks(ended, "PRETRAIN_AUTOENCODER")
    assert not tasks(ended, "CROSS_VALIDATE")
