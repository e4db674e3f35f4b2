"""The code digest of a process covers what its command imports, and nothing else."""

import ast
import re
import shutil

import pytest
from engine_run import PROJECT
from lib_calls import call

from pharmacell.benchmark.registry import REGISTRY

BIN = PROJECT / "bin"
MODULES = {  # module: the command whose digest it names
    path.parent.name: re.search(r"Code\.digest\(projectDir, '(\w+)'\)", path.read_text())[1]
    for path in sorted(PROJECT.glob("modules/*/main.nf"))
}
COMMANDS = sorted(set(MODULES.values()))


def imported_files(command: str) -> set[str]:
    """Return the package's Python files that a command imports, directly or not, read from the syntax trees."""
    found, todo = set(), [f"pharmacell.cli.{command}"]
    while todo:
        parts = todo.pop().split(".")
        folders = ["/".join(parts[:n]) + "/__init__.py" for n in range(1, len(parts) + 1)]
        for name in {*folders, "/".join(parts) + ".py"} - found:
            if not (BIN / name).is_file():
                continue
            found.add(name)
            for node in ast.walk(ast.parse((BIN / name).read_text())):
                if isinstance(node, ast.Import):
                    todo += [alias.name for alias in node.names if alias.name.split(".")[0] == "pharmacell"]
                elif isinstance(node, ast.ImportFrom):
                    assert node.level == 0, f"{name}: a relative import escapes the digest"
                    if node.module.split(".")[0] == "pharmacell":
                        todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


@pytest.fixture(scope="module")
def files() -> dict[str, set[str]]:
    answers = call([{"call": "files", "project": str(PROJECT), "command": command} for command in COMMANDS])
    return {command: set(answer["answer"]) for command, answer in zip(COMMANDS, answers, strict=True)}


def test_every_module_and_command_is_looked_at(files):
    assert set(MODULES) == {path.name for path in (PROJECT / "modules").iterdir()}
    assert {"qc", "predict", "cross_validate", "report"} <= set(COMMANDS)
    for command in COMMANDS:
        assert f"pharmacell/cli/{command}.py" in files[command]


@pytest.mark.parametrize("command", COMMANDS)
def test_digest_covers_what_python_imports(files, command):
    assert {name for name in files[command] if name.endswith(".py")} == imported_files(command)


@pytest.mark.parametrize(("module", "command"), MODULES.items())
def test_process_names_the_digest_of_the_command_that_it_runs(module, command):
    text = (PROJECT / "modules" / module / "main.nf").read_text()
    assert text.count(": ${task.ext.code}\n") == 2, "once in the script, once in the stub"
    assert any(line.split()[:1] == [f"{command}.py"] for line in text.splitlines()), "the command starts a line"


def test_gene_table_is_in_the_digest_of_what_reads_it(files):
    assert any(not name.endswith(".py") for name in files["qc"])


def test_every_compared_model_is_in_the_digest_of_what_fits_it(files):
    models = {f"pharmacell/benchmark/models/{name}.py" for name in REGISTRY}
    assert {path.stem for path in (BIN / "pharmacell/benchmark/models").glob("[!_]*.py")} == set(REGISTRY)
    assert models <= files["cross_validate"]
    assert models <= files["tune"]


def test_only_what_draws_depends_on_the_plots(files):
    drawing = {command for command in COMMANDS if any("/report/" in name for name in files[command])}
    assert drawing <= {"figures", "panel_figures", "explorer", "report", "kaggle_summary", "benchmark_summary"}


def test_digest_follows_an_imported_file_and_no_other(tmp_path):
    copies = [tmp_path / name for name in ("same", "plot", "model")]
    for copy in copies:
        shutil.copytree(BIN, copy / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    for copy, edited in zip(copies[1:], ("report/__init__.py", "response/__init__.py"), strict=True):
        with (copy / "bin/pharmacell" / edited).open("a") as file:
            file.write("# edited\n")
    answers = call([{"call": "digest", "project": str(copy), "command": "predict"} for copy in copies])
    same, plot, model = (answer["answer"] for answer in answers)
    assert same == plot
    assert same != model
