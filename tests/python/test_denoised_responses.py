"""Responses denoised with the other drugs of a panel."""

from dataclasses import replace

import numpy as np
import pandas as pd
from synthetic_cells import CPU, SHIFTED, TRAINING, make_lines

from pharmacell.data.lines import load_lines, panel_of
from pharmacell.data.splits import split_lines
from pharmacell.linear.denoised_responses import FEWEST_DRUGS, denoised_response
from pharmacell.response.training_lines import SplitLines, prepare_training_lines


def noisy_panel(n_lines: int = 200, n_drugs: int = 60, missing: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Return a panel of three programmes with noise and gaps, and the first drug's response without noise."""
    rng = np.random.default_rng(0)
    true = rng.normal(size=(n_lines, 3)) @ rng.normal(size=(3, n_drugs))
    panel = true + rng.normal(0, 2, true.shape)
    gaps = rng.random(true.shape) < missing
    gaps[:, 0] = False
    panel[gaps] = np.nan
    return panel, true[:, 0]


def test_other_drugs_bring_a_noisy_response_closer_to_the_truth():
    panel, true = noisy_panel()
    denoised = denoised_response(panel, panel[:, 0])
    assert denoised.shape == (200,)
    assert np.corrcoef(denoised, true)[0, 1] > np.corrcoef(panel[:, 0], true)[0, 1] + 0.05
    assert abs(denoised.mean() - panel[:, 0].mean()) < 1e-6


def test_few_drugs_or_none_leave_the_response_as_it_is():
    panel, _ = noisy_panel()
    for few in (None, panel[:, : FEWEST_DRUGS - 1], panel[: FEWEST_DRUGS - 1]):
        response = panel[: len(few), 0] if few is not None else panel[:, 0]
        assert np.array_equal(denoised_response(few, response), response)


def test_a_drug_without_any_response_does_no_harm():
    panel, _ = noisy_panel()
    panel[:, 7] = np.nan
    assert np.isfinite(denoised_response(panel, panel[:, 0])).all()


def test_panel_has_the_drug_first_and_drugs_given_to_half_of_the_lines():
    names = [f"L{i}" for i in range(10)]
    table = pd.DataFrame(
        [("b", name, 1.0) for name in names]
        + [("a", name, 2.0) for name in names[:5]]
        + [("rare", name, 3.0) for name in names[:4]]
        + [("b", "elsewhere", 9.0)],
        columns=["drug", "line", "z"],
    )
    panel = panel_of(table, "b", pd.Index(names))
    assert panel.shape == (10, 2)
    assert (panel[:, 0] == -1).all()
    assert np.isnan(panel[5:, 1]).all()
    assert panel_of(table[table["drug"] == "b"], "b", pd.Index(names)) is None


def test_loaded_lines_carry_the_panel(tmp_path):
    from synthetic_cells import DRUG, write_bulk

    bulk, response = write_bulk(tmp_path)
    table = pd.read_parquet(response)
    pd.concat([table, table.assign(drug="Other", z=-table["z"])]).to_parquet(response)
    lines = load_lines(bulk, response, DRUG, pd.Index(make_lines().genes))
    assert np.allclose(lines.panel[:, 0], lines.response)
    assert np.allclose(lines.panel[:, 1], -lines.response)


def test_lines_that_a_replica_does_not_learn_from_do_not_reach_its_denoised_response():
    lines = make_lines(300)
    panel, _ = noisy_panel(300)
    panel[:, 0] = lines.response
    split = split_lines(lines.labels, 7)
    settings = replace(TRAINING, **SHIFTED)
    scaler, _ = lines.standardised((split != "test").to_numpy())

    def denoised(values: np.ndarray):
        bulk = SplitLines(replace(lines, panel=values), split)
        return prepare_training_lines(bulk, scaler, settings, 2, 7, CPU)

    clean = denoised(panel)
    inside = np.flatnonzero((split != "test").to_numpy())
    poisoned = panel.copy()
    poisoned[(split == "test").to_numpy()] = 1e3
    poisoned[inside[clean.held_out[0]]] = -1e3
    other = denoised(poisoned)
    rows = clean.training_rows(0)
    assert np.array_equal(clean.denoised_response[0, rows], other.denoised_response[0, rows])
    assert not np.array_equal(clean.denoised_response[0, rows], clean.response[rows])
    assert not np.array_equal(
        clean.denoised_response[1], other.denoised_response[1]
    )  # replica 1 learns from lines of fold 0
