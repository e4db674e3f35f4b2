"""Figures and report of a benchmark: which panels, which marks, which numbers, and what is missing says so."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from synthetic_benchmark import write_benchmark
from test_benchmark_summary import rows_of, slice_of, summary_of
from test_report import Page

from pharmacell.benchmark.summary import Summary
from pharmacell.evaluate.fold_curves import GRID, fold_curves
from pharmacell.evaluate.rank_tests import rank_models
from pharmacell.report.benchmark_figures import pictures
from pharmacell.report.figures.benchmark_bars import draw_bars
from pharmacell.report.figures.benchmark_boxes import draw_boxes
from pharmacell.report.figures.benchmark_curves import draw_fold_curves
from pharmacell.report.figures.benchmark_heads import draw_heads
from pharmacell.report.figures.benchmark_radar import SPOKES, draw_radar
from pharmacell.report.figures.benchmark_ranks import draw_ranks
from pharmacell.report.figures.benchmark_style import COLOURS, METRIC_NAMES, looks, title_of
from pharmacell.report.figures.style import BLACK, GREY

BIN = Path(__file__).parents[2] / "bin"
PROTOCOL = "few_shot:5"  # a colon has no place in the name of a file


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two datasets; on one of them all fits of a model failed."""
    folder = tmp_path_factory.mktemp("benchmark")
    write_benchmark(folder, protocols=(PROTOCOL,), repeats=2)
    slice_of(folder, f"other.logistic.None.none.{PROTOCOL}").unlink()
    return folder


@pytest.fixture(scope="module")
def summary(folder) -> Summary:
    return summary_of(folder, simulated=("other",))


@pytest.fixture(scope="module")
def drawn(summary) -> dict:
    return {(picture.entry.name, picture.part): picture.figure for picture in pictures(summary)}


def means_of(summary: Summary, **values) -> pd.DataFrame:
    return rows_of(summary.means.assign(label=summary.means["dataset"]).merge(summary.main), **values)


def test_every_figure_of_the_paper_is_drawn(drawn):
    each = {"fig2_radar", "fig2_bars", "fig2_roc_pr", "fig3_heads", "boxplots"}
    assert set(drawn) == {(name, f"{dataset}, {PROTOCOL}") for name in each for dataset in ("data1", "other")} | {
        ("fig4_radar", PROTOCOL),
        ("critical_difference", PROTOCOL),
    }
    for (name, part), figure in drawn.items():
        if name in each:
            assert ("simulated cells" in figure.get_suptitle()) == part.startswith("other"), name
    assert "other (simulated cells)" in [axis.get_title() for axis in drawn["fig4_radar", PROTOCOL].axes]


def test_spokes_are_scores_that_exist():
    assert set(SPOKES) <= set(METRIC_NAMES)


def test_looks_are_apart_and_the_reference_comes_first():
    auroc = {"atsdp": 0.6} | {f"m{number}": 0.9 - 0.05 * number for number in range(10)} | {"gap": np.nan}
    means = pd.DataFrame(
        [("d", "p", model, "auroc", value) for model, value in auroc.items()],
        columns=["dataset", "protocol", "model", "metric", "mean"],
    )
    found = looks(means, "atsdp")
    assert list(found) == ["atsdp", *(f"m{number}" for number in range(10)), "gap"]
    coloured = [look for look in found.values() if look.coloured]
    assert len(coloured) == 1 + len(COLOURS) == len({look.colour for look in coloured})
    assert len({look.marker for look in coloured}) == len(coloured)
    assert found["atsdp"].colour == BLACK
    assert {found[name].colour for name in ("m7", "m9", "gap")} == {GREY}


