"""The launcher keeps the user's own Nextflow where it is new enough, and passes everything through."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from engine_run import NEXTFLOW

FAKE = """#!/bin/sh
[ "$1" = -v ] && { echo "nextflow version VERSION.5928"; exit 0; }
echo "own: $*"; command -v python3; echo "locale: ${LC_ALL:-$LC_CTYPE}"; exit 7
"""


def start(tmp_path: Path, version: str, *arguments: str) -> subprocess.CompletedProcess:
    """Run the launcher with a Nextflow of the given version behind the environment's own on PATH."""
    own = tmp_path / "nextflow"
    own.write_text(FAKE.replace("VERSION", version))
    own.chmod(0o755)
    environment = {**os.environ, "PATH": f"{NEXTFLOW.parent}:{tmp_path}:{os.environ['PATH']}"}
    environment.pop("PHARMACELL_ENGINE", None)
    return subprocess.run([NEXTFLOW, *arguments], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", ["24.10.0", "25.04.6", "26.1.0"])
def test_users_engine_is_kept(tmp_path, version):
    ended = start(tmp_path, version, "run", "main.nf", "--drug", "a b")
    said, python, _ = ended.stdout.splitlines()
    assert said == "own: run main.nf --drug a b"
    assert Path(python).parent == NEXTFLOW.parent
    assert ended.returncode == 7


@pytest.mark.parametrize(
    ("given", "taken"),
    [({"LC_ALL": "C"}, "C.UTF-8"), ({"LANG": "POSIX"}, "C.UTF-8"), ({}, "C.UTF-8"), ({"LC_ALL": "de_DE.UTF-8"}, None)],
)
def test_file_names_may_have_any_character_in_a_plain_locale(tmp_path, monkeypatch, given, taken):
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert start(tmp_path, "25.04.6", "run").stdout.splitlines()[-1] == f"locale: {taken or given['LC_ALL']}"


@pytest.mark.parametrize("version", ["23.10.1", "24.4.2"])
def test_old_engine_is_passed_over(tmp_path, version):
    ended = start(tmp_path, version, "-v")
    assert ended.stdout.strip() == "nextflow version 24.10.0.5928"
    assert f"{shutil.which('nextflow', path=tmp_path)} is version" in ended.stderr
    assert ended.returncode == 0


def test_exit_code_is_passed_through(tmp_path):
    assert start(tmp_path, "1.0", "no-such-command").returncode == 1
