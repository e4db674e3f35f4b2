"""One copy of the project and one finished run of the test profile, shared by the tests that look at them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_run import Finished, copy_project, run

from pharmacell.data.gdsc import default_cache

# With `--no-loadscope-reorder` files are handed out in this order: the longest first, so that none is left at the end.
LONGEST_FIRST = ("test_real_cells", "test_whole_run", "test_foreign_folder", "test_benchmark", "test_perturbation")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory) -> Iterator[None]:
    """A cache folder with the bulk data of the usual one, in which earlier sessions have kept no bulk stage."""
    folder = tmp_path_factory.mktemp("cache")
    for path in default_cache().glob("gdsc-*"):
        (folder / path.name).symlink_to(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHARMACELL_CACHE", str(folder))
        yield


@pytest.fixture(scope="session")
def project(tmp_path_factory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def finished(project, tmp_path_factory) -> Finished:
    launch_dir = tmp_path_factory.mktemp("launch")
    first = run(project, launch_dir, "-profile", "test")
    assert first.code == 0, first.output
    return Finished(project, launch_dir, first)
