"""Params and sample sheets are checked before any task starts, and each problem is one clear line."""

import pytest
from engine_run import PROJECT
from lib_calls import call

SHEETS = {
    "empty": ("", "empty file"),
    "header only": ("sample,path,drug\n", "no row below the header"),
    "no drug column": ("sample,path\na,a.csv\n", "no column 'drug'"),
    "unknown column": ("sample,path,drug,label_kye\na,a.csv,X,y\n", "did you mean label_key?"),
    "column twice": ("sample,path,drug,drug\na,a.csv,X,X\n", "column 'drug' stands there twice"),
    "too many cells": ("sample,path,drug\na,a.csv,X,Y\n", "row 1: 4 cells where the header has 3"),
    "empty sample": ("sample,path,drug\n,a.csv,X\n", "row 1: 'sample' is empty"),
    "empty drug": ("sample,path,drug\na,a.csv,X\nb,a.csv,\n", "row 2: 'drug' is empty"),
    "duplicate sample": ("sample,path,drug\na,a.csv,X\na,a.csv,Y\n", "row 2: sample 'a' stands in row 1 too"),
    "name with a slash": ("sample,path,drug\na/b,a.csv,X\n", "sample 'a/b' names files"),
    "name with a space": ("sample,path,drug\na b,a.csv,X\n", "sample 'a b' names files"),
    "missing path": ("sample,path,drug\na,nowhere.h5ad,X\n", "row 1: nowhere.h5ad does not exist"),
    "empty cells file": ("sample,path,drug\na,empty.csv,X\n", "row 1: empty.csv is empty"),
    "pickle": ("sample,path,drug\na,cells.pkl,X\n", "cells.pkl is a pickle"),
    "bad species": ("sample,path,drug,species\na,a.csv,X,rat\n", "species 'rat' is not one of auto, human, mouse"),
    "bad scale": ("sample,path,drug,scale\na,a.csv,X,raw\n", "scale 'raw' is not one of"),
    "bad sampling": ("sample,path,drug,sampling\na,a.csv,X,smot\n", "sampling 'smot' is not one of"),
}
PARAMS = {
    "typo": ({"epoch": 5}, "--epoch: no such parameter; did you mean --epochs?"),
    "nothing like it": ({"zzzzzzzzzzzz": 1}, "--zzzzzzzzzzzz: no such parameter (nextflow_schema.json"),
    "text for a number": ({"epochs": "many"}, "--epochs: 'many' given; give a whole number"),
    "fraction for a count": ({"n_replicas": 2.5}, "--n_replicas: '2.5' given; give a whole number"),
    "no value": ({"preset": True}, "--preset: no value given"),
    "too small": ({"n_replicas": 0}, "--n_replicas: 0 is out of range; give a whole number at least 1"),
    "too large": ({"dropout": 1}, "--dropout: 1 is out of range; give a number at least 0 and below 1"),
    "at an open bound": ({"learning_rate": 0}, "--learning_rate: 0 is out of range; give a number above 0"),
    "no such choice": ({"sampling": "smoth"}, "--sampling: 'smoth' is not one of none, over, under, smote, adasyn"),
    "memory without unit": ({"max_memory": "16"}, "--max_memory: '16' cannot be read; give an amount such as 16.GB"),
    "time without unit": ({"max_time": "soon"}, "--max_time: 'soon' cannot be read; give a time such as 8.h"),
    "no core": ({"max_cpus": 0}, "--max_cpus: 0 is out of range"),
    "not widths": ({"encoder": "256;128"}, "--encoder: '256;128' cannot be read"),
    "few_shot without number": ({"supervision": "few_shot"}, "--supervision: 'few_shot' cannot be read"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sheets")
    for name, text in {"a.csv": "x", "empty.csv": "", "cells.pkl": "x"}.items():
        (path / name).write_text(text)
    return path


def read_sheets(folder, texts: list[str]) -> list[dict]:
    cases = []
    for index, text in enumerate(texts):
        name = f"sheet{index}.csv"
        (folder / name).write_text(text)
        cases.append({"call": "sheet", "sheet": name, "launch_dir": str(folder)})
    return call(cases)


def test_bad_sheets_are_refused(folder):
    answers = read_sheets(folder, [text for text, _ in SHEETS.values()])
    for index, ((kind, (_, expected)), answer) in enumerate(zip(SHEETS.items(), answers, strict=True)):
        assert expected in answer.get("error", ""), kind
        assert answer["error"].startswith(f"sheet{index}.csv: "), kind
        assert "\n" not in answer["error"], kind


def test_sheet_is_read(folder):
    text = '\ufeffsample,path,drug,label_key\r\na, a.csv ,"5-FU, oral",response\r\n\r\nb.2,s3://bucket/b.h5ad,X,\r\n'
    first, second = read_sheets(folder, [text])[0]["answer"]
    assert (first["sample"], first["path"], first["drug"]) == ("a", str(folder / "a.csv"), "5-FU, oral")
    assert first["label_key"] == "response"
    assert first["sampling"] is None
    assert (second["sample"], second["path"], second["label_key"]) == ("b.2", "s3://bucket/b.h5ad", None)


def test_missing_sheet_is_refused(folder):
    case = {"call": "sheet", "sheet": "none.csv", "launch_dir": str(folder)}
    assert call([case])[0]["error"].startswith("none.csv: no such file")


def test_bad_params_are_refused():
    answers = call([{"call": "params", "project": str(PROJECT), "params": params} for params, _ in PARAMS.values()])
    for (kind, (_, expected)), answer in zip(PARAMS.items(), answers, strict=True):
        assert answer.get("error", "").startswith(expected), kind
        assert "\n" not in answer["error"], kind


def test_good_params_pass():
    params = {"epochs": 5, "dropout": 0, "encoder": 256, "supervision": "few_shot:3", "preset": None}
    assert call([{"call": "params", "project": str(PROJECT), "params": params}]) == [{"answer": None}]


def test_options_are_quoted_for_the_shell():
    options = {"drug": ["a b", "it's"], "seed": 0, "preset": None, "label_key": ""}
    assert call([{"call": "options", "options": options}]) == [{"answer": "--drug 'a b' --drug 'it'\\''s' --seed '0'"}]


def test_failure_is_the_last_error_line_of_the_command():
    report = "Command error:\n  error: first\n  noise\n  error: a.h5ad: truncated; copy it again\nWork dir:\n"
    answers = call([{"call": "failure", "report": report}, {"call": "failure", "report": "Traceback"}])
    assert answers == [{"answer": "a.h5ad: truncated; copy it again"}, {"answer": None}]


FAILURES = {
    "docker is not running": (
        "docker: Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?\n",
        "docker is not running (Cannot connect to the Docker daemon at unix:///x.sock)",
    ),
    "podman is not installed": (".command.run: line 9: podman: command not found", "-profile podman: not found"),
    "no image": (
        "Command error:\n  Unable to find image 'a/b:1' locally\n\nContainer:\n  a/b:1\n",
        "a/b:1: no such image here",
    ),
    "no GPU for docker": (
        'Command error:\n  docker: Error: could not select device driver "" with capabilities: [[gpu]].\n',
        "-profile gpu: docker finds no NVIDIA GPU",
    ),
    "no GPU for podman": (
        "Command error:\n  Error: setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all\n",
        "podman knows no device nvidia.com/gpu=all",
    ),
    "no scheduler": ('java.io.IOException: Cannot run program "sbatch" (in directory "/x")', "sbatch: not found"),
    "killed": ("Command exit status:\n  137\n\nCommand output:\n", "raise --max_memory"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_failure_of_an_engine_is_one_line_that_says_what_to_do(kind):
    report, expected = FAILURES[kind]
    (answer,) = call([{"call": "failure", "report": report}])
    assert expected in answer["answer"]
    assert "\n" not in answer["answer"]
