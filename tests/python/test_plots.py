"""Figures: which panels, which marks, both formats, and what is simulated says so."""

import numpy as np
import pandas as pd
import pytest
from synthetic_results import SHIFTED_SCORES, figures, history, of_chapter, stand_ins, write_results

from pharmacell.core.errors import InputError
from pharmacell.report.benchmark_figures import DATASET_FIGURES, PROTOCOL_FIGURES
from pharmacell.report.content import write_content
from pharmacell.report.figure_table import by_name
from pharmacell.report.figures import style
from pharmacell.report.figures.curves import draw_curves
from pharmacell.report.figures.embedding import draw_embedding
from pharmacell.report.figures.intervals import draw_intervals
from pharmacell.report.figures.losses import draw_losses
from pharmacell.report.figures.members import draw_members
from pharmacell.report.figures.null_spread import draw_null_spread
from pharmacell.report.figures.probabilities import draw_probabilities
from pharmacell.report.figures.quality import draw_quality
from pharmacell.report.figures.reliability import draw_reliability
from pharmacell.report.figures.significance import draw_significance
from pharmacell.report.perturbation_figures import PERTURBATION_FIGURES
from pharmacell.report.results import read_results
from pharmacell.report.sample_figures import SAMPLE_FIGURES, draw_sample
from pharmacell.report.writer import CHAPTERS
from pharmacell.response.model_card import Interval

WITHOUT_TRUTH = {"quality", "losses", "embedding", "probabilities", "groups", "source"}
EVIDENCE = of_chapter("evidence") - {"curves", "scores", "source"}


def results(folder, **settings):
    files = write_results(folder, **settings)
    return read_results(files.pop("sample"), files)


def titles(figure):
    return [axis.get_title() for axis in figure.axes if axis.get_title()]


@pytest.mark.parametrize("simulated", [True, False])
def test_every_title_says_when_cells_are_simulated(tmp_path, simulated):
    drawn = figures(results(tmp_path, simulated=simulated, n_cells=60), seed=0)
    assert set(drawn) == WITHOUT_TRUTH | EVIDENCE | {"curves", "scores"}
    for name, figure in drawn.items():
        assert ("simulated cells" in figure.get_suptitle()) == simulated, name


def test_both_formats_are_written_and_the_same_twice(tmp_path):
    read = results(tmp_path, truth=False, n_cells=60)
    for folder in ("first", "second"):
        assert set(draw_sample(read, tmp_path / folder, seed=0)) == WITHOUT_TRUTH | EVIDENCE
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == sorted(f"{name}.{kind}" for name in WITHOUT_TRUTH | EVIDENCE for kind in ("png", "svg"))
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name
        start = b"\x89PNG" if name.endswith("png") else b"<?xml"
        assert (tmp_path / "first" / name).read_bytes().startswith(start)


def test_quality_has_a_panel_for_each_known_metric(tmp_path):
    table = results(tmp_path).qc_metrics
    figure = draw_quality(table, {"n_genes": 200, "pct_mt": 10}, "t", False, 0)
    assert titles(figure) == ["genes detected", "total counts", "mitochondrial counts (%)", "depth"]
    assert [200, 200] in [list(line.get_ydata()) for line in figure.axes[0].lines]
    assert [text.get_text() for text in figure.axes[3].get_legend().get_texts()] == ["kept (300)", "removed (30)"]
    table["pct_mt"] = np.nan
    assert titles(draw_quality(table, {}, "t", False, 0)) == ["genes detected", "total counts", "depth"]


def test_quality_without_counts_counts_the_cells(tmp_path):
    figure = draw_quality(results(tmp_path, counts=False).qc_metrics, {}, "t", False, 0)
    assert [bar.get_height() for bar in figure.axes[0].patches] == [330, 300]


def test_losses_show_every_term_of_every_stage_and_the_mean_of_replicas():
    table = history(["predictor", "joint"], np.random.default_rng(0))
    figure = draw_losses(table, "t", False)
    assert titles(figure) == [
        f"{stage}\n{term}"
        for stage, term in [
            ("predictor", "cross entropy"),
            *(("joint", t) for t in ("cross entropy", "mmd", "cluster", "total")),
        ]
    ]
    lines = figure.axes[0].lines
    assert len(lines) == 2 * (3 + 1)
    mean = table.query("stage == 'predictor' and part == 'train'").groupby("epoch")["value"].mean()
    thick = next(line for line in lines if line.get_label() == "train")
    assert np.allclose(thick.get_ydata(), mean)


