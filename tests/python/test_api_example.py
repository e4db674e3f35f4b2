"""The script of the Python functions, from its first cell to its last."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def test_the_example_runs_from_the_clone(tmp_path):
    done = subprocess.run(
        [sys.executable, "examples/python_api.py"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=os.environ | {"PYTHONPATH": str(PROJECT / "bin"), "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    for line in ("HCC827", "H1975", "H2228"):
        assert line in done.stdout
    assert "predictability" in done.stdout
    assert "cells.key_genes.csv" in done.stdout
