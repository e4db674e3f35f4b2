"""What a task says while it works: what it does, of what how many are done, and how long the others will take."""

import pytest

from pharmacell.core import progress
from pharmacell.core.progress import duration, track


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    time = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: time[0])
    return time


def test_a_log_says_what_is_done_of_what_and_how_long_it_will_take(capsys, clock):
    for _ in track(range(20), "predicting", 20, "groups of cells"):
        clock[0] += 4
    assert capsys.readouterr().err.splitlines() == [
        "predicting: 20 groups of cells",
        *(f"predicting: {done} of 20 groups of cells, about {4 * (20 - done)} s left" for done in range(3, 20, 3)),
    ]


def test_short_work_is_said_once(capsys, clock):
    assert list(track(range(20), "predicting", 20, "groups of cells")) == list(range(20))
    list(track([0], "attention", 1, "groups of cells"))
    assert capsys.readouterr().err.splitlines() == ["predicting: 20 groups of cells", "attention"]


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (20, "20 s"), (200, "3 min"), (9000, "2.5 h")])
def test_a_time_is_said_in_the_unit_that_fits(seconds, words):
    assert duration(seconds) == words
