"""Sets that a verdict is calibrated on share no line with what their model learns from, nor with fresh sets."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
calibration_sets, simulated_sets = (importlib.import_module(name) for name in ("calibration_sets", "simulated_sets"))


@pytest.fixture(scope="module")
def panel():
    rng, n_lines = np.random.default_rng(0), 200
    lines = pd.Index([f"LINE{number}" for number in range(n_lines)])
    z = pd.DataFrame(rng.normal(size=(n_lines, 4)), lines, list("abcd"))
    tissue = np.repeat(["lung", "skin"], n_lines // 2)
    x = rng.normal(size=(n_lines, 30)).astype(np.float32)
    return simulated_sets.Panel(x, np.array([f"G{number}" for number in range(30)]), lines, z, tissue, {})


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(calibration_sets, "FEWEST_LINES", 100)
    monkeypatch.setattr(calibration_sets, "EVERY", 2)
    monkeypatch.setattr(calibration_sets, "GENES", 20)
    monkeypatch.setattr(calibration_sets, "WRONG", (simulated_sets.Difficulty("few genes", genes=5),))


def draws(panel, fresh):
    return [calibration_sets.make_draw(panel, number, fresh) for number in range(6)]


def test_no_line_of_a_sample_is_learnt_from(panel):
    for draw in draws(panel, False) + draws(panel, True):
        cells = np.concatenate(list(draw.samples.values()))
        assert len(np.unique(cells)) == len(cells)
        assert set(cells) <= set(draw.held)
        assert not set(draw.held) & set(draw.learn)
        assert len(set(panel.tissue[draw.samples["one tissue"]])) == 1
        for lines in draw.samples.values():
            assert {0, 1} == set(draw.sensitive[lines].astype(int))


def test_fresh_draws_have_other_lines_and_half_of_them_other_drugs(panel):
    calibration, fresh = draws(panel, False), draws(panel, True)

    def lines(found):
        return {line for draw in found for rows in draw.samples.values() for line in rows}

    assert not lines(calibration) & lines(fresh)
    assert {draw.drug for draw in calibration} == {"a", "c"}
    assert [draw.drug in ("a", "c") for draw in fresh] == [True, False] * 3
    assert [draw.difficulty.name for draw in fresh] == ["fair", "fair", "few genes"] * 2
