"""Tuning chooses on the source alone, and the settings that it writes are read back."""

import json

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from synthetic_cells import DRUG, make_lines, write_bulk, write_cells

from pharmacell.benchmark.model_settings import parse_settings, settings_line
from pharmacell.benchmark.registry import get
from pharmacell.benchmark.tune import RANGES, tune, tuning_folds
from pharmacell.cli.cross_validate import cross_validate
from pharmacell.cli.plan_folds import plan_folds
from pharmacell.cli.tune import tune as command
from pharmacell.core.errors import InputError
from pharmacell.data.splits import split_lines

CPU = torch.device("cpu")


def run(folder, *arguments):
    data = [
        "--bulk",
        folder / "bulk.h5ad",
        "--response",
        folder / "response.parquet",
        "--drug",
        DRUG,
        "--sample",
        "s",
        "--target",
        folder / "s.h5ad",
        "--outdir",
        folder,
        "--threads",
        "1",
        "--device",
        "cpu",
    ]
    return CliRunner().invoke(command, [str(argument) for argument in [*data, *arguments]])


def results(folder, model):
    return json.loads((folder / f"s.{model}.params.json").read_text()), pd.read_csv(folder / f"s.{model}.trials.csv")


@pytest.mark.parametrize("validation", ["shifted", "plain"])
def test_neither_cells_nor_the_test_part_of_the_lines_are_read(tmp_path, validation):
    lines = make_lines(120)
    found = []
    for name in ("clean", "poisoned"):
        folder = tmp_path / name
        folder.mkdir()
        write_cells(folder / "s.h5ad")
        if name == "poisoned":
            cells = ad.read_h5ad(folder / "s.h5ad")
            cells.X = np.full(cells.shape, np.nan, np.float32)
            cells.obs["pharmacell_truth"] = 1 - cells.obs["pharmacell_truth"]
            cells.write_h5ad(folder / "s.h5ad")
            test = (split_lines(lines.labels, 3) == "test").to_numpy()
            assert test.sum() > 10
            lines.x[test] = 1e4
            lines.response[test] = 77.0
        write_bulk(folder, lines)
        outcome = run(folder, "--model", "mlp", "--trials", 3, "--epochs", 3, "--validation", validation, "--seed", 3)
        assert outcome.exit_code == 0, outcome.output
        found.append(results(folder, "mlp"))
    assert found[0][0] == found[1][0]
    pd.testing.assert_frame_equal(found[0][1], found[1][1])


def test_the_best_trial_is_written_as_settings_that_the_benchmark_reads(tmp_path):
    write_cells(tmp_path / "s.h5ad")
    write_bulk(tmp_path, make_lines(120))
    assert run(tmp_path, "--model", "logistic", "--trials", 8).exit_code == 0
    params, trials = results(tmp_path, "logistic")
    complete = trials[trials["state"] == "complete"]
    best = complete.loc[complete["score"].idxmax()]
    assert len(trials) == 8
    assert best["score"] >= trials["score"][0]  # the defaults come first
    if np.isnan(best["c"]):
        assert params == {}
    else:
        settings = parse_settings(params["model_settings"])
        assert settings["logistic"]["c"] == pytest.approx(best["c"])
        assert get("logistic", **settings["logistic"]).config.c == pytest.approx(best["c"])


def test_main_model_is_tuned_as_params_of_the_pipeline(tmp_path):
    write_cells(tmp_path / "s.h5ad")
    write_bulk(tmp_path, make_lines(120))
    outcome = run(tmp_path, "--model", "atsdp", "--trials", 2, "--epochs", 1)
    assert outcome.exit_code == 0, outcome.output
    params, trials = results(tmp_path, "atsdp")
    assert {"learning_rate", "dropout", "omega", "theta"} <= set(trials.columns)
    assert set(params) <= set(RANGES)


def test_model_without_settings_gets_the_score_of_its_defaults(tmp_path):
    best, trials = tune(tuning_folds(make_lines(120), "plain", None, 0), "signature", 5, 0, CPU)
    assert best == {}
    assert len(trials) == 1
    assert trials["score"][0] > 0.8


