"""Run a command in a process of its own and say which modules it imported."""

import json
import os
import subprocess
import sys
from pathlib import Path

BIN = Path(__file__).parents[2] / "bin"
ASK = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
command = getattr(importlib.import_module(f"pharmacell.cli.{sys.argv[2]}"), sys.argv[2])
try:
    command(sys.argv[3:])
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
COMPILERS = {"numba", "pynndescent", "scanpy", "umap"}  # they compile when they are imported or first called


def imported(command: str, arguments: list[str], **environment: str) -> set[str]:
    """Return the top-level modules that a command had imported when it ended well."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(BIN), command, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))
