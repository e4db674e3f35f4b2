"""From the scores of rows to scores, gains, figures and the report's part."""

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
from pharmacell.perturbation.protocols import folds, parts_of_test
from pharmacell.perturbation.row_scores import COLUMNS, example_of
from pharmacell.report.page import write_report

SEEDS = (0, 1)
MODELS = ("zeros", "mean_per_cell_type", "additive", "ridge", "gru")  # gru stands for a network, filled with a guess
PROTOCOLS = ("kaggle", "leave_compound_out")


def write_table(table, path):
    genes = pd.DataFrame(table.y, columns=table.genes)
    pd.concat([table.keys.assign(control=table.control), genes], axis=1).to_parquet(path)


def row_scores(table, model, protocol) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores and example as kaggle_train writes them; the network is as good as the truth plus noise."""
    rng, parts, predictions = np.random.default_rng(0), [], []
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
                "cell_type": table.cell_type[test],
                "sm_name": table.sm_name[test],
                "part": parts_of_test(table, test, protocol, 0),
                "zeros_in_truth": 0.0,
            }
            parts.append(Scorer(table.y[test]).score(values.astype(np.float32)).table().assign(**keys)[list(COLUMNS)])
        predictions.append(found[0])
    rows = pd.concat(parts, ignore_index=True)
    return rows, example_of(rows[rows["seed"] == 0], table.y, np.concatenate(predictions).astype(np.float32))


@pytest.fixture(scope="module")
def table():
    return small_table(n_genes=120)


@pytest.fixture(scope="module")
def inputs(table, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    write_table(table, folder / "train.parquet")
    (folder / "row_scores").mkdir()
    (folder / "history").mkdir()
    for protocol in PROTOCOLS:
        for model in MODELS:
            scores, example = row_scores(table, model, protocol)
            scores.to_parquet(folder / f"row_scores/{model}_{protocol}.row_scores.parquet")
            example.to_parquet(folder / f"row_scores/{model}_{protocol}.examples.parquet")
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
        "--row_scores",
        str(inputs / "row_scores"),
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
    assert list(scores.columns) == ["model", "encoding", "protocol", "seed", "fold", "part", "metric", "value"]
    assert set(scores["metric"]) == set(METRICS)
    assert set(scores["model"]) == set(MODELS)
    assert set(scores["seed"]) == set(SEEDS)
    assert set(scores["encoding"]) == {"none", "smiles"}
    train, test = folds(table, "kaggle", 0)[0]
    predicted = (
        build("ridge", FitOptions()).fit_predict(table.take(train), table.keys.iloc[test], [1], None).predictions
    )
    expected = Scorer(table.y[test]).score(predicted[0]).mean()
    found = scores.query("model == 'ridge' and protocol == 'kaggle' and seed == 1 and fold == 0")
    assert found.query("part == 'all'").set_index("metric")["value"].to_dict() == pytest.approx(expected)
    part = parts_of_test(table, test, "kaggle", 0)
    for name in ("public_test", "private_test"):
        expected = Scorer(table.y[test[part == name]]).score(predicted[0][part == name]).mean()
        values = found.query("part == @name").set_index("metric")["value"]
        assert values.to_dict() == pytest.approx(expected, rel=1e-5)
    assert set(scores.query("protocol == 'leave_compound_out'")["part"]) == {"all"}, "one part is not said twice"


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
    kinds = ("accuracy", "signs", "sign_right", "cell_types", "compounds", "row", "learning")
    expected = {f"{protocol}_{kind}.{suffix}" for protocol in PROTOCOLS for kind in kinds for suffix in ("png", "svg")}
    assert {path.name for path in (results / "figures").iterdir()} == expected


def test_report_says_what_beats_the_baseline(results, tmp_path):
    page = write_report([results / "perturbation.sections"], "PharmaCell", {}, tmp_path).read_text()
    for protocol in PROTOCOLS:
        assert f"{protocol}: 1 scores" in page.lower()
    assert (
        "Better than it: GRU, smiles" in page.replace("\n", " ")
        or "Better than it: ridge regression; GRU, smiles" in page
    )
    assert page.count("<figure") == 14


def test_published_sign_accuracies_stand_beside_ours(results, inputs, tmp_path):
    """The study's networks have ordinal encoding; exact zeros in the truth are a third sign."""
    folder = tmp_path / "row_scores"
    folder.mkdir()
    for path in (inputs / "row_scores").glob("*_kaggle.row_scores.parquet"):
        frame = pd.read_parquet(path).assign(zeros_in_truth=0.125)
        frame.replace({"encoding": {"smiles": "ordinal"}}).to_parquet(folder / path.name)
    arguments = ["--de_train", inputs / "train.parquet", "--row_scores", folder, "--outdir", tmp_path, "--threads", "1"]
    done = CliRunner().invoke(kaggle_summary, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    page = write_report([tmp_path / "perturbation.sections"], "PharmaCell", {}, tmp_path).read_text()
    assert "sign accuracy, published" in page
    assert "<td>0.706</td>" in page
    assert "12.5% of the true values are exactly 0" in page.replace("\n", " ")
    of_smiles = write_report([results / "perturbation.sections"], "PharmaCell", {}, tmp_path).read_text()
    assert "<td>0.706</td>" not in of_smiles


BAD = {
    "no row numbers": (lambda p: p.drop(columns="row"), "the column row is missing"),
    "a row twice": (lambda p: pd.concat([p, p.head(1)]), "a row stands there twice"),
    "fewer rows": (lambda p: p[p["row"] != p["row"].iloc[0]].reset_index(drop=True), "was tested on other rows"),
    "of another table": (lambda p: p.assign(sm_name="x"), "was tested on other rows"),
    "same model twice": (lambda p: p.assign(model="ridge"), "stands in"),
}


@pytest.mark.parametrize("kind", BAD)
def test_files_that_do_not_belong_together_are_refused(inputs, tmp_path, kind):
    change, expected = BAD[kind]
    folder = tmp_path / "row_scores"
    folder.mkdir()
    for model in ("ridge", "zeros"):
        name = f"{model}_kaggle.row_scores.parquet"
        (folder / name).symlink_to(inputs / "row_scores" / name)
    changed = change(pd.read_parquet(inputs / "row_scores/additive_kaggle.row_scores.parquet"))
    changed.to_parquet(folder / "additive.row_scores.parquet")
    arguments = ["--de_train", str(inputs / "train.parquet"), "--row_scores", str(folder)]
    refuse(kaggle_summary, arguments, tmp_path / "out", expected)


def test_folder_without_scores_is_refused(inputs, table, tmp_path):
    arguments = ["--de_train", str(inputs / "train.parquet"), "--row_scores", str(inputs / "history")]
    refuse(kaggle_summary, arguments, tmp_path / "out", "holds no scores")
    write_table(table.take(np.array([0, 0, 1])), tmp_path / "bad.parquet")
    arguments[1] = str(tmp_path / "bad.parquet")
    refuse(kaggle_summary, arguments, tmp_path / "out", "stands there 2 times")


def test_comparison_without_baselines_has_scores_and_no_gains(inputs, tmp_path):
    """As after their training failed."""
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores/row_scores.parquet").symlink_to(inputs / "row_scores/ridge_kaggle.row_scores.parquet")
    arguments = ["--de_train", inputs / "train.parquet", "--row_scores", tmp_path / "scores"]
    arguments += ["--outdir", tmp_path / "out", "--threads", "1"]
    result = CliRunner().invoke(kaggle_summary, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv(tmp_path / "out/scores.csv")["model"]) == {"ridge"}
    assert pd.read_csv(tmp_path / "out/gains.csv")["gain"].isna().all()
    assert list((tmp_path / "out/perturbation.sections").iterdir())
