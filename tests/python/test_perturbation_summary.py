"""From out-of-fold predictions to scores, gains, figures and the report's part."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bad_input import refuse
from click.testing import CliRunner
from perturbation_tables import small_table

from pharmacell.cli.kaggle_summary import kaggle_summary
from pharmacell.perturbation.metrics import METRICS, Scorer
from pharmacell.perturbation.models.registry import FitOptions, build
from pharmacell.perturbation.protocols import folds
from pharmacell.report.page import write_report

SEEDS = (0, 1)
MODELS = ("zeros", "mean_per_cell_type", "additive", "ridge", "gru")  # gru stands for a network, filled with a guess
PROTOCOLS = ("kaggle", "leave_compound_out")


def write_table(table, path):
    genes = pd.DataFrame(table.y, columns=table.genes)
    pd.concat([table.keys.assign(control=table.control), genes], axis=1).to_parquet(path)


def out_of_fold(table, model, protocol):
    """Return the rows of one file, as kaggle_train writes them; the networks are as good as the truth plus noise."""
    rng, parts = np.random.default_rng(0), []
    for fold, (train, test) in enumerate(folds(table, protocol, 0)):
        if model == "gru":
            found = table.y[test] + 0.1 * rng.normal(size=(len(SEEDS), len(test), len(table.genes)))
        else:
            found = build(model, FitOptions()).fit_predict(table.take(train), table.keys.iloc[test], SEEDS, None)
            found = found.predictions
        for seed, values in zip(SEEDS, found, strict=True):
            keys = {
                "model": model,
                "encoding": "smiles" if model == "gru" else "none",
                "protocol": protocol,
                "seed": seed,
                "fold": fold,
                "row": test,
            }
            parts.append(
                pd.concat([pd.DataFrame(keys), pd.DataFrame(values.astype(np.float32), columns=table.genes)], axis=1)
            )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def table():
    return small_table(n_genes=120)


@pytest.fixture(scope="module")
def inputs(table, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    write_table(table, folder / "train.parquet")
    (folder / "predictions").mkdir()
    (folder / "history").mkdir()
    for protocol in PROTOCOLS:
        for model in MODELS:
            out_of_fold(table, model, protocol).to_parquet(folder / f"predictions/{model}_{protocol}.parquet")
        losses = pd.DataFrame(
            [
                ("gru", "smiles", protocol, fold, seed, epoch, part, np.exp(-epoch / 4) + 0.1 * seed)
                for fold in range(2)
                for seed in SEEDS
                for part in ("train", "validation")
                for epoch in range(1, 9)
            ],
            columns=["model", "encoding", "protocol", "fold", "seed", "epoch", "part", "loss"],
        )
        losses.to_csv(folder / f"history/gru_{protocol}.csv", index=False)
    return folder


def arguments(inputs: Path) -> list[str]:
    return [
        "--de_train",
        str(inputs / "train.parquet"),
        "--predictions",
        str(inputs / "predictions"),
        "--history",
        str(inputs / "history"),
    ]


@pytest.fixture(scope="module")
def results(inputs, tmp_path_factory) -> Path:
    outdir = tmp_path_factory.mktemp("results")
    done = CliRunner().invoke(kaggle_summary, [*arguments(inputs), "--outdir", str(outdir), "--threads", "1"])
    assert done.exit_code == 0, done.output
    return outdir


def test_scores_are_those_of_each_fold_and_seed(results, inputs, table):
    scores = pd.read_csv(results / "scores.csv")
    assert list(scores.columns) == ["model", "encoding", "protocol", "seed", "fold", "metric", "value"]
    assert set(scores["metric"]) == set(METRICS)
    assert set(scores["model"]) == set(MODELS)
    assert set(scores["seed"]) == set(SEEDS)
    assert set(scores["encoding"]) == {"none", "smiles"}
    written = pd.read_parquet(inputs / "predictions/gru_kaggle.parquet").query("seed == 1 and fold == 0")
    expected = Scorer(table.y[written["row"]]).score(written[table.genes].to_numpy()).mean()
    found = scores.query("model == 'gru' and protocol == 'kaggle' and seed == 1 and fold == 0").set_index("metric")
    assert found["value"].to_dict() == pytest.approx(expected)


def test_cell_types_and_compounds_have_mean_and_extremes(results, table):
    for name, column, values in (
        ("per_cell_type", "cell_type", table.cell_type),
        ("per_compound", "sm_name", table.sm_name),
    ):
        found = pd.read_csv(results / f"{name}.csv").query("protocol == 'leave_compound_out'")
        assert set(found[column]) == set(values)
        mrrmse = found.query("metric == 'mrrmse' and model == 'zeros'")
        assert (mrrmse["min"] <= mrrmse["mean"]).all()
        assert (mrrmse["mean"] <= mrrmse["max"]).all()
        assert mrrmse["n_rows"].sum() == len(values)
        chosen = mrrmse[mrrmse[column] == values[0]].iloc[0]
        rows = table.y[values == values[0]]
        assert chosen["mean"] == pytest.approx(np.sqrt((rows**2).mean(axis=1)).mean(), rel=1e-4)


def test_gains_name_the_best_baseline_and_find_the_better_model(results):
    gains = pd.read_csv(results / "gains.csv").query("protocol == 'kaggle' and metric == 'mrrmse'").set_index("model")
    baselines = gains.loc[["zeros", "mean_per_cell_type", "additive"], "value"]
    assert set(gains["baseline"]) == {baselines.idxmin()}
    assert gains.loc["gru", "low"] > 0
    assert gains.loc["gru", "gain"] == pytest.approx(baselines.min() - gains.loc["gru", "value"])
    assert gains.loc[baselines.idxmin(), "gain"] == 0


def test_every_figure_is_drawn_for_every_protocol(results):
    kinds = ("accuracy", "signs", "cell_types", "compounds", "row", "learning")
    expected = {f"{protocol}_{kind}.{suffix}" for protocol in PROTOCOLS for kind in kinds for suffix in ("png", "svg")}
    assert {path.name for path in (results / "figures").iterdir()} == expected


def test_report_says_what_beats_the_baseline(results, tmp_path):
    page = write_report([results / "perturbation.mqc"], "PharmaCell", {}, tmp_path).read_text()
    for protocol in PROTOCOLS:
        assert f"{protocol}: 1 scores" in page
    assert (
        "Better than it: GRU, smiles" in page.replace("\n", " ")
        or "Better than it: ridge regression; GRU, smiles" in page
    )
    assert page.count("<figure") == 12


BAD = {
    "other genes": (lambda t, p: p.rename(columns={t.genes[0]: "OTHER"}), "its genes are not those"),
    "no row numbers": (lambda t, p: p.drop(columns="row"), "the column row is missing"),
    "rows beyond the table": (lambda t, p: p.assign(row=p["row"] + 20), "not distinct numbers below 28"),
    "not finite": (lambda t, p: p.assign(GENE0=np.float32(np.nan)), "a prediction is not finite"),
    "fewer rows": (lambda t, p: p[p["row"] != p["row"].iloc[0]].reset_index(drop=True), "was tested on other rows"),
    "same model twice": (lambda t, p: p.assign(model="ridge"), "stands in"),
}


@pytest.mark.parametrize("kind", BAD)
def test_files_that_do_not_belong_together_are_refused(inputs, table, tmp_path, kind):
    change, expected = BAD[kind]
    folder = tmp_path / "predictions"
    folder.mkdir()
    for model in ("ridge", "zeros"):
        (folder / f"{model}.parquet").symlink_to(inputs / f"predictions/{model}_kaggle.parquet")
    changed = change(table, pd.read_parquet(inputs / "predictions/additive_kaggle.parquet"))
    changed.to_parquet(folder / "additive.parquet")
    arguments = ["--de_train", str(inputs / "train.parquet"), "--predictions", str(folder)]
    refuse(kaggle_summary, arguments, tmp_path / "out", expected)


def test_folder_without_predictions_is_refused(inputs, tmp_path):
    refuse(
        kaggle_summary,
        ["--de_train", str(inputs / "train.parquet"), "--predictions", str(inputs / "history")],
        tmp_path / "out",
        "holds no predictions",
    )


def test_comparison_without_baselines_has_scores_and_no_gains(inputs, tmp_path):
    """As after their training failed."""
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions/ridge.parquet").symlink_to(inputs / "predictions/ridge_kaggle.parquet")
    arguments = ["--de_train", inputs / "train.parquet", "--predictions", tmp_path / "predictions"]
    arguments += ["--outdir", tmp_path / "out", "--threads", "1"]
    result = CliRunner().invoke(kaggle_summary, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv(tmp_path / "out/scores.csv")["model"]) == {"ridge"}
    assert pd.read_csv(tmp_path / "out/gains.csv")["gain"].isna().all()
    assert list((tmp_path / "out/perturbation.mqc").iterdir())
