"""Splits of lines: stratified, seeded, and free of overlap."""

import numpy as np
import pandas as pd
import pytest

from pharmacell.core.errors import InputError
from pharmacell.data.splits import split_lines

LABELS = pd.Series([1] * 30 + [0] * 70, index=[f"L{i}" for i in range(100)])


def test_shares_and_classes():
    parts = split_lines(LABELS, 0)
    assert parts.value_counts().to_dict() == {"train": 64, "test": 20, "validation": 16}
    assert LABELS[parts == "test"].mean() == pytest.approx(0.3)
    assert parts.index.equals(LABELS.index)


def test_seed_decides_and_order_does_not():
    parts = split_lines(LABELS, 3)
    shuffled = split_lines(LABELS.sample(frac=1, random_state=1), 3)
    assert parts.equals(shuffled.reindex(parts.index))
    assert not parts.equals(split_lines(LABELS, 4))


def test_a_line_stands_once():
    with pytest.raises(ValueError, match="occurs twice"):
        split_lines(pd.Series([1, 0], index=["A", "A"]), 0)


def test_too_few_lines_of_a_class():
    with pytest.raises(InputError, match="2 sensitive lines are too few"):
        split_lines(pd.Series(np.r_[1, 1, np.zeros(20)], index=[f"L{i}" for i in range(22)]), 0)


def test_no_validation_part():
    assert "validation" not in set(split_lines(LABELS, 0, validation_share=0.0))
