"""One copy of the project and one finished run of the test profile, shared by the tests that look at them."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from engine_run import Run, copy_project, run


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


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def finished(project, tmp_path_factory) -> Finished:
    launch_dir = tmp_path_factory.mktemp("launch")
    first = run(project, launch_dir, "-profile", "test")
    assert first.code == 0, first.output
    return Finished(project, launch_dir, first)
