"""What a task says while it works: what it does, and of what how many are done."""

from pharmacell.core.progress import track


def test_a_log_says_what_is_done_and_of_what(capsys):
    assert list(track(range(20), "predicting", 20, "groups of cells")) == list(range(20))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "predicting: 20 groups of cells"
    assert lines[1] == "predicting: 2 of 20 groups of cells done"
    assert lines[-1] == "predicting: 20 of 20 groups of cells done"
    assert len(lines) == 11


def test_one_item_is_said_once(capsys):
    list(track([0], "attention", 1, "groups of cells"))
    assert capsys.readouterr().err.splitlines() == ["attention"]