def test_embedding_leaves_out_what_is_not_there_and_draws_few_points(monkeypatch):
    monkeypatch.setattr(style, "POINTS_AT_MOST", 50)
    umap = np.random.default_rng(0).normal(size=(200, 2))
    umap[:20] = np.nan
    obs = pd.DataFrame({"pharmacell_probability": np.linspace(0, 1, 200)})
    figure = draw_embedding(obs, umap, "t", False, 0)
    assert titles(figure) == ["probability of being sensitive"]
    assert len(figure.axes[0].collections[0].get_offsets()) == 50
    assert figure.axes[0].collections[0].get_rasterized()
    obs = obs.assign(
        pharmacell_group=[f"line {number % 30}" for number in range(200)],
        pharmacell_truth=1,
        pharmacell_label=["sensitive", "resistant"] * 100,
    )
    monkeypatch.setattr(style, "POINTS_AT_MOST", 500)
    figure = draw_embedding(obs, umap, "t", False, 0)
    assert titles(figure) == ["condition (30 groups)", "truth", "predicted label", "probability of being sensitive"]
    assert [len({tuple(colour) for colour in axis.collections[0].get_facecolors()}) for axis in figure.axes[:3]] == [
        30,
        1,
        2,
    ]


def test_histogram_is_split_by_truth():
    probability, truth = np.array([0.1, 0.2, 0.9]), np.array([0, 0, 1])
    figure = draw_probabilities(probability, truth, "t", False)
    assert {text.get_text() for text in figure.axes[0].get_legend().get_texts()} == {
        "truly sensitive",
        "truly resistant",
    }
    assert draw_probabilities(probability, None, "t", False).axes[0].get_legend() is None


def test_curves_name_each_model_with_its_area():
    truth = np.array([0, 0, 1, 1])
    figure = draw_curves(truth, {"ensemble": np.array([0.1, 0.2, 0.8, 0.9]), "ridge": np.full(4, 0.5)}, "t", False)
    roc, precision_recall = ([text.get_text() for text in axis.get_legend().get_texts()] for axis in figure.axes)
    assert roc == ["PharmaCell (ensemble): AUROC 1.00", "ridge regression: AUROC 0.50", "chance: AUROC 0.50"]
    assert precision_recall[-1] == "prevalence 0.50"


def test_intervals_are_drawn_where_they_are():
    table = pd.DataFrame(
        [("ensemble", "auroc", 0.8, 0.7, 0.9), ("ridge", "auroc", np.nan, np.nan, np.nan)],
        columns=["model", "metric", "value", "low", "high"],
    )
    figure = draw_intervals(table, "t", False)
    assert titles(figure) == ["AUROC"]
    assert list(figure.axes[0].lines[0].get_xdata()) == [0.7, 0.9]


def test_one_class_has_no_curves(tmp_path):
    read = results(tmp_path, n_cells=40)
    read.predictions["truth"] = 1
    assert "curves" not in figures(read, seed=0)


def test_reliability_shows_each_bin_its_size_and_the_error():
    bins = SHIFTED_SCORES.reliability
    curve, counts = draw_reliability(bins, 0.0321, "t", False).axes
    observed = next(line for line in curve.lines if line.get_label() == "observed")
    assert [*zip(*observed.get_data(), strict=True)] == [(entry.predicted, entry.observed) for entry in bins]
    assert curve.get_title() == "expected calibration error 0.032"
    assert [bar.get_width() for bar in counts.patches] == [40, 1200, 60]
    assert [text.get_text() for text in counts.texts] == ["40", "1,200", "60"]
    assert [text.get_text() for text in counts.get_yticklabels()] == ["0.15", "0.50", "0.85"]


