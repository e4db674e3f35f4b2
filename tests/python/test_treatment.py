"""Which cells were treated: what is understood, what is refused, and what coincides with it."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pharmacell.cli.qc import qc
from pharmacell.data.treatment import parse_treatment
from pharmacell.response.treatment import cramers_v, notes, of_treatment

CELLS = Path(__file__).parents[1] / "data" / "cells_cisplatin.h5ad"
READ = {
    "numbers": ([0, 1, 1.0], ["untreated", "treated", "treated"]),
    "truth values": ([True, False], ["treated", "untreated"]),
    "words": (["Vehicle", "AFTER", "post-treatment"], ["untreated", "treated", "treated"]),
    "a drug": (["DMSO", "Erlotinib", "erlotinib"], ["untreated", "Erlotinib", "Erlotinib"]),
    "days": ([11, 0, 1, 3], ["11", "untreated", "1", "3"]),
    "written days": (["D0", "day_3", "day 11"], ["untreated", "day_3", "day 11"]),
    "doses": (["0 uM", "0.1 uM"], ["untreated", "0.1 uM"]),
    "missing": (["pre", None, "unknown", "post"], ["untreated", "not known", "not known", "treated"]),
    "all treated": (["treated", "yes"], ["treated", "treated"]),
}
REFUSED = {
    "no untreated cells": (["arm A", "arm B"], "no value says which cells are untreated: 'arm A' (80 cells)"),
    "late days": ([3, 11], "no value says which cells are untreated"),
    "either": (["DMSO 24h", "cisplatin"], "'DMSO 24h' (80 cells) may mean untreated cells or not"),
    "none": (["none", "cisplatin"], "'none' (80 cells) may mean untreated cells or not"),
    "negative": ([-1, 0], "'-1' (80 cells) may mean untreated cells or not"),
    "nothing": (["", "?"], "no cell has a value; leave treatment_key out"),
    "too many": (list(range(40)), "40 different values, at most 20 treatments"),
}


@pytest.mark.parametrize(("values", "parts"), READ.values(), ids=READ)
def test_words_numbers_and_times_are_understood(values, parts):
    assert list(parse_treatment(pd.Series(values), "file")[0]) == parts


def run_qc(folder: Path, values: list):
    cells = ad.read_h5ad(CELLS)
    cells.obs["arm"] = (values * len(cells))[: len(cells)]
    cells.write_h5ad(folder / "cells.h5ad")
    arguments = ["--sample", "s", "--input", folder / "cells.h5ad", "--treatment_key", "arm", "--min_genes", "50"]
    return CliRunner().invoke(qc, [*map(str, arguments), "--threads", "1", "--outdir", str(folder / "out")])


@pytest.mark.parametrize(("values", "message"), REFUSED.values(), ids=REFUSED)
def test_what_may_mean_either_is_refused_in_one_line(values, message, tmp_path):
    result = run_qc(tmp_path, values)
    assert result.exit_code == 1
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert "column arm: " in line
    assert message in line
    assert not list((tmp_path / "out").glob("*"))


def test_qc_carries_the_treatment_and_says_how_it_was_read(tmp_path):
    assert run_qc(tmp_path, ["0h", "24 h"]).exit_code == 0
    cells = ad.read_h5ad(tmp_path / "out" / "s.h5ad")
    assert list(cells.obs["pharmacell_treatment"].cat.categories) == ["untreated", "24 h"]
    assert (cells.obs["pharmacell_treatment"] == "untreated").tolist() == (cells.obs["arm"] == "0h").tolist()
    notes = json.loads((tmp_path / "out" / "s.qc_summary.json").read_text())["notes"]
    assert "arm: taken as untreated '0h' (80 cells), as treated '24 h' (80 cells)" in notes


def test_coincidence_counts_nested_groups_and_no_chance():
    treated = np.arange(400) % 2
    assert cramers_v(treated, treated) == pytest.approx(1)
    assert cramers_v(np.arange(400) % 20, treated) > 0.9  # each group had one treatment
    by_chance = [cramers_v(np.random.default_rng(seed).integers(0, 80, 400), treated) for seed in range(20)]
    assert np.mean(np.square(by_chance)) < 0.05  # 0.2 without the correction
    assert cramers_v(np.zeros(400), treated) is None


@pytest.mark.parametrize(
    ("treatment", "expected"),
    [
        (["untreated"] * 8, "all cells are untreated"),
        (["treated"] * 8, "no cell is untreated"),
        (["untreated", "treated"] * 4, "Warning: the predicted classes coincide with the treatment (Cramér's V 1.00"),
        (["untreated", "untreated", "treated", "treated"] * 2, "Note: 4 cells are untreated and 4 treated"),
    ],
)
def test_what_the_numbers_mean_is_said(treatment, expected):
    obs = pd.DataFrame({"pharmacell_treatment": treatment})
    assert expected in notes(of_treatment(obs, np.arange(8) % 2))[0]
    assert notes(of_treatment(obs.drop(columns="pharmacell_treatment"), np.arange(8) % 2)) == []
