"""Splits of cell lines into training, validation and test part."""

import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.seeds import generator

PARTS = ("train", "validation", "test")


def split_lines(labels: pd.Series, seed: int, test_share: float = 0.2, validation_share: float = 0.2) -> pd.Series:
    """Split cell lines at random, each class by itself.

    Parameters
    ----------
    labels
        1 sensitive or 0 resistant, indexed by canonical line name; a line stands once, so it stays on one side.
    seed
        The user's seed.
    test_share
        Share of the lines that is held out for the test.
    validation_share
        Share of the remaining lines that is held out for early stopping.

    Returns
    -------
    pandas.Series
        ``"train"``, ``"validation"`` or ``"test"``, in the order of ``labels``. The result depends on the set of
        lines and their labels, not on their order.

    Raises
    ------
    InputError
        If a class has too few lines to stand in every part.
    ValueError
        If a line occurs twice.
    """
    if not labels.index.is_unique:
        raise ValueError("a line occurs twice in the labels")
    rng = generator(seed, "split of lines")
    parts = pd.Series("train", index=labels.index, dtype=object)
    for label in (0, 1):
        lines = rng.permutation(sorted(labels.index[labels == label]))
        n_test = _share_of(len(lines), test_share)
        n_validation = _share_of(len(lines) - n_test, validation_share)
        if n_test + n_validation >= len(lines):
            kind = "sensitive" if label else "resistant"
            raise InputError(
                f"response table: {len(lines)} {kind} lines are too few for training, validation and test part; "
                "choose another cut between sensitive and resistant"
            )
        parts[lines[:n_test]] = "test"
        parts[lines[n_test : n_test + n_validation]] = "validation"
    return parts


def parts_of(split: pd.Series, lines: pd.Index) -> pd.Series:
    """Return the part of each line, in the order of the lines.

    Parameters
    ----------
    split
        ``train``, ``validation`` or ``test``, indexed by line.
    lines
        All lines with a response.

    Raises
    ------
    InputError
        If a line has no part, or one that there is not: such a line would be trained on, whatever it is.
    """
    parts = split.reindex(lines)
    if (lost := ~parts.isin(PARTS)).any():
        raise InputError(
            f"split of lines: {lost.sum()} of {len(lines)} lines have no part in it, such as '{lines[lost.argmax()]}'; "
            "give the split that pretrain_bulk wrote for this drug and this bulk data set"
        )
    return parts


def check_held_out(trained: pd.Index, held_out: pd.Index) -> None:
    """End the run if a line that is only to be tested is among the rows trained on.

    Parameters
    ----------
    trained
        Lines whose rows are trained on.
    held_out
        Lines of the test part.

    Raises
    ------
    InputError
        If one is among them.
    """
    if len(both := trained.intersection(held_out)):
        raise InputError(
            f"split of lines: {len(both)} test lines are among those trained on, such as '{both[0]}'; this is a fault "
            "of the program, please report it"
        )


def _share_of(count: int, share: float) -> int:
    """Return the number of lines for a part: at least one if a part is asked for at all."""
    return max(1, round(count * share)) if share > 0 else 0
