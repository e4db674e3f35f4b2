"""The command key_genes from files to files, what figures and report make of them, and odd samples."""

import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from fresh_process import COMPILERS, imported
from synthetic_model import (
    GENES,
    N_REPLICAS,
    NO_ATTENTION,
    PLANTED,
    bundle_of,
    linear_ensemble,
    network,
    planted_cells,
    write_predicted,
)
from synthetic_results import figures, of_chapter, stand_ins, write_results

from pharmacell.cli.key_genes import key_genes
from pharmacell.explanation import sample
from pharmacell.report.content import write_content
from pharmacell.report.key_genes import missing, overview, separated
from pharmacell.report.results import read_results
from pharmacell.report.sample_figures import draw_sample
from pharmacell.response.store import save_bundle

N_CELLS = 96
LABELS = np.arange(N_CELLS) % 2
HALF = (np.arange(N_CELLS) < N_CELLS // 2).astype(int)
EXPLAINED = of_chapter("key_genes")
ATTENTION = {"attention"}


def explain(folder, labels=LABELS, truth=None, ensemble=True, config=None, groups=False, options=()):
    """Run the command on planted cells and return the results with what it wrote."""
    model = network(config) if config else network()
    save_bundle(bundle_of(model, linear_ensemble(0.3) if ensemble else None), folder / "s.model.safetensors")
    x = planted_cells(N_CELLS, LABELS if truth is None else truth)
    write_predicted(folder / "s.predicted.h5ad", x, labels, truth, groups)
    done = CliRunner().invoke(
        key_genes,
        [
            "--model",
            str(folder / "s.model.safetensors"),
            "--sample",
            "s",
            "--target",
            str(folder / "s.predicted.h5ad"),
            "--ig_steps",
            "12",
            "--outdir",
            str(folder / "out"),
            "--threads",
            "1",
            "--device",
            "cpu",
            *map(str, options),
        ],
    )
    assert done.exit_code == 0, (done.stderr, done.exception)
    return folder / "out"


def results_of(folder, out):
    files = write_results(folder, "s", n_cells=N_CELLS, truth=False)
    files |= {"key_genes": out / "s.key_genes.csv", "key_genes_folder": out / "s.key_genes"}
    return read_results(files.pop("sample"), files)


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    """Two predicted classes that mostly agree with the truth, and gene sets."""
    folder = tmp_path_factory.mktemp("explained")
    predicted = LABELS.copy()
    predicted[:6] = 1 - predicted[:6]
    sets = folder / "sets.gmt"
    sets.write_text(
        "".join(
            f"{name}\tplanted\t" + "\t".join(genes) + "\n"
            for name, genes in {
                "FOR": GENES[:PLANTED],
                "AGAINST": GENES[PLANTED : 2 * PLANTED],
                "OTHER": GENES[40:60],
            }.items()
        )
    )
    out = explain(folder, predicted, LABELS, groups=True, options=["--gene_sets", sets])
    return results_of(folder, out)


def titles(figure):
    return [axis.get_title() for axis in figure.axes if axis.get_title()]


def test_files_have_the_documented_columns(explained):
    table = explained.key_genes.table
    assert list(table.columns) == [
        "gene",
        "class",
        "attribution",
        "std",
        "fdr",
        "log_fold_change",
        "is_deg",
        "rank",
        "expressed",
        "p",
        "network",
        "network_std",
        "deep_lift",
        "relevance",
    ]
    assert len(table) == 2 * len(GENES)
    assert set(explained.key_genes.tables) == {
        "attribution_methods",
        "key_genes_by_group",
        "deg_scores",
        "deg_score_tests",
        "deg_score_null",
        "separation",
        "attention_entropy",
        "pathways",
    }
    scores = explained.key_genes.tables["deg_scores"]
    assert list(scores)[:4] == ["cell_id", "probability", "label", "truth"]
    assert len(scores) == N_CELLS


def test_planted_genes_lead_both_lists(explained):
    table = explained.key_genes.table
    for name in ("sensitive", "resistant"):
        first = table[table["class"] == name].head(2 * PLANTED)
        assert set(first["gene"]) == set(GENES[: 2 * PLANTED])
        assert first["is_deg"].all()
    assert set(explained.key_genes.summary["dot_genes"]["sensitive"]) >= set(GENES[:PLANTED])
    assert explained.key_genes.summary["completeness_gap"]["sensitive"]["mean"] < 0.05  # at 12 steps


def test_tests_of_the_lists_find_the_planted_difference(explained):
    tests = explained.key_genes.tables["deg_score_tests"].set_index("class")
    for name in ("sensitive", "resistant"):
        row = tests.loc[name]
        assert row["reference"] == f"truth_{name}"
        assert row["low"] <= row["pearson"] <= row["high"]
        assert 0 < row["p"] < 0.05
        assert row["n_lists"] == 1000
    null = explained.key_genes.tables["deg_score_null"]
    assert null.groupby("class").size().eq(1000).all()
    pathways = explained.key_genes.tables["pathways"]
    assert pathways[pathways["method"] == "over-representation"].iloc[0]["set"] in {"FOR", "AGAINST"}


def test_every_figure_has_its_panels(explained):
    drawn = figures(explained, seed=0)
    assert set(EXPLAINED) <= set(drawn)
    heat, dots = drawn["key_gene_heatmap"].axes[0], drawn["key_gene_dots"].axes[0]
    assert len(heat.get_yticks()) == 100
    assert heat.images[0].get_array().shape == (100, N_CELLS), "one column a cell"
    cells = explained.key_genes.cells.sort_values("probability", kind="stable")
    gene = heat.get_yticklabels()[0].get_text()
    row = np.asarray(heat.images[0].get_array())[0]
    assert np.corrcoef(row, cells[gene])[0, 1] > 0.99, "cells stand in the order of their probability"
    strip = drawn["key_gene_heatmap"].axes[0].child_axes[0].images[0].get_array()
    assert np.array_equal(np.asarray(strip)[0], cells["label"])
    genes = explained.key_genes.summary["dot_genes"]
    assert titles(drawn["key_gene_map"]) == [f"{gene} ({name})" for name in genes for gene in genes[name][:3]]
    assert len(dots.get_yticks()) == sum(len(genes) for genes in explained.key_genes.summary["dot_genes"].values())
    assert titles(drawn["deg_scores"]) == [
        f"{name} DEGs, {labels} labels" for name in ("sensitive", "resistant") for labels in ("true", "predicted")
    ]
    tests = explained.key_genes.tables["deg_score_tests"].set_index("class")
    for axis, name in zip(drawn["deg_score_null"].axes, ("sensitive", "resistant"), strict=True):
        assert axis.get_title().startswith(f"{name} genes")
        assert axis.lines[0].get_xdata()[0] == pytest.approx(tests.loc[name, "pearson"])
        assert len(axis.patches) > 30
    assert len(drawn["deg_score_scatter"].axes) == 2
    assert all(len(axis.collections) == 1 and axis.lines for axis in drawn["deg_score_scatter"].axes)
    separation = drawn["separation"].axes
    assert [axis.get_title() for axis in separation[:2]] == ["score of key genes", "score of DEGs"]
    assert separation[2].get_title().startswith("difference ")
    assert titles(drawn["attribution_methods"]) == ["towards sensitive", "towards resistant"]
    heads = 4
    assert len(drawn["attention"].axes[0].get_xticks()) == heads
    assert titles(drawn["attention"])[0].endswith(f"of {heads * N_REPLICAS} heads differ from uniform")
    assert titles(drawn["pathways"]) == ["GSEA", "over-representation"]
    legend = drawn["pathways"].legends[0]
    assert len({patch.get_facecolor() for patch in legend.get_patches()}) == 2


def test_report_tells_and_shows_it(explained, tmp_path):
    drawn = draw_sample(explained, tmp_path / "figures", seed=0)
    write_content(explained, drawn, tmp_path / "sections")
    sections = {path.name for path in (tmp_path / "sections").glob("*.json")}
    assert len({name for name in sections if name.startswith("key_genes_")}) == 1 + len(set(EXPLAINED) - ATTENTION)
    assert "attention_s.json" in sections
    overview = (tmp_path / "sections" / "key_genes_s_overview.json").read_text()
    assert "by true labels" in overview
    assert "it is not a cause" in overview
    assert "<td>GENE" in overview
    assert missing(explained.key_genes) == ""
    assert "AUROC of key genes" in separated(explained.key_genes)
    assert {f"{name}.svg" for name in EXPLAINED} <= {path.name for path in (tmp_path / "figures").iterdir()}


def test_without_truth_everything_rests_on_predicted_labels_and_says_so(tmp_path):
    found = results_of(tmp_path, explain(tmp_path))
    summary = found.key_genes.summary
    assert (summary["truth_known"], summary["baseline_labels"], summary["degs_of"]) == (False, "predicted", "predicted")
    assert "The truth is not known: everything rests on predicted labels." in overview(found.key_genes)
    assert "No gene sets were given" in missing(found.key_genes)
    assert "both AUROCs flatter" in separated(found.key_genes)
    references = set(found.key_genes.tables["deg_score_tests"]["reference"])
    assert references == {"probability of being sensitive", "probability of being resistant"}
    drawn = figures(found, seed=0)
    assert set(EXPLAINED) - set(drawn) == {"pathways"}
    assert titles(drawn["deg_scores"]) == [f"{name} DEGs, predicted labels" for name in ("sensitive", "resistant")]


@pytest.mark.parametrize("truth", [None, HALF], ids=["no truth", "truth"])
def test_one_predicted_class_leaves_out_what_needs_two_and_says_why(tmp_path, truth):
    out = explain(tmp_path, labels=np.ones(N_CELLS, int), truth=truth)
    assert len(pd.read_csv(out / "s.key_genes.csv")) == 0
    found = results_of(tmp_path, out)
    assert {"key genes", "gene lists", "separation", "pathways"} <= set(found.key_genes.summary["missing"])
    assert "96 cells are predicted sensitive and 0 resistant" in missing(found.key_genes)
    drawn = stand_ins(found, tmp_path / "figures")
    assert set(drawn) & (set(EXPLAINED) | ATTENTION) == ATTENTION
    write_content(found, drawn, tmp_path / "sections")
    assert "Not there: key genes" in (tmp_path / "sections" / "key_genes_s_overview.json").read_text()
    assert (out / "s.key_genes" / "degs.csv").exists() == (truth is not None)


def test_a_network_without_attention_and_alone_is_explained(tmp_path):
    out = explain(tmp_path, ensemble=False, config=NO_ATTENTION)
    summary = json.loads((out / "s.key_genes" / "key_genes.json").read_text())
    assert summary["explained"] == "logit difference of the network"
    assert "--heads 0" in summary["missing"]["attention"]
    table = pd.read_csv(out / "s.key_genes.csv")
    np.testing.assert_allclose(table["attribution"], table["network"], atol=1e-7)
    assert not (out / "s.key_genes" / "attention.parquet").exists()
    assert summary["n_replicas"] == N_REPLICAS


def test_the_baseline_can_be_the_mean_cell(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    opposite = pd.read_csv(explain(tmp_path / "a") / "s.key_genes.csv")
    zeros = pd.read_csv(explain(tmp_path / "b", options=["--ig_baseline", "zeros"]) / "s.key_genes.csv")
    assert len(zeros) == len(opposite)
    assert not np.allclose(zeros["attribution"], opposite["attribution"])


def test_same_seed_same_files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        explain(tmp_path / name)
    for path in (tmp_path / "a/out").rglob("*"):
        if path.suffix in (".csv", ".json"):
            assert path.read_bytes() == (tmp_path / "b/out" / path.relative_to(tmp_path / "a/out")).read_bytes(), path


def test_the_command_compiles_nothing_and_imports_no_library_of_its_tests(tmp_path):
    explain(tmp_path)
    files = {"--model": "s.model.safetensors", "--target": "s.predicted.h5ad", "--outdir": "fresh"}
    arguments = [word for option, name in files.items() for word in (option, str(tmp_path / name))]
    found = imported("key_genes", [*arguments, "--sample", "s", "--ig_steps", "4", "--threads", "1"])
    assert not found & (COMPILERS | {"captum"})


def test_of_a_large_sample_a_draw_is_attributed_and_the_report_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "draw_cells", partial(sample.draw_cells, most=40))
    out = explain(tmp_path)
    assert json.loads((out / "s.key_genes" / "key_genes.json").read_text())["n_cells_attributed"] == 40
    assert "Attributed are 40 of the cells" in overview(results_of(tmp_path, out).key_genes)


def test_cells_without_predictions_are_refused(tmp_path):
    save_bundle(bundle_of(network(), None), tmp_path / "s.model.safetensors")
    path = write_predicted(tmp_path / "s.h5ad", planted_cells(N_CELLS, LABELS), LABELS)
    import h5py

    with h5py.File(path, "r+") as file:
        order = [name for name in file["obs"].attrs["column-order"] if name != "pharmacell_label"]
        del file["obs/pharmacell_label"]
        file["obs"].attrs["column-order"] = order
    done = CliRunner().invoke(
        key_genes,
        [
            "--model",
            str(tmp_path / "s.model.safetensors"),
            "--sample",
            "s",
            "--target",
            str(path),
            "--outdir",
            str(tmp_path / "out"),
            "--device",
            "cpu",
        ],
    )
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "pharmacell_label" in done.stderr
    assert not (tmp_path / "out").exists()
