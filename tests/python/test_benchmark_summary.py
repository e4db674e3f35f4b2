"""The summary of a benchmark: what it averages, what it names as missing, what it compares, what it refuses."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_benchmark import KEY, write_benchmark

from pharmacell.benchmark.columns import FIT, SETTING
from pharmacell.benchmark.main_settings import main_settings
from pharmacell.benchmark.paper_tables import PUBLISHED
from pharmacell.benchmark.published import read_published
from pharmacell.benchmark.registry import model_names
from pharmacell.benchmark.summary import Choices, Summary, costs_of, summarise, write_summary
from pharmacell.core.errors import InputError
from pharmacell.evaluate.metrics import score
from pharmacell.evaluate.resampled_tests import corrected_interval, corrected_t_test

SMALL = {
    "datasets": ("one",),
    "protocols": ("labels",),
    "samplings": ("none",),
    "repeats": 2,
    "folds": 2,
    "n_cells": 24,
}


def summary_of(folder: Path, **choices) -> Summary:
    listed = {name: sorted((folder / name).iterdir()) for name in ("plans", "predictions", "fits")}
    return summarise(folder / "expected.csv", **listed, outdir=folder / "out", choices=Choices(**choices))


def slice_of(folder: Path, name: str) -> Path:
    return folder / "predictions" / f"{name}.predictions.parquet"


def rows_of(table: pd.DataFrame, **values) -> pd.DataFrame:
    for name, value in values.items():
        table = table[table[name] == value]
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    write_benchmark(folder)
    return folder


@pytest.fixture(scope="module")
def whole(folder) -> Summary:
    return summary_of(folder)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory) -> Summary:
    """One slice is lost, one fold of another is cut short, one probability of a third is no number."""
    folder = tmp_path_factory.mktemp("damaged")
    write_benchmark(folder, datasets=("one", "two", "three"), protocols=("labels",), samplings=("none",))
    slice_of(folder, "one.ridge.None.none.labels").unlink()
    (folder / "fits" / "one.ridge.None.none.labels.fits.csv").unlink()
    path = slice_of(folder, "two.logistic.None.none.labels")
    table = pd.read_parquet(path)
    table.drop(rows_of(table, repeat=1, fold=2).index[:3]).to_parquet(path)
    path = slice_of(folder, "two.atsdp.4.none.labels")
    table = pd.read_parquet(path)
    table.loc[rows_of(table, repeat=0, fold=0).index[0], "probability"] = np.nan
    table.to_parquet(path)
    return summary_of(folder)


def test_scores_are_those_of_each_fold(whole, folder):
    predictions = pd.read_parquet(folder / "out" / "predictions.parquet")
    one = rows_of(
        predictions, dataset="other", model="atsdp", heads=4, sampling="smote", protocol="transfer", repeat=2, fold=1
    )
    expected = score(one["truth"].to_numpy(), one["probability"].to_numpy())
    found = rows_of(whole.scores, **one.iloc[0][FIT].to_dict()).set_index("metric")["value"]
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert {"lift", "expected_calibration_error", "seconds", "peak_bytes"} <= set(found.index)
    assert list(whole.scores.columns) == [*KEY, "metric", "value"]
    n_fits = 2 * 2 * (3 * 2 + 3) * 3 * 4  # datasets, protocols, settings, repeats, folds
    assert len(whole.scores) == n_fits * (12 + 2)
    assert len(predictions) == n_fits * 12
    assert len(whole.missing) == 0


def test_mean_and_deviation_are_over_the_repeats(whole):
    setting = {"dataset": "data1", "model": "ridge", "protocol": "labels"}
    repeats = rows_of(whole.wide, **setting).groupby("repeat")["auroc"].mean()
    found = rows_of(whole.means, **setting, metric="auroc").iloc[0]
    assert found["mean"] == pytest.approx(repeats.mean())
    assert found["sd"] == pytest.approx(repeats.std(ddof=1))
    assert (found["n_repeats"], found["n_expected"], found["n_missing"]) == (3, 12, 0)
    assert found["low"] < found["mean"] < found["high"]
    text = rows_of(whole.tables["table3"], **setting)["auroc"].item()
    assert text == f"{repeats.mean():.3f} ± {repeats.std():.3f}"


def test_scores_that_do_not_exist_are_counted_with_their_reason(whole):
    found = rows_of(whole.undefined, model="prevalence", dataset="data1", protocol="labels").set_index("metric")
    assert found["reason"].to_dict() == {
        "mcc": "all cells get the same label",
        "precision": "no cell is called sensitive",
    }
    assert (found["n_folds"] == 12).all()
    row = rows_of(whole.tables["table3"], model="prevalence", dataset="data1", protocol="labels").iloc[0]
    assert (row["precision"], row["mcc"]) == ("undefined", "undefined")
    assert row["auroc"] == "0.500 ± 0.000"


def test_missing_fits_are_named_and_never_averaged_away(damaged):
    missing = damaged.missing
    assert len(missing) == 12 + 1 + 1
    lost = rows_of(missing, dataset="one", model="ridge")
    assert (lost["reason"] == "no predictions: the fit failed or was not run").all()
    assert rows_of(missing, model="logistic")[["dataset", "repeat", "fold", "reason"]].to_numpy().tolist() == [
        ["two", 1, 2, "9 of 12 cells are predicted"]
    ]
    assert rows_of(missing, model="atsdp", heads=4)["reason"].item().startswith("1 of 12 cells have a probability")
    for setting, said in (
        ({"dataset": "one", "model": "ridge"}, "missing (12 of 12 folds)"),
        ({"dataset": "two", "model": "logistic"}, "missing (1 of 12 folds)"),
    ):
        assert rows_of(damaged.tables["table3"], **setting)["auroc"].item() == said
        row = rows_of(damaged.means, **setting, metric="auroc").iloc[0]
        assert row[["mean", "sd", "low", "high"]].isna().all()
        tested = rows_of(damaged.statistics, **setting)
        assert tested["p"].isna().all()
        assert tested["note"].str.startswith(f"not tested: {setting['model']} lacks").all()
        assert (tested["better"] == "").all()
    kept = rows_of(damaged.scores, dataset="two", model="logistic", metric="auroc")
    assert len(kept) == 11


def test_models_with_gaps_are_left_out_of_the_ranks_by_name(damaged):
    found = damaged.rankings["labels", "auroc"]
    assert set(found.ranks.index) == {"atsdp", "prevalence"}
    assert found.note.startswith("not tested: 3 datasets and 2 models")
    assert found.note.endswith("left out because a dataset is missing or undefined: logistic, ridge")
    ranks = rows_of(damaged.tables["table4"], metric="auroc").set_index("model")["mean_rank"]
    assert ranks[["atsdp", "prevalence"]].tolist() == [1, 2]
    assert ranks[["ridge", "logistic"]].isna().all()


def test_every_model_is_tested_against_atsdp_on_the_same_folds(whole):
    found = rows_of(whole.statistics, dataset="other", protocol="transfer", metric="auroc").set_index("model")
    assert set(found.index) == {"ridge", "logistic", "prevalence"}
    scores = rows_of(whole.wide, dataset="other", protocol="transfer")
    reference = rows_of(scores, model="atsdp", heads=8, sampling="none").set_index(["repeat", "fold"])["auroc"]
    other = rows_of(scores, model="prevalence").set_index(["repeat", "fold"])["auroc"]
    t, p = corrected_t_test((other - reference).to_numpy(), 1 / 3)
    row = found.loc["prevalence"]
    assert row[["t", "p", "difference"]].tolist() == pytest.approx([t, p, (other - reference).mean()])
    assert row["p_holm"] == pytest.approx(min(1, 3 * p))  # the smallest of three
    assert (row["better"], row["reference_heads"], row["n_folds"]) == ("atsdp", 8, 12)
    assert row["superiority"] < 0.5
    assert (found["p_holm"] >= found["p"]).all()


def test_repeats_of_the_same_folds_are_averaged_and_add_no_evidence(tmp_path):
    write_benchmark(tmp_path, **SMALL | {"protocols": ("leave_group_out",), "repeats": 6, "folds": 4, "n_cells": 48})
    summary = summary_of(tmp_path)
    scores = rows_of(summary.wide, dataset="one").assign(heads=lambda table: table["heads"].fillna(8))
    groups = scores.pivot_table("auroc", "fold", ["model", "heads"])
    t, p = corrected_t_test((groups["ridge", 8] - groups["atsdp", 8]).to_numpy(), 1 / 3)
    row = rows_of(summary.statistics, model="ridge", metric="auroc").iloc[0]
    assert row["n_folds"] == 4
    assert row[["t", "p"]].tolist() == pytest.approx([t, p])
    mean = rows_of(summary.means, model="ridge", metric="auroc").iloc[0]
    assert mean[["low", "high"]].tolist() == pytest.approx(corrected_interval(groups["ridge", 8].to_numpy(), 1 / 3))
    assert mean["n_expected"] == 24


def test_the_training_share_of_the_test_is_that_of_the_cells_learnt_from(tmp_path):
    found = []
    for name, n_train in (("all", None), ("few", 6)):  # 12 cells test a fold, 12 others train
        write_benchmark(tmp_path / name, **SMALL, n_train=n_train)
        summary = summary_of(tmp_path / name)
        found.append(rows_of(summary.statistics, model="ridge", metric="auroc").iloc[0])
        width = rows_of(summary.means, model="ridge", metric="auroc").iloc[0]
        found.append(width)
    every, width, few, wider = found
    assert few["t"] == pytest.approx(every["t"] * np.sqrt((1 / 4 + 12 / 12) / (1 / 4 + 12 / 6)))
    assert wider["high"] - wider["low"] == pytest.approx((width["high"] - width["low"]) * np.sqrt(2.25 / 1.25))


def test_lower_brier_is_better(whole):
    found = rows_of(whole.statistics, model="prevalence", metric="brier")
    assert (found["difference"] > 0).all()
    assert (found["better"] != "prevalence").all()


def test_the_setting_that_stands_for_a_model_is_chosen_without_scores(whole):
    expected = whole.expected
    chosen = {
        heads: rows_of(main_settings(expected, heads), model="atsdp")["heads"].unique().tolist()
        for heads in (0, 3, 4, 7, 8, 64)
    }
    assert chosen == {0: [0], 3: [0], 4: [4], 7: [4], 8: [8], 64: [8]}
    assert main_settings(expected[expected["heads"].ne(0)], 2).query("model == 'atsdp'")["heads"].unique() == [4]
    smote = main_settings(expected, 8, "smote")
    assert set(rows_of(smote, model="atsdp")["sampling"]) == {"smote"}
    assert set(rows_of(smote, model="ridge")["sampling"]) == {"none"}
    assert len(smote) == 2 * 2 * 4


def test_tables_have_the_rows_and_columns_of_the_paper(whole, tmp_path):
    first, third, _ = ours = [rows_of(whole.tables[name], source="this run") for name in ("table1", "table3", "table4")]
    fourth = whole.tables["table4"]
    assert [len(whole.tables[f"table{n}"]) > len(part) for n, part in zip((1, 3, 4), ours, strict=True)] == [True] * 3
    assert set(zip(first["protocol"], first["dataset"], first["sampling"], strict=True)) == {
        (p, d, s) for p in ("labels", "transfer") for d in ("data1", "other") for s in ("none", "smote")
    }
    assert set(first["heads"]) == {8}
    assert len(third) == 2 * 2 * (3 * 2 + 3)
    assert {"data1", "other", "mean_rank"} <= set(fourth)
    assert len(ours[2]) == 2 * 4 * 4  # protocols, scores, models
    write_summary(whole, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        *(
            f"{name}.csv"
            for name in (
                "scores",
                "summary",
                "missing",
                "undefined",
                "fits",
                "costs",
                "statistics",
                "friedman",
                "ranks",
            )
        ),
        *(f"table{n}.{kind}" for n in (1, 3, 4) for kind in ("csv", "tex")),
    }
    tex = (tmp_path / "table4.tex").read_text()
    assert tex.count(r"\begin{longtable}") == tex.count(r"\end{longtable}") == 1
    body = [line for line in tex.splitlines() if line.endswith(r"\\") and "multicolumn" not in line and "&" in line]
    assert {line.count("&") for line in body} == {fourth.shape[1] - 1}
    assert "±" not in tex
    assert r"$\pm$" in tex
    assert "mean\\_rank" not in tex


def test_names_with_special_characters_are_escaped_in_latex(tmp_path):
    write_benchmark(tmp_path, **SMALL | {"datasets": ("50%_a&b",)})
    summary = summary_of(tmp_path)
    write_summary(summary, tmp_path / "tables")
    assert r"50\%\_a\&b" in (tmp_path / "tables" / "table3.tex").read_text()


def test_published_numbers_stand_beside_ours_for_the_papers_datasets_only(folder, tmp_path):
    slot = tmp_path / "published.csv"
    slot.write_text(
        "table,dataset,model,sampling,metric,mean,sd,source\n"
        "3,data1,atsdp,,auroc,0.5,0.25,a test's invention\n4,data1,atsdp,,auroc,0.5,,a test's invention\n"
        "3,data2,atsdp,,auroc,0.75,,a test's invention\n"
    )
    tables = summary_of(folder, published=slot).tables
    row = rows_of(tables["table3"], source=PUBLISHED)
    assert row[["dataset", "model", "auroc"]].to_numpy().tolist() == [["data1", "atsdp", "0.500 ± 0.250"]]
    row = rows_of(tables["table4"], source=PUBLISHED).iloc[0]
    assert (row["data1"], row["other"], row["metric"]) == ("0.500", "", "auroc")
    assert np.isnan(row["mean_rank"])


def test_what_ships_has_no_number_without_a_source(tmp_path):
    shipped = read_published()
    assert shipped["table"].value_counts().to_dict() == {"1": 40, "3": 20, "4": 180}
    assert shipped["source"].str.contains("10.3389/fmed.2025.1631898", regex=False).all()
    assert set(shipped["model"]) <= set(model_names())
    assert shipped["mean"].between(0, 1).all()
    assert shipped.query("table == '3'")["sd"].notna().all()
    slot = tmp_path / "published.csv"
    slot.write_text("table,dataset,model,sampling,metric,mean,sd,source\n3,data1,atsdp,,auroc,0.9,,\n")
    with pytest.raises(InputError, match="row 2: no source"):
        read_published(slot)
    slot.write_text("table,dataset,model,sampling,metric,mean,sd,source\n3,data1,atsdp,,auc,0.9,,x\n")
    with pytest.raises(InputError, match="row 2: metric is 'auc'"):
        read_published(slot)


def test_costs_are_those_of_the_fits(whole):
    found = costs_of(whole.fits)
    assert len(found) == len(whole.expected[SETTING].drop_duplicates())
    assert (found["n_fits"] == 12).all()
    assert found["total_seconds"].tolist() == [6.0] * len(found)
    assert (found["peak_gib"] == 1).all()


def test_the_same_files_give_the_same_tables(folder, whole):
    again = summary_of(folder)
    for name in ("scores", "means", "statistics", "missing"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(whole, name))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("twice", "stands in .* already"),
        ("strange", "which the plan does not test there"),
        ("truth", "other than 0 and 1"),
        ("column", "the column 'probability' is missing"),
        ("unexpected", "lacks ridge on one"),
        ("plan", "the fold plan lacks fold 1 of repeat 1"),
        ("nothing", "none of its 20 fits has predictions"),
        ("repeated cell", "predicts the cell .* twice"),
        ("heads", "whole numbers"),
        ("empty", "no row"),
    ],
)
def test_files_that_do_not_belong_together_are_bad_input(tmp_path, damage, message):
    write_benchmark(tmp_path, **SMALL | {"skill": {"atsdp": 1.0, "ridge": 1.0, "mlp": 1.0}})
    path = slice_of(tmp_path, "one.ridge.None.none.labels")
    table, expected = pd.read_parquet(path), pd.read_csv(tmp_path / "expected.csv")
    if damage == "twice":
        table.to_parquet(path.with_name("again.predictions.parquet"))
    if damage == "strange":
        table["fold"] = 1 - table["fold"]
    if damage == "truth":
        table["truth"] = 2
    if damage == "column":
        table = table.drop(columns="probability")
    if damage == "repeated cell":
        table = pd.concat([table, table.iloc[:1]])
    table.to_parquet(path)
    if damage == "unexpected":
        expected = expected[expected["model"] != "ridge"]
    if damage == "heads":
        expected["heads"] = "many"
    if damage == "empty":
        expected = expected.iloc[:0]
    expected.to_csv(tmp_path / "expected.csv", index=False)
    if damage == "plan":
        plan = tmp_path / "plans" / "one.folds.csv"
        pd.read_csv(plan).query("repeat == 0 or fold == 0").to_csv(plan, index=False)
    if damage == "nothing":
        for file in (tmp_path / "predictions").iterdir():
            file.unlink()
    with pytest.raises(InputError, match=message) as error:
        summary_of(tmp_path)
    assert "\n" not in str(error.value).replace("\\n", "")
    assert not (tmp_path / "out" / "predictions.parquet").exists() or damage == "unexpected"


def test_without_atsdp_there_is_nothing_to_compare(tmp_path):
    write_benchmark(tmp_path, **SMALL | {"skill": {"ridge": 1.0, "mlp": 1.0}})
    summary = summary_of(tmp_path)
    assert len(summary.statistics) == 0
    assert len(summary.tables["table1"]) == 0
    assert len(summary.tables["table4"]) == 4 * 2


def test_one_repeat_has_a_mean_but_no_deviation(tmp_path):
    write_benchmark(tmp_path, **SMALL | {"repeats": 1})
    found = rows_of(summary_of(tmp_path).means, model="ridge", metric="auroc").iloc[0]
    assert np.isfinite(found["mean"])
    assert np.isnan(found["sd"])
