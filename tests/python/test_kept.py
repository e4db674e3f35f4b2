"""Results kept between runs: taken where everything is the same, whole under their name, and never in the way."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pharmacell.cli.bulk_stage import WARNING, fill_bulk_stage
from pharmacell.core.errors import InputError
from pharmacell.core.kept import FACTS, MadeFrom, make_or_take, reuse

SOURCE = MadeFrom("pretrain", "code", "data", {"epochs": 5, "encoder": (32, 16)}, 0, "cpu", 2)
OTHERS = {
    "step": "other",
    "code": "edited",
    "data": "other lines",
    "settings": {"epochs": 6, "encoder": (32, 16)},
    "seed": 1,
    "device": "cuda",
    "threads": 1,
}


class Maker:
    """Counts how often it computes."""

    def __init__(self):
        self.runs = 0

    def __call__(self, folder: Path) -> None:
        self.runs += 1
        (folder / "sub").mkdir()
        (folder / "sub" / "weights").write_text(f"made by run {self.runs}")


def test_the_same_is_computed_once(tmp_path):
    maker, store = Maker(), tmp_path / "store"
    for name in ("first", "second"):
        make_or_take(tmp_path / name, SOURCE, store, maker)
        assert (tmp_path / name / "sub" / "weights").read_text() == "made by run 1"
    assert maker.runs == 1
    assert [path.name for path in store.iterdir()] == [SOURCE.key()]


@pytest.mark.parametrize("field", OTHERS)
def test_anything_that_it_depends_on_makes_another(tmp_path, field):
    maker = Maker()
    for index, source in enumerate((SOURCE, replace(SOURCE, **{field: OTHERS[field]}))):
        make_or_take(tmp_path / str(index), source, tmp_path / "store", maker)
    assert maker.runs == 2


@pytest.mark.parametrize("damage", ["cut", "lost", "no facts"])
def test_a_damaged_one_is_made_again_and_put_right(tmp_path, damage):
    maker, store = Maker(), tmp_path / "store"
    make_or_take(tmp_path / "first", SOURCE, store, maker)
    weights, facts = store / SOURCE.key() / "sub" / "weights", store / SOURCE.key() / FACTS
    {"cut": lambda: weights.write_text("made"), "lost": weights.unlink, "no facts": facts.unlink}[damage]()
    for name in ("second", "third"):
        make_or_take(tmp_path / name, SOURCE, store, maker)
    assert maker.runs == 2


def test_without_a_known_code_or_a_store_nothing_is_kept(tmp_path):
    maker = Maker()
    make_or_take(tmp_path / "first", replace(SOURCE, code=None), tmp_path / "store", maker)
    make_or_take(tmp_path / "second", SOURCE, None, maker)
    assert maker.runs == 2
    assert not (tmp_path / "store").exists()


def test_a_store_that_cannot_be_written_is_no_error(tmp_path, capsys):
    (tmp_path / "store").write_text("a file")
    make_or_take(tmp_path / "first", SOURCE, tmp_path / "store", Maker())
    assert (tmp_path / "first" / "sub" / "weights").exists()
    assert "not kept for later runs" in capsys.readouterr().err


def test_a_failed_one_leaves_nothing(tmp_path):
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise InputError("no")

    with pytest.raises(InputError):
        make_or_take(tmp_path / "first", SOURCE, tmp_path / "store", fail)
    assert not list(tmp_path.rglob("*"))


TWO = """
import sys, time
from pathlib import Path
sys.path[:0] = [sys.argv[3], sys.argv[4]]
from test_kept import SOURCE
from pharmacell.core.kept import make_or_take

def make(folder):
    for index in range(20):
        (folder / str(index)).write_text(sys.argv[1] * 1000)
        time.sleep(0.01)

make_or_take(Path(sys.argv[2]) / sys.argv[1], SOURCE, Path(sys.argv[2]) / "store", make)
"""


def test_two_at_once_leave_one_whole_result(tmp_path):
    here = Path(__file__).parent
    arguments = [str(tmp_path), str(here), str(here.parents[1] / "bin")]
    both = [subprocess.Popen([sys.executable, "-c", TWO, name, *arguments]) for name in "ab"]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    (kept,) = (tmp_path / "store").iterdir()
    contents = {path.read_text() for path in kept.iterdir() if path.name != FACTS}
    assert len(contents) == 1
    make_or_take(tmp_path / "third", SOURCE, tmp_path / "store", Maker())
    assert (tmp_path / "third" / "0").exists(), "the result of one of the two is taken"


@pytest.fixture
def published(tmp_path):
    make_or_take(tmp_path / "published", SOURCE, None, Maker())
    return tmp_path / "published"


def test_a_published_one_is_reused_without_a_word(published, tmp_path):
    assert reuse(tmp_path / "again", SOURCE, published) == []
    assert (tmp_path / "again" / "sub" / "weights").exists()
    assert json.loads((tmp_path / "again" / FACTS).read_text())["data"] == "data"


def test_what_differs_is_said(published, tmp_path):
    other = replace(SOURCE, code="edited", seed=3, settings={"epochs": 7, "encoder": (32, 16)})
    made, code = reuse(tmp_path / "again", other, published)
    assert made.endswith("made with epochs 5 (not 7), seed 0 (not 3)")
    assert code.endswith("another version of the code made it")


def test_the_engine_is_told_what_differs(published, tmp_path):
    for name, source in {"same": SOURCE, "edited": replace(SOURCE, code="edited")}.items():
        fill_bulk_stage(tmp_path / name / "model", source, None, published, Maker())
    assert not (tmp_path / "same" / WARNING).exists()
    assert "another version of the code" in (tmp_path / "edited" / WARNING).read_text()


def test_the_store_lies_in_the_cache_folder(tmp_path):
    fill_bulk_stage(tmp_path / "model", SOURCE, tmp_path / "cache", None, Maker())
    assert (tmp_path / "cache" / "bulk_stage" / SOURCE.key() / FACTS).exists()


def test_other_bulk_data_and_other_folders_are_refused(published, tmp_path):
    for source, model, said in (
        (replace(SOURCE, data="other"), published, "other bulk data"),
        (replace(SOURCE, step="other"), published, "no whole result of other"),
        (SOURCE, tmp_path / "nowhere", "no whole result of pretrain"),
    ):
        with pytest.raises(InputError, match=said):
            reuse(tmp_path / "again", source, model)
    assert not (tmp_path / "again").exists()
