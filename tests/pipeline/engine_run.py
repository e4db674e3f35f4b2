"""Run the pipeline with the real engine."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
NEXTFLOW = Path(sys.prefix) / "bin" / "nextflow"
PARTS = (
    "main.nf",
    "nextflow.config",
    "nextflow_schema.json",
    "bin",
    "conf",
    "lib",
    "modules",
    "workflows",
    "tests/data",
    "assets/demo",
)


def copy_project(folder: Path) -> Path:
    """Copy what a run needs, so that tests may edit it; return the copy's folder."""
    for part in PARTS:
        source, copy = PROJECT / part, folder / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, copy)
    return folder


@dataclass(frozen=True)
class Run:
    """What a finished run said.

    Attributes
    ----------
    code
        Exit code of the engine.
    output
        Standard output and error together.
    """

    code: int
    output: str

    @property
    def submitted(self) -> list[str]:
        """Tasks that were run, such as ``QC (a)``, sorted."""
        return self._tasks("Submitted")

    @property
    def cached(self) -> list[str]:
        """Tasks whose earlier result was taken, sorted."""
        return self._tasks("Cached")

    def _tasks(self, state: str) -> list[str]:
        return sorted(re.findall(rf"\] {state} process > (?:\w+:)*(\w+ \(.*\))", self.output))


def command(project: Path, *arguments: str) -> list[str]:
    """Return the command line that runs a project."""
    return [str(NEXTFLOW), "run", str(project / "main.nf"), "-ansi-log", "false", *map(str, arguments)]


def start(project: Path, launch_dir: Path, *arguments: str) -> subprocess.Popen:
    """Start a run in a session of its own."""
    launch_dir.mkdir(parents=True, exist_ok=True)
    return subprocess.Popen(
        command(project, *arguments),
        cwd=launch_dir,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "NXF_DISABLE_CHECK_LATEST": "true"},
    )


def run(project: Path, launch_dir: Path, *arguments: str) -> Run:
    """Run the pipeline to its end."""
    process = start(project, launch_dir, *arguments)
    output, _ = process.communicate(timeout=900)
    return Run(process.returncode, output)


@dataclass(frozen=True)
class Finished:
    """A run of the test profile that came to its end.

    Attributes
    ----------
    project
        The copy of the project that ran; a test that edits it puts it back.
    launch_dir
        Where it was started; holds ``work``, ``results/test`` and the engine's cache.
    first
        What the engine said.
    """

    project: Path
    launch_dir: Path
    first: Run

    @property
    def results(self) -> Path:
        return self.launch_dir / "results" / "test"

    def resume(self, *arguments: str) -> Run:
        return run(self.project, self.launch_dir, "-profile", "test", "-resume", *arguments)
