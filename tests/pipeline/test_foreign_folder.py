"""The pipeline needs nothing of the folder it stands in but reading, as on a cluster or a cloud."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from engine_run import NEXTFLOW, copy_project

# Root may write everywhere. In a user namespace root is a user like any other, whom a folder's mode stops.
NO_RIGHTS = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


@pytest.fixture(scope="module")
def as_user() -> list[str]:
    """What makes a command line that of a user without rights."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("unshare") or subprocess.run([*NO_RIGHTS, "true"], capture_output=True).returncode:
        pytest.skip("root, and no user namespace to give up root's rights in")
    return NO_RIGHTS


def run_as(as_user: list[str], arguments: list, folder: Path, **environment: str) -> None:
    """Run a command line to its good end."""
    ended = subprocess.run(
        [*as_user, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=900,
        env={**os.environ, "NXF_DISABLE_CHECK_LATEST": "true", "NXF_HOME": str(folder / ".nextflow"), **environment},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def checkout(folder: Path, as_user: list[str]) -> tuple[Path, str]:
    """Clone the project to where the engine keeps what it runs from a git address; return the clone and the address."""
    project = copy_project(folder / "source")
    git = ["git", "-C", project, "-c", "user.name=test", "-c", "user.email=test@example.org"]
    clone = folder / "assets/local/pharmacell"
    for step in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        ["commit", "--quiet", "--message=Add all"],
        ["clone", "--quiet", "--bare", ".", folder / "pharmacell.git"],
        ["clone", "--quiet", folder / "pharmacell.git", clone],
    ):
        run_as(as_user, [*git, *step], folder)
    shutil.rmtree(project)
    return clone, f"file:{folder}/pharmacell.git"


def test_read_only_checkout_of_a_git_address_runs_on_paths_with_spaces(tmp_path, as_user):
    """The sample has no truth, and is called bulk, which must not clash with the bulk data's own file names."""
    project, address = checkout(tmp_path, as_user)
    data, launch_dir = tmp_path / "my data", tmp_path / "launch"
    data.mkdir()
    launch_dir.mkdir()
    for name, copy in {
        "cells_cisplatin.h5ad": "cells of patient 1.h5ad",
        "bulk_expression.csv": "bulk expression.csv",
        "bulk_response.csv": "bulk response.csv",
    }.items():
        shutil.copy(project / "tests/data" / name, data / copy)
    (data / "samples.csv").write_text("sample,path,drug\nbulk,cells of patient 1.h5ad,docetaxel\n")
    before = sorted(project.rglob("*"))
    arguments = [
        NEXTFLOW,
        "run",
        address,
        "-ansi-log",
        "false",
        "-profile",
        "test",
        "-work-dir",
        tmp_path / "elsewhere",
        "--outdir",
        "my results",
        "--input",
        data / "samples.csv",
        "--bulk_expression",
        data / "bulk expression.csv",
        "--bulk_response",
        data / "bulk response.csv",
    ]
    for path in (project, *before):
        path.chmod(path.stat().st_mode & ~0o222)
    run_as(as_user, arguments, launch_dir, NXF_ASSETS=str(tmp_path / "assets"))
    results = launch_dir / "my results"
    check_sample_without_truth(results)
    assert (results / "report/pharmacell_report.html").exists()
    assert not (launch_dir / "work").exists()
    assert sorted(project.rglob("*")) == before


def check_sample_without_truth(results: Path) -> None:
    """Check that a sample is predicted and explained without scores."""
    folder = results / "predictions/bulk"
    table = pd.read_csv(folder / "predictions.csv")
    assert len(table) == 160
    assert "truth" not in table
    assert {path.name for path in folder.iterdir()} == {
        "predictions.csv",
        "baselines.csv",
        "significance.csv",
        "diagnostics.json",
        "bulk.h5ad",
        "figures",
    }
    facts = json.loads((results / "key_genes/bulk/key_genes.json").read_text())
    assert not facts["truth_known"]
    assert (results / "key_genes/bulk/key_genes.csv").exists()