def test_same_seed_same_trials_and_hopeless_ones_are_given_up():
    folds = tuning_folds(make_lines(120), "plain", None, 0)
    first, again = (tune(folds, "logistic", 25, 0, CPU)[1] for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    assert first["c"].dropna().between(RANGES["c"].low, RANGES["c"].high).all()
    assert set(first["state"]) == {"complete", "pruned"}
    scores = first.groupby("state")["score"]
    assert scores.max()["pruned"] < scores.median()["complete"]


def test_folds_are_disjoint_and_shifted_cells_stand_line_by_line():
    lines = make_lines(120)
    inside = (split_lines(lines.labels, 0) != "test").to_numpy()
    plain, shifted = (tuning_folds(lines, kind, None, 0) for kind in ("plain", "shifted"))
    assert sum(len(part.labels) for part in plain) == inside.sum()
    for part in plain:
        assert len(part.fold.bulk) + len(part.labels) == inside.sum()
        assert (part.fold.train_labels == -1).all()
        assert part.score(part.labels.astype(float)) == 1
    for part in shifted:
        assert len(part.fold.test) == part.n_severities * part.n_rows * len(part.labels)
        truth = np.tile(np.repeat(part.labels, part.n_rows), part.n_severities)
        assert part.score(truth.astype(float)) == 1
        assert not np.array_equal(part.fold.train, part.fold.test)


def test_settings_line_is_read_back_and_nonsense_is_refused():
    values = {"dropout": 0.25, "batch_size": 64}
    text = settings_line("cnn", values) + ", ridge.alpha=1e4"
    assert parse_settings(text) == {"cnn": values, "ridge": {"alpha": 1e4}}
    assert parse_settings(None) == {}
    for text, reason in (
        ("cnn.colour=3", "colour"),
        ("net.dropout=1", "no such model"),
        ("cnn.dropout=much", "much"),
        ("cnn.user_seed=1", "no such number"),
        ("prevalence.c=1", "none"),
    ):
        with pytest.raises(InputError, match=reason):
            parse_settings(text)


def test_what_tune_found_enters_the_fits_of_the_same_run(tmp_path):
    write_cells(tmp_path / "s.h5ad", n_cells=90)
    write_bulk(tmp_path, make_lines(120))
    files = [
        "--bulk",
        tmp_path / "bulk.h5ad",
        "--response",
        tmp_path / "response.parquet",
        "--target",
        tmp_path / "s.h5ad",
    ]
    common = ["--sample", "s", "--drug", DRUG, "--threads", 1, "--device", "cpu", "--outdir", tmp_path, *files]

    def invoke(called, *arguments):
        return CliRunner().invoke(called, [str(argument) for argument in (*common, *arguments)])

    assert (
        invoke(plan_folds, "--models", "ridge", "--protocol", "transfer", "--repeats", 1, "--folds", 2).exit_code == 0
    )
    (tmp_path / "s.ridge.params.json").write_text('{"model_settings": "ridge.alpha=7.0"}')
    (tmp_path / "s.mlp.params.json").write_text('{"model_settings": "mlp.dropout=0.5"}')
    (tmp_path / "nothing.params.json").write_text("{}")

    def probabilities(*arguments):
        fit = ("--folds", tmp_path / "s.folds.csv", "--model", "ridge", "--slice", "0:2", "--name", "fit")
        ended = invoke(cross_validate, *fit, *arguments)
        assert ended.exit_code == 0, ended.output
        return pd.read_parquet(tmp_path / "fit.predictions.parquet")["probability"].to_numpy()

    default, given = probabilities(), probabilities("--model_settings", "ridge.alpha=7")
    assert np.abs(default - given).max() > 0.01
    np.testing.assert_array_equal(probabilities("--tuned", tmp_path / "s.ridge.params.json"), given)
    np.testing.assert_array_equal(probabilities("--tuned", tmp_path / "nothing.params.json"), default)
    fit = ("--folds", tmp_path / "s.folds.csv", "--model", "ridge", "--slice", "0:2")
    ended = invoke(cross_validate, *fit, "--tuned", tmp_path / "s.mlp.params.json")
    assert (ended.exit_code, "not what tune wrote for ridge" in ended.output) == (1, True)