def test_members_have_a_bar_and_a_dot_and_the_whole_its_interval():
    figure = draw_members(
        SHIFTED_SCORES.ensemble_weights,
        SHIFTED_SCORES.shifted_auroc_members,
        SHIFTED_SCORES.shifted_auroc,
        "t",
        False,
    )
    bars, dots = figure.axes
    assert [bar.get_width() for bar in bars.patches] == [0.2, 0.0, 0.5, 0.3]
    assert [text.get_text() for text in bars.get_yticklabels()] == [
        "network alone",
        "gene signature",
        "ridge regression",
        "logistic regression",
        "all together",
    ]
    assert [text.get_text() for text in dots.texts] == ["0.67", "0.69", "0.74", "0.72", "0.75"]
    assert [0.7, 0.8] in [list(line.get_xdata()) for line in dots.lines]
    assert dots.get_xlim()[0] < 0.5 < 0.8 < dots.get_xlim()[1]
    worse = draw_members({"network": 1.0}, {"network": 0.3}, Interval(0.3, 0.2, 0.4), "t", False)
    assert worse.axes[1].get_xlim()[0] < 0.2


def test_null_spread_sorts_the_permutations_and_counts_those_as_wide():
    (axis,) = draw_null_spread(0.5, [0.9, 0.1, 0.5], 0.75, "t", False).axes
    lines = {line.get_label(): list(line.get_xdata()) for line in axis.lines}
    assert lines == {
        "permuted responses": [0.1, 0.5, 0.9],
        "their median, 0.50": [0.5, 0.5],
        "real responses, 0.50": [0.5, 0.5],
    }
    assert axis.get_title() == "2 of 3 permutations spread the cells as wide (p = 0.75)"
    assert axis.get_xlim()[1] > 0.9


def test_significance_counts_calls_and_stacks_the_p_values():
    table = pd.DataFrame({"p": [0.001, 0.002, 0.5, 0.9], "call": ["sensitive", "resistant", *["not significant"] * 2]})
    bars, histogram = draw_significance(table, "t", False).axes
    assert [
        (label.get_text(), bar.get_height()) for label, bar in zip(bars.get_xticklabels(), bars.patches, strict=True)
    ] == [
        ("sensitive", 1),
        ("higher\nthan the\nsample", 0),
        ("lower\nthan the\nsample", 0),
        ("resistant", 1),
        ("not\nsignificant", 2),
    ]
    assert sum(bar.get_height() for bar in histogram.patches) == 4
    assert list(histogram.lines[0].get_ydata()) == [4 / 20] * 2
    nothing = draw_significance(table[table["call"] == "not significant"], "t", False).axes[0]
    assert [bar.get_height() for bar in nothing.patches] == [0, 0, 0, 0, 2]


def test_a_network_alone_has_no_evidence_to_draw(tmp_path):
    assert not EVIDENCE & set(figures(results(tmp_path, n_cells=40, ensemble=False), seed=0))


def test_unreadable_results_are_bad_input(tmp_path):
    files = write_results(tmp_path, n_cells=30)
    sample = files.pop("sample")
    files["baselines"].write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"baselines\.csv: the column 'cell_id' is missing"):
        read_results(sample, files)
    files["target"].write_bytes(files["target"].read_bytes()[:1000])
    with pytest.raises(InputError, match=r"predicted\.h5ad: cannot be read as h5ad"):
        read_results(sample, files)


def test_every_figure_that_is_drawn_reaches_the_report(tmp_path):
    read = results(tmp_path, n_cells=60)
    drawn = stand_ins(read, tmp_path / "figures")
    write_content(read, drawn, tmp_path / "sections")
    pages = [path.read_text() for path in (tmp_path / "sections").glob("*.json")]
    for name in drawn:
        assert sum(f'"alt": "{name} of ' in page for page in pages) == 1, name


def test_figure_that_no_table_names_is_refused(tmp_path):
    read = results(tmp_path, n_cells=60)
    drawn = stand_ins(read, tmp_path / "figures")
    drawn["qualty"] = drawn.pop("quality")
    with pytest.raises(KeyError, match="qualty"):
        write_content(read, drawn, tmp_path / "sections")


def test_figures_have_a_chapter_and_names_of_their_own():
    for entries in (SAMPLE_FIGURES, DATASET_FIGURES, PROTOCOL_FIGURES, PERTURBATION_FIGURES):
        assert entries
        assert {entry.chapter for entry in entries.values()} <= set(CHAPTERS)
    quality = SAMPLE_FIGURES["quality"]
    with pytest.raises(ValueError, match="one name"):
        by_name([quality, quality])
