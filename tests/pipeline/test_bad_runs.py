"""What a user sees who starts the pipeline with something wrong: one clear line, exit code 1, nothing trained."""

import re

import pytest
from engine_run import copy_project, run

BEFORE_ANY_TASK = {
    "no input": ([], "--input: no sample sheet given"),
    "misspelt parameter": (["--inptu", "samples.csv"], "--inptu: no such parameter; did you mean --input?"),
    "out of range": (["-profile", "test", "--sensitive_quantile", "1.5"], "--sensitive_quantile: 1.5 is out of range"),
    "no such sheet": (["--input", "nowhere.csv"], "nowhere.csv: no such file"),
    "both inputs": (["-profile", "test", "--simulate", "cisplatin"], "--input and --simulate exclude each other"),
    "one bulk table": (["-profile", "demo", "--bulk_response", "table.csv"], "--bulk_expression: missing"),
    "threshold without value": (["-profile", "test", "--binarise", "threshold"], "--sensitive_threshold"),
    "too little memory": (["-profile", "test", "--max_memory", "1.GB"], "--max_memory: 1.GB is less than the 2 GB"),
    "gene sets without tabs": (["-profile", "test", "--gene_sets", "sets.gmt"], "--gene_sets: sets.gmt, line 1 is no"),
    "no such gene sets": (["-profile", "test", "--gene_sets", "absent.gmt"], "--gene_sets: absent.gmt does not exist"),
    "unwritable outdir": (["-profile", "test", "--outdir", "table.csv/results"], "--outdir: table.csv/results cannot"),
}
IN_A_TASK = {
    "unknown drug": ("sample,path,drug\na,{data}/cells_cisplatin.h5ad,cisplatine-x\n", [], "cisplatine-x"),
    "no such label column": (
        "sample,path,drug,label_key\na,{data}/cells_cisplatin.h5ad,cisplatin,respons\n",
        [],
        "respons",
    ),
    "no cells left": (
        "sample,path,drug\na,{data}/cells_cisplatin.h5ad,cisplatin\n",
        ["--min_genes", "100000"],
        "min_genes",
    ),
    "one-class labels": (
        "sample,path,drug\na,{data}/cells_cisplatin.h5ad,cisplatin\n",
        ["--binarise", "threshold", "--sensitive_threshold", "-1000"],
        "0 sensitive and 240 resistant",
    ),
}


@pytest.mark.parametrize("kind", BEFORE_ANY_TASK)
def test_stops_before_any_task(project, tmp_path, kind):
    arguments, expected = BEFORE_ANY_TASK[kind]
    (tmp_path / "table.csv").write_text("drug,line,value\n")
    (tmp_path / "sets.gmt").write_text("SET,none,GENE1\n")
    ended = run(project, tmp_path, *arguments)
    said = [line for line in ended.output.splitlines() if line.strip()][2:]  # below the engine's two lines of greeting
    assert ended.code == 1
    assert len(said) == 1
    assert said[0].startswith(expected)
    assert "--" in said[0] or ".csv" in said[0]
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {"table.csv", "sets.gmt", "results", ".nextflow", ".nextflow.log", "work"}
    assert not list(tmp_path.glob("results/**/*.*"))


@pytest.mark.parametrize("kind", IN_A_TASK)
def test_stops_before_training(project, tmp_path, kind):
    sheet, arguments, expected = IN_A_TASK[kind]
    (tmp_path / "samples.csv").write_text(sheet.format(data=project / "tests/data"))
    ended = run(project, tmp_path, "-profile", "test", "--input", "samples.csv", *arguments)
    assert ended.code == 1
    errors = [line for line in ended.output.splitlines() if re.match("ERROR ~ |1 sample cannot be used", line)]
    assert expected in errors[-1]
    assert "Traceback" not in ended.output
    assert not any(task.startswith("PRETRAIN_BULK") for task in ended.submitted)
    assert not (tmp_path / "results/test/predictions").exists()


@pytest.mark.parametrize(("switch", "expected"), [("--help", "--sensitive_quantile X"), ("--version", "PharmaCell 0.")])
def test_help_and_version_are_printed_and_nothing_is_written(project, tmp_path, switch, expected):
    ended = run(project, tmp_path, switch, "--outdir", "results")
    assert ended.code == 0
    assert expected in ended.output
    assert not (tmp_path / "results").exists()


def test_stub_run_passes_with_simulated_cells(project, tmp_path):
    ended = run(project, tmp_path, "-profile", "demo", "-stub-run", "--outdir", "results")
    assert ended.code == 0, ended.output
    assert (tmp_path / "results/predictions/simulated/predictions.csv").exists()
    assert (tmp_path / "results/report/pharmacell_report.html").exists()


def test_task_that_was_killed_is_tried_again(tmp_path):
    project = copy_project(tmp_path / "project")
    (project / "bin/prepare_bulk.py").write_text("#!/bin/sh\nexit 137\n")
    ended = run(project, tmp_path, "-profile", "test")
    assert ended.code == 1
    assert ended.output.count("Re-submitted process > PREPARE:PREPARE_BULK") == 2
