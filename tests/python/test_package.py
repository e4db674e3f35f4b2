"""The package can be installed, and its console command offers every step."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pharmacell.cli.main import COMMANDS, pharmacell

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Return the folder of an installed copy; the project's own folder stays as it is."""
    folder = tmp_path_factory.mktemp("install")
    copy = folder / "project"
    shutil.copytree(PROJECT / "bin", copy / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(PROJECT / name, copy / name)
    line = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*line, "--target", str(folder / "target"), str(copy)], check=True, cwd=folder)
    return folder / "target"


def call(installed: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    line = [sys.executable, "-c", "from pharmacell.cli.main import pharmacell; pharmacell()", *arguments]
    return subprocess.run(line, capture_output=True, text=True, env=environment, cwd=installed)


def test_console_command_is_declared(installed):
    (entry_points,) = installed.glob("pharmacell-*.dist-info/entry_points.txt")
    assert "pharmacell = pharmacell.cli.main:pharmacell" in entry_points.read_text()


def test_installed_command_reads_the_tables_that_ship(installed, tmp_path):
    sample = PROJECT / "tests/data/cells_cisplatin.h5ad"
    found = call(installed, "qc", "--sample", "s", "--input", str(sample), "--min_genes", "50", "--outdir", tmp_path)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "s.h5ad").stat().st_size > 0


def test_bad_input_is_one_line_with_exit_code_1(installed):
    found = call(installed, "qc", "--sample", "s", "--input", "nowhere.h5ad")
    assert found.returncode == 1
    assert found.stderr.splitlines() == ["error: nowhere.h5ad: no such file; check the path"]


def test_every_script_is_a_step():
    scripts = {path.stem for path in PROJECT.glob("bin/*.py")} - {"start_engine"}
    assert scripts == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_step_has_help(name):
    result = CliRunner().invoke(pharmacell, [name, "--help"], prog_name="pharmacell")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: pharmacell {name} ")