def test_bars_are_as_long_as_the_means_and_gaps_are_named(summary):
    means = means_of(summary, dataset="other")
    look = looks(means_of(summary), "atsdp")
    figure = draw_bars(means, look, "t")
    assert [axis.get_title() for axis in figure.axes] == list(METRIC_NAMES.values())
    models = [model for model in look if model in set(means["model"])]
    for axis, metric in zip(figure.axes, METRIC_NAMES, strict=True):
        expected = rows_of(means, metric=metric).set_index("model").loc[models, "mean"]
        assert np.allclose([bar.get_width() for bar in axis.patches], expected, equal_nan=True), metric
        assert axis.get_xlim()[0] <= 0 < expected.max() <= axis.get_xlim()[1]
    said = {axis.get_title(): [text.get_text() for text in axis.texts] for axis in figure.axes}
    assert said["AUROC"] == ["missing"]
    assert sorted(said["precision"]) == ["missing", "undefined"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [title_of(model) for model in models]
    assert [0.5, 0.5] in [list(line.get_xdata()) for line in figure.axes[0].lines]


def test_radar_is_closed_has_all_spokes_and_breaks_at_gaps(summary):
    means = means_of(summary)
    figure = draw_radar(means, looks(means, "atsdp"), "t")
    assert [axis.get_title() for axis in figure.axes] == ["data1", "other"]
    for axis, dataset in zip(figure.axes, ("data1", "other"), strict=True):
        assert axis.name == "polar"
        assert axis.get_ylim() == (0, 1)
        assert [label.get_text().replace("\n", " ") for label in axis.get_xticklabels()] == [
            METRIC_NAMES[name] for name in SPOKES
        ]
        lines = {line.get_label(): line.get_ydata() for line in axis.lines}
        expected = rows_of(means, dataset=dataset, model="atsdp").set_index("metric").loc[list(SPOKES), "mean"]
        assert np.allclose(lines["ATSDP-NET"], [*expected, expected.iloc[0]])
        assert np.isnan(lines["prevalence"][SPOKES.index("precision")])
    assert np.isnan(lines["logistic regression"]).all()
    assert figure.legends[0].get_texts()[0].get_text() == "ATSDP-NET"


def test_curves_have_a_panel_for_each_model_with_mean_and_band():
    rng = np.random.default_rng(0)
    truth = np.arange(40) % 2
    curves = {model: [fold_curves(truth, rng.random(40)) for _ in range(5)] for model in ("atsdp", "ridge", "mlp")}
    means = pd.DataFrame(
        [("d", "p", model, "auroc", 0.5 - 0.1 * number) for number, model in enumerate(curves)],
        columns=["dataset", "protocol", "model", "metric", "mean"],
    )
    figure = draw_fold_curves(curves, looks(means, "atsdp"), dict.fromkeys(curves, (0.51, 0.62)), 0.5, "atsdp", "t")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == [
        f"{title_of(model)}\n{name}" for name in ("AUROC 0.51", "AP 0.62") for model in ("atsdp", "ridge", "mlp")
    ]
    for kind, position in ((0, 1), (1, 4)):
        axis = figure.axes[position]
        folds = np.stack([curve[kind] for curve in curves["ridge"]])
        assert np.allclose(axis.lines[-1].get_data(), (GRID, folds.mean(0)))
        band = axis.collections[0].get_paths()[0].vertices
        middle = band[np.isclose(band[:, 0], GRID[50])][:, 1]
        assert middle.min() == pytest.approx(max(0, folds.mean(0)[50] - folds.std(0)[50]))
        assert middle.max() == pytest.approx(min(1, folds.mean(0)[50] + folds.std(0)[50]))
    assert (figure.axes[0].get_ylabel(), figure.axes[0].get_xlabel()) == ("true positive rate", "false positive rate")
    assert (figure.axes[3].get_ylabel(), figure.axes[3].get_xlabel()) == ("precision", "recall")


def test_models_with_gaps_have_no_curve(drawn):
    titles = [axis.get_title().split("\n")[0] for axis in drawn["fig2_roc_pr", f"other, {PROTOCOL}"].axes]
    assert "logistic regression" not in titles
    assert titles.count("ridge regression") == 2


def test_heads_stand_at_even_distances_in_their_order(summary):
    means = rows_of(summary.means, dataset="data1")
    figure = draw_heads(means, "t")
    for axis, metric in zip(figure.axes, ("auroc", "average_precision", "f1_weighted", "mcc"), strict=True):
        assert [label.get_text() for label in axis.get_xticklabels()] == ["0", "4", "8"]
        lines = {line.get_label(): line for line in axis.lines}
        assert set(lines) == {"ATSDP-NET, sampling none", "ATSDP-NET, sampling smote"}
        expected = rows_of(means, metric=metric, model="atsdp", sampling="smote").sort_values("heads")["mean"]
        assert np.allclose(lines["ATSDP-NET, sampling smote"].get_data(), [[0, 1, 2], expected])
    assert draw_heads(means[means["heads"].fillna(8) == 8], "t") is None


def test_boxes_hold_the_folds_and_dots_the_repeats(summary):
    scores = rows_of(summary.wide.merge(summary.main), dataset="data1")
    look = looks(means_of(summary), "atsdp")
    figure = draw_boxes(scores, look, "t")
    axis = figure.axes[0]
    height = [label.get_text() for label in axis.get_yticklabels()].index("ridge regression")
    ridge = rows_of(scores, model="ridge")
    medians = [
        line.get_xdata()
        for line in axis.lines
        if line.get_color() == BLACK
        and len(line.get_xdata()) == 2
        and abs(np.mean(line.get_ydata()) - height) < 1e-9
        and line.get_marker() != "."
    ]
    assert any(np.allclose(x, ridge["auroc"].median()) for x in medians)
    dots = next(line for line in axis.lines if line.get_marker() == "." and line.get_ydata()[0] == height)
    assert np.allclose(sorted(dots.get_xdata()), sorted(ridge.groupby("repeat")["auroc"].mean()))
    assert "undefined" in [text.get_text() for text in figure.axes[3].texts]  # MCC of prevalence


@pytest.mark.parametrize(("n_datasets", "bars"), [(12, 1), (2, 0)])
def test_ranks_join_what_cannot_be_told_apart_or_say_why_not(n_datasets, bars):
    rng = np.random.default_rng(1)
    scores = pd.DataFrame(
        {
            name: value + 0.01 * rng.normal(size=n_datasets)
            for name, value in (("atsdp", 0.9), ("ridge", 0.7), ("mlp", 0.7), ("cnn", 0.4))
        }
    )
    ranking = rank_models(scores)
    means = pd.DataFrame(
        [("d", "p", model, "auroc", 0.5) for model in scores],
        columns=["dataset", "protocol", "model", "metric", "mean"],
    )
    figure = draw_ranks(ranking, looks(means, "atsdp"), "t")
    axis = figure.axes[0]
    labels = [text.get_text() for text in axis.texts]
    assert labels[0] == "ATSDP-NET (1.0)"
    names = {re.sub(r" ?\(.*\) ?", "", label) for label in labels}
    assert names == {"ATSDP-NET", "ridge regression", "perceptron", "CNN"}
    joined = [line for line in axis.lines if len(set(line.get_ydata())) == 1]
    assert bool(joined) == bool(bars)
    said = figure.get_supxlabel()
    assert said.startswith("Friedman: chi-square" if bars else "not tested: 2 datasets")
    assert axis.get_xlabel() == "mean rank (1 is best)"


def test_command_and_report(folder, tmp_path):
    inputs = [part for name in ("plans", "predictions", "fits") for part in (f"--{name}", folder / name)]
    done = subprocess.run(
        [
            sys.executable,
            str(BIN / "benchmark_summary.py"),
            "--expected",
            folder / "expected.csv",
            *inputs,
            "--simulated",
            "other",
            "--threads",
            "1",
            "--outdir",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert len(names) == 2 * (2 * 5 + 2)
    assert "fig2_bars_other_few_shot_5.png" in names
    assert all(
        (tmp_path / "figures" / name).read_bytes().startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
        for name in names
    )
    from pharmacell.report.page import write_report

    write_report([tmp_path / "benchmark.sections"], "Benchmark", {"mode": "benchmark"}, tmp_path / "report")
    page = Page((tmp_path / "report" / "pharmacell_report.html").read_text())
    chapters = ["Benchmark", "Benchmark: tests", "Benchmark: figures", "Benchmark: costs"]
    assert [heading for heading in page.headings_of("h2") if heading in chapters] == chapters
    text = " ".join(page.text.split())
    assert "Read first how complete it is" in text
    assert "score how well a model knows the origin of a cell as much as its response" in text
    assert f"{2 * 9 * 8 - 8} of {2 * 9 * 8} fits have scores" in text
    assert "no predictions: the fit failed or was not run" in text
    assert "missing (8 of 8 folds)" in text
    assert "Missing, not averaged: logistic." in text
    assert all(source.startswith("data:") for source in page.loads)


def test_command_names_what_is_wrong_in_one_line(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        [
            sys.executable,
            str(BIN / "benchmark_summary.py"),
            "--expected",
            folder / "expected.csv",
            "--plans",
            folder / "plans",
            "--predictions",
            tmp_path / "empty",
            "--outdir",
            tmp_path,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.fullmatch(r"error: .*expected\.csv: none of its 144 fits has predictions; .*\n", done.stderr)
