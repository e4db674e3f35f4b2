"""The pipeline needs nothing of the folder it stands in but reading, as on a cluster or a cloud."""

import os
import shutil
import subprocess

import pandas as pd
import pytest
from engine_run import command, copy_project

# Root may write everywhere, so for root the project is mounted read-only where no other process sees it.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" "$0" && exec "$@"'


def read_only(project, arguments: list[str]) -> list[str]:
    """Make a project read-only for a command line; return the command line."""
    if os.geteuid() != 0:
        for path in (project, *project.rglob("*")):
            path.chmod(path.stat().st_mode & ~0o222)
        return arguments
    mounted = ["unshare", "--mount", "sh", "-c", READ_ONLY, str(project)]
    if subprocess.run([*mounted, "true"], capture_output=True).returncode:
        pytest.skip("root without the right to mount cannot make a folder read-only")
    return [*mounted, *arguments]


def test_read_only_project_runs_from_another_folder_on_paths_with_spaces(tmp_path):
    project = copy_project(tmp_path / "project")
    data, launch_dir = tmp_path / "my data", tmp_path / "launch"
    data.mkdir()
    launch_dir.mkdir()
    for name, copy in {"cells_cisplatin.h5ad": "cells of patient 1.h5ad", "bulk_expression.csv": "bulk expression.csv",
                       "bulk_response.csv": "bulk response.csv"}.items():
        shutil.copy(project / "tests/data" / name, data / copy)
    (data / "samples.csv").write_text("sample,path,drug,label_key\na,cells of patient 1.h5ad,cisplatin,response\n")
    before = sorted(project.rglob("*"))
    arguments = command(
        project, "-profile", "test", "-work-dir", tmp_path / "elsewhere", "--outdir", "my results", "--input",
        data / "samples.csv", "--bulk_expression", data / "bulk expression.csv", "--bulk_response",
        data / "bulk response.csv",
    )  # fmt: skip
    ended = subprocess.run(
        read_only(project, arguments), cwd=launch_dir, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        timeout=900, env={**os.environ, "NXF_DISABLE_CHECK_LATEST": "true"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(pd.read_csv(launch_dir / "my results/predictions/a/predictions.csv")) == 160
    assert (launch_dir / "my results/report/pharmacell_report.html").exists()
    assert not (launch_dir / "work").exists()
    assert sorted(project.rglob("*")) == before
