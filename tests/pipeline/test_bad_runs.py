"""What a user sees who starts the pipeline with something wrong: one clear line, exit code 1, nothing trained."""

import re

import pytest
from click.testing import CliRunner
from engine_run import PROJECT, copy_project, run
from lib_calls import call

from pharmacell.cli.prepare_bulk import prepare_bulk
from pharmacell.cli.qc import qc

INPUT = ["--input", "samples.csv"]
BEFORE_ANY_TASK = {
    "no input": ([], "--input: no sample sheet given"),
    "misspelt parameter": (["--inptu", "samples.csv"], "--inptu: no such parameter; did you mean --input?"),
    "out of range": ([*INPUT, "--sensitive_quantile", "1.5"], "--sensitive_quantile: 1.5 is out of range"),
    "no such sheet": (["--input", "nowhere.csv"], "nowhere.csv: no such file"),
    "both inputs": ([*INPUT, "--simulate", "cisplatin"], "--input and --simulate exclude each other"),
    "one bulk table": (["--simulate", "x", "--bulk_response", "table.csv"], "--bulk_expression: missing"),
    "threshold without value": ([*INPUT, "--binarise", "threshold"], "--sensitive_threshold"),
    "too little memory": ([*INPUT, "--max_memory", "1.GB"], "--max_memory: 1.GB is less than the 2 GB"),
    "gene sets without tabs": ([*INPUT, "--gene_sets", "sets.gmt"], "--gene_sets: sets.gmt, line 1 is no"),
    "no such gene sets": ([*INPUT, "--gene_sets", "absent.gmt"], "--gene_sets: absent.gmt does not exist"),
    "unwritable outdir": ([*INPUT, "--outdir", "table.csv/results"], "--outdir: table.csv/results cannot"),
}
WITH_THE_ENGINE = {  # one that the sheet ends, one that the engine's own reading of a value could spoil
    "no such sheet": ["--input", "nowhere.csv"],
    "too little memory": ["-profile", "test", "--max_memory", "1.GB"],
}
IN_A_TASK = {  # one in the bulk data, one in a sample
    "unknown drug": ("sample,path,drug\na,{data}/cells_cisplatin.h5ad,cisplatine-x\n", "cisplatine-x"),
    "no such label column": (
        "sample,path,drug,label_key\na,{data}/cells_cisplatin.h5ad,cisplatin,respons\n",
        "respons",
    ),
}
DATA = PROJECT / "tests/data"
IN_A_COMMAND = {
    "no cells left": (
        qc,
        ["--sample", "a", "--input", DATA / "cells_cisplatin.h5ad", "--min_genes", "100000"],
        "min_genes",
    ),
    "one-class labels": (
        prepare_bulk,
        [
            *("--bulk_expression", DATA / "bulk_expression.csv", "--bulk_response", DATA / "bulk_response.csv"),
            *("--drug", "cisplatin", "--binarise", "threshold", "--sensitive_threshold", "-1000"),
        ],
        "0 sensitive and 240 resistant",
    ),
}


@pytest.fixture
def launch_dir(tmp_path):
    """A folder with a good sheet and two files that are not what they should be."""
    (tmp_path / "cells.csv").write_text("x")
    (tmp_path / "samples.csv").write_text("sample,path,drug\na,cells.csv,cisplatin\n")
    (tmp_path / "table.csv").write_text("drug,line,value\n")
    (tmp_path / "sets.gmt").write_text("SET,none,GENE1\n")
    return tmp_path


@pytest.mark.parametrize("kind", BEFORE_ANY_TASK)
def test_a_mistake_is_one_line_that_names_it(launch_dir, kind):
    arguments, expected = BEFORE_ANY_TASK[kind]
    before = {path.name for path in launch_dir.iterdir()}
    words = ["main.nf", *arguments]
    (answer,) = call([{"call": "command", "project": str(PROJECT), "words": words, "launch_dir": str(launch_dir)}])
    assert answer["error"].startswith(expected)
    assert "\n" not in answer["error"]
    assert {path.name for path in launch_dir.iterdir()} - before <= {"results"}
    assert not list(launch_dir.glob("results/*"))


@pytest.mark.parametrize("kind", WITH_THE_ENGINE)
def test_engine_says_the_line_and_starts_no_task(project, launch_dir, kind):
    before = {path.name for path in launch_dir.iterdir()}
    ended = run(project, launch_dir, *WITH_THE_ENGINE[kind])
    said = [line for line in ended.output.splitlines() if line.strip()][2:]  # below the engine's two lines of greeting
    assert ended.code == 1
    assert len(said) == 1
    assert said[0].startswith(BEFORE_ANY_TASK[kind][1])
    left = {path.name for path in launch_dir.iterdir()}
    assert left - before <= {"results", ".nextflow", ".nextflow.log", "work"}
    assert not list(launch_dir.glob("results/**/*.*"))


@pytest.mark.parametrize("kind", IN_A_TASK)
def test_stops_before_training(project, tmp_path, kind):
    sheet, expected = IN_A_TASK[kind]
    (tmp_path / "samples.csv").write_text(sheet.format(data=project / "tests/data"))
    ended = run(project, tmp_path, "-profile", "test", "--input", "samples.csv")
    assert ended.code == 1
    errors = [line for line in ended.output.splitlines() if re.match("ERROR ~ |1 sample cannot be used", line)]
    assert expected in errors[-1]
    assert "Traceback" not in ended.output
    assert not any(task.startswith("PRETRAIN_BULK") for task in ended.submitted)
    assert not (tmp_path / "results/test/predictions").exists()


@pytest.mark.parametrize("kind", IN_A_COMMAND)
def test_command_ends_with_the_line_that_the_engine_says(tmp_path, kind):
    command, arguments, expected = IN_A_COMMAND[kind]
    ended = CliRunner().invoke(command, [*map(str, arguments), "--outdir", str(tmp_path)])
    assert ended.exit_code == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert expected in last
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("switch", "expected"), [("--help", "--sensitive_quantile X"), ("--version", "PharmaCell 0.")])
def test_help_and_version_are_printed_and_nothing_is_written(project, tmp_path, switch, expected):
    ended = run(project, tmp_path, switch, "--outdir", "results")
    assert ended.code == 0
    assert expected in ended.output
    assert not (tmp_path / "results").exists()


def test_stub_run_passes_with_simulated_cells(project, tmp_path):
    ended = run(project, tmp_path, "-profile", "demo_simulated", "-stub-run", "--outdir", "results")
    assert ended.code == 0, ended.output
    assert (tmp_path / "results/predictions/simulated/predictions.csv").exists()
    assert (tmp_path / "results/report/pharmacell_report.html").exists()


def test_task_that_was_killed_is_tried_again(tmp_path):
    project = copy_project(tmp_path / "project")
    (project / "bin/prepare_bulk.py").write_text("#!/bin/sh\nexit 137\n")
    ended = run(project, tmp_path, "-profile", "demo_simulated")  # nothing else can start before it
    assert ended.code == 1
    assert ended.output.count("Re-submitted process > PREPARE:PREPARE_BULK") == 2
