"""Every command that the documents show is one that the pipeline, the commands or the Makefile take."""

import importlib
import re
import shlex
import shutil

import click
import pytest
from engine_run import PROJECT
from lib_calls import call

PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
# What a line of options in the text belongs to, where it does not say so itself
MODES = {"benchmarks.md": "benchmark", "perturbation.md": "perturbation", "perturbation_results.md": "perturbation"}
INPUTS = {"benchmark": ["--input", "samples.csv"], "predict": ["--input", "samples.csv"]}
INPUTS["perturbation"] = ["--de_train", "de_train.parquet"]


def shown() -> list[tuple[str, str]]:
    """Return the page and text of every line in a fence and of every piece of code in the text."""
    found = []
    for page in PAGES:
        text = page.read_text()
        fences = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
        found += [(page.name, line) for fence in fences for line in fence.splitlines()]
        found += [
            (page.name, code)
            for code in re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
        ]
    return found


def words(line: str) -> list[str]:
    """Return the words of a line of shell, without its comment and what comes behind a pipe."""
    return shlex.split(re.split(r"\s#\s|\s#$|\s\|\s", line)[0])


LINES = shown()
PIPELINE = sorted({(page, line) for page, line in LINES if re.match(r"(\S*/)?nextflow run \S*main\.nf ", line)})
PIPELINE = [
    (page, line) for page, line in PIPELINE if not re.search("--help|--version", line)
]  # tried in test_bad_runs
OPTIONS = sorted({(page, line) for page, line in LINES if re.match(r"--\w+ [^`]*--\w+", line) and "|" not in line})
COMMANDS = sorted({line for _, line in LINES if re.match(r"(\S*python3? )?bin/\w+\.py", line)})
TARGETS = sorted({target for _, line in LINES for target in re.findall(r"^make ([a-z-]+)", line)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with every file that the documented command lines name."""
    path = tmp_path_factory.mktemp("documented")
    shutil.copy(PROJECT / "tests/data/cells_cisplatin.h5ad", path / "cells.h5ad")
    (path / "samples.csv").write_text("sample,path,drug,label_key,group_key\na,cells.h5ad,cisplatin,response,line\n")
    for name in ("F", "K", "I", "M", "S", "de_train.parquet", "expression.csv", "response.csv"):
        (path / name).write_text("x")
    tuned = path / "results/benchmark/tuned/tumour"
    tuned.mkdir(parents=True)
    (tuned / "cnn.params.json").write_text('{"model_settings": "cnn.dropout=0.5"}')
    (tuned / "atsdp.params.json").write_text('{"dropout": 0.2, "learning_rate": 0.001}')
    return path


def checked(folder, lines: list[list[str]]) -> list[dict]:
    return call(
        [{"call": "command", "project": str(PROJECT), "words": each, "launch_dir": str(folder)} for each in lines]
    )


def test_the_documents_show_commands_of_every_kind():
    assert len(PIPELINE) >= 15
    assert len(OPTIONS) >= 3
    assert len(COMMANDS) >= 5
    assert {"demo", "test", "image"} <= set(TARGETS)


def test_pipeline_takes_the_params_of_every_command(folder):
    for (page, line), answer in zip(PIPELINE, checked(folder, [words(line) for _, line in PIPELINE]), strict=True):
        needs_input = "-profile test" in line or "-profile demo" in line
        assert "answer" in answer or (needs_input and "--input: no sample sheet" in answer["error"]), (
            page,
            line,
            answer,
        )


def test_pipeline_takes_every_line_of_options(folder):
    lines = []
    for page, line in OPTIONS:
        given = words(re.sub(r"[\[\]]", "", line).replace(" N", " 9"))
        mode = given[given.index("--mode") + 1] if "--mode" in given else MODES.get(page, "predict")
        own = [] if {"--input", "--de_train", "--train_keys"} & set(given) else INPUTS[mode]
        lines.append(["--mode", mode, *own, *given])
    for (page, line), answer in zip(OPTIONS, checked(folder, lines), strict=True):
        assert "answer" in answer, (page, line, answer)


@pytest.mark.parametrize("line", COMMANDS)
def test_command_has_every_option_that_is_shown(line):
    script, *arguments = [word for word in words(line) if not word.endswith(("python", "python3"))]
    name = re.fullmatch(r"bin/(\w+)\.py", script)[1]
    assert (PROJECT / script).is_file()
    command = getattr(importlib.import_module(f"pharmacell.cli.{name}"), name)
    assert isinstance(command, click.Command)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in arguments if word.startswith("--")} <= known | {"--help"}


def test_make_has_every_target():
    makefile = (PROJECT / "Makefile").read_text()
    assert [target for target in TARGETS if not re.search(rf"^{target}:", makefile, re.M)] == []
