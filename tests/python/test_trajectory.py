"""The pseudotime of planted paths, parts of a graph, odd samples, and what is written and drawn of it."""

import json
from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from bad_input import refuse
from click.testing import CliRunner
from fresh_process import COMPILERS, imported
from scipy.stats import spearmanr
from synthetic_results import figures, of_chapter, stand_ins, write_results

from pharmacell.cli.trajectory import trajectory
from pharmacell.core.errors import InputError
from pharmacell.data.cells import CellMatrix
from pharmacell.data.neighbour_graph import memberships, nearest_neighbours
from pharmacell.evaluate.correlation import correlations
from pharmacell.explanation import diffusion
from pharmacell.explanation import trajectory as steps
from pharmacell.explanation.ordered_genes import along, expression, local_lines, read_key_genes
from pharmacell.explanation.trajectory import trace
from pharmacell.report.content import write_content
from pharmacell.report.results import read_results
from pharmacell.report.sample_figures import SAMPLE_FIGURES
from pharmacell.report.trajectory import correlated

GENES = [f"GENE{number}" for number in range(30)]


def planted_line(n_cells: int, seed: int = 0, length: float = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return components [n_cells, 20] of cells strewn along a line, and where on it each is, from 0 to 1."""
    rng = np.random.default_rng(seed)
    place = rng.random(n_cells)
    along_line = length * np.outer(place, rng.normal(size=20))
    return (along_line + 0.3 * rng.normal(size=(n_cells, 20))).astype(np.float32), place


def annotation(place: np.ndarray, groups: int = 0) -> pd.DataFrame:
    """Return cells that are the less sensitive the further they are."""
    names = [f"cell_{number}" for number in range(len(place))]
    obs = pd.DataFrame({"pharmacell_probability": 0.9 - 0.8 * place}, names)
    if groups:
        obs["pharmacell_group"] = pd.Categorical([f"line {int(value * groups)}" for value in place])
    return obs


def write_sample(folder, n_cells=120, groups=4, seed=0, components=None, probability=None):
    """Write a predicted sample whose first genes rise and whose next ones fall along a line, and its key genes."""
    found, place = planted_line(n_cells, seed)
    obs = annotation(place, groups)
    if probability is not None:
        obs["pharmacell_probability"] = probability
    rng = np.random.default_rng(seed)
    x = np.abs(0.2 * rng.normal(size=(n_cells, len(GENES))))
    x[:, :8] += 3 * place[:, None]
    x[:, 8:16] += 3 * (1 - place[:, None])
    cells = ad.AnnData(sp.csr_matrix(x.astype(np.float32)), obs, pd.DataFrame(index=GENES))
    cells.obsm["X_pca"] = found if components is None else components
    cells.uns["pharmacell"] = {"sample": "s", "scale": "counts", "simulated": False}
    cells.write_h5ad(folder / "s.predicted.h5ad")
    rows = [
        (gene, kind, 0.1 * (16 - number) * sign, 0.01, 0.001, sign, True)
        for number, gene in enumerate(GENES[:16])
        for kind, sign in (("sensitive", 1 if number >= 8 else -1), ("resistant", 1 if number < 8 else -1))
    ]
    pd.DataFrame(rows, columns=["gene", "class", "attribution", "std", "fdr", "log_fold_change", "is_deg"]).to_csv(
        folder / "s.key_genes.csv", index=False
    )
    target, key_genes = str(folder / "s.predicted.h5ad"), str(folder / "s.key_genes.csv")
    return ["--sample", "s", "--target", target, "--key_genes", key_genes, "--outdir", str(folder), "--threads", "1"]


def run(arguments):
    done = CliRunner().invoke(trajectory, arguments)
    assert isinstance(done.exception, SystemExit | None), done.exc_info
    assert done.exit_code == 0, done.output


def read(folder):
    """Return the tables that the command wrote, and what it says about them."""
    found = folder / "s.trajectory"
    assert {path.name for path in found.iterdir()} == {
        "pseudotime.csv",
        "correlations.csv",
        "curves.csv",
        "bins.csv",
        "trajectory.json",
    }
    tables = {path.stem: pd.read_csv(path) for path in found.glob("*.csv")}
    return tables, json.loads((found / "trajectory.json").read_text())


def test_the_command_compiles_nothing(tmp_path):
    assert not imported("trajectory", write_sample(tmp_path, groups=0)) & COMPILERS


@pytest.mark.parametrize("groups", [0, 5])
def test_a_planted_line_is_put_in_its_order_from_the_sensitive_end(groups):
    components, place = planted_line(400)
    found = trace(components, annotation(place, groups), None, 0, "s")
    assert found.cells["used"].all()
    assert spearmanr(found.cells["pseudotime"], place).statistic > 0.95
    assert place[found.cells["pseudotime"].argmin()] < 0.05
    assert found.cells["pseudotime"].min() == 0
    assert found.cells["pseudotime"].max() == 1
    assert found.summary["grouped_by"] == ("group" if groups else "cluster")
    assert found.summary["root"] == "line 0" or not groups
    assert ["clusters of similar cells" in note for note in found.summary["notes"]] == [True] * (not groups)


def test_a_long_line_is_put_in_its_order():
    """Its leading eigenvalue is above 0.9994, from where on scanpy's pseudotime does not weigh it."""
    components, place = planted_line(1500, length=40)
    found = diffusion.diffusion_map(diffusion.neighbour_graph(components), 0)
    assert found.eigenvalues[0] > 0.9994
    assert spearmanr(diffusion.pseudotime(found.coordinates(), int(place.argmin())), place).statistic > 0.95


def test_where_no_eigenvalue_is_cut_the_pseudotime_is_that_of_scanpy():
    import scanpy as sc

    graph = diffusion.neighbour_graph(np.random.default_rng(0).normal(size=(150, 5)))
    cells = ad.AnnData(obs=pd.DataFrame(index=[str(cell) for cell in range(150)]), obsp={"connectivities": graph})
    cells.uns["neighbors"] = {
        "connectivities_key": "connectivities",
        "params": {"n_neighbors": 15, "method": "umap"},
    }
    cells.uns["iroot"] = 3
    sc.tl.diffmap(cells, n_comps=diffusion.DIFFUSION_COMPONENTS)
    sc.tl.dpt(cells, n_dcs=diffusion.DIFFUSION_COMPONENTS)
    found = diffusion.diffusion_map(graph, 0)
    assert found.eigenvalues[0] < 0.9994
    assert np.allclose(found.eigenvalues, cells.uns["diffmap_evals"][1:], atol=1e-5)
    # scanpy adds the stationary component, which hardly differs between the cells
    assert np.allclose(diffusion.pseudotime(found.coordinates(), 3), cells.obs["dpt_pseudotime"], atol=0.02)


def test_edges_weigh_as_in_umap():
    """Weights of umap-learn 0.5.12 for six points with three neighbours each, the point itself counted."""
    points = np.array([[0, 0], [1, 0], [0, 2], [4, 4], [5, 4], [4, 6]], np.float32)
    expected = [1, 1, 0, 0, 0, 0.8277, 0, 0, 0, 0, 0, 0, 1, 1, 0.8277]
    found = memberships(*nearest_neighbours(points, 2)).toarray()
    np.testing.assert_allclose(found[np.triu_indices(6, 1)], expected, atol=2e-4)


def test_the_root_may_be_named_as_a_group_or_a_cell():
    components, place = planted_line(200)
    obs = annotation(place, 4)
    from_the_end = trace(components, obs, "line 3", 0, "s")
    assert spearmanr(from_the_end.cells["pseudotime"], place).statistic < -0.95
    assert from_the_end.summary["root_by"] == "--root"
    middle = int(np.abs(place - 0.5).argmin())
    from_a_cell = trace(components, obs, f"cell_{middle}", 0, "s")
    assert from_a_cell.summary["root_cell"] == f"cell_{middle}"
    assert spearmanr(from_a_cell.cells["pseudotime"], np.abs(place - 0.5)).statistic > 0.9
    with pytest.raises(InputError, match=r"--root nowhere: neither a group nor a cell .* line 0, line 1"):
        trace(components, obs, "nowhere", 0, "s")


def test_parts_without_a_path_are_left_out_and_said():
    components, place = planted_line(150)
    components[110:] += 500
    found = trace(components, annotation(place), None, 0, "s")
    used = found.cells["used"].to_numpy()
    assert np.array_equal(used, np.arange(150) < 110)
    assert found.cells["component"].tolist() == [0] * 110 + [1] * 40
    assert found.cells.loc[~used, ["pseudotime", "umap_1"]].isna().all(axis=None)
    assert "2 parts" in found.summary["notes"][-1]
    assert "40 are left out" in found.summary["notes"][-1]


def test_a_small_part_is_no_root_unless_it_is_asked_for():
    components, place = planted_line(200)
    components[:30] += 500
    obs = annotation(place, 4)
    obs["pharmacell_group"] = obs["pharmacell_group"].cat.add_categories("apart")
    obs.iloc[:30, obs.columns.get_loc("pharmacell_group")] = "apart"
    obs.iloc[:30, obs.columns.get_loc("pharmacell_probability")] = 1.0
    found = trace(components, obs, None, 0, "s")
    assert found.summary["root"] == "line 0"
    assert found.summary["n_used"] == 170
    assert "apart, lies apart" in found.summary["notes"][0]
    asked = trace(components, obs, "apart", 0, "s")
    assert asked.summary["n_used"] == 30
    assert asked.summary["root"] == "apart"


def test_infinite_pseudotime_is_left_out_and_said(monkeypatch):
    computed = diffusion.pseudotime

    def broken(coordinates, root):
        time = computed(coordinates, root)
        time[[5, 9]] = np.inf
        return time

    monkeypatch.setattr(diffusion, "pseudotime", broken)
    components, place = planted_line(80)
    found = trace(components, annotation(place), None, 0, "s")
    assert np.flatnonzero(~found.cells["used"]).tolist() == [5, 9]
    assert found.cells["pseudotime"].isna().sum() == 2
    assert found.summary["n_infinite"] == 2
    assert "2 cells got no finite pseudotime" in found.summary["notes"][-1]


def test_of_a_large_sample_some_cells_are_ordered_and_the_root_is_among_them(monkeypatch):
    monkeypatch.setattr(steps, "MOST_CELLS", 200)
    components, place = planted_line(1000)
    found = trace(components, annotation(place), "cell_777", 0, "s")
    assert found.cells["used"].sum() == 200
    assert found.summary["root_cell"] == "cell_777"
    assert found.cells.loc[777, "pseudotime"] == 0
    assert found.cells.loc[~found.cells["used"], "component"].isna().all()
    assert found.summary["notes"] == ["a random 200 of 1,000 cells are ordered"]
    again, other = (trace(components, annotation(place), "cell_777", seed, "s").cells for seed in (0, 1))
    pd.testing.assert_frame_equal(found.cells, again)
    assert not found.cells["used"].equals(other["used"])


def test_correlations_draw_whole_groups_and_need_two_values():
    rng = np.random.default_rng(0)
    groups = np.repeat([f"g{number}" for number in range(8)], 30)
    shift = np.repeat(rng.normal(size=8), 30)
    x, y = shift + 0.1 * rng.normal(size=240), -shift + 0.1 * rng.normal(size=240)
    by_cell, by_group = correlations(x, y, None, 0), correlations(x, y, groups, 0)
    assert by_group["value"].tolist() == by_cell["value"].tolist()
    assert by_cell["value"].between(-1, -0.9).all()
    assert (by_group["high"] - by_group["low"] > 1.5 * (by_cell["high"] - by_cell["low"])).all()
    assert by_group["resampled"].tolist() == ["groups", "groups"]
    assert by_group["n_units"].tolist() == [8, 8]
    assert correlations(x, y, np.full(240, "one"), 0)["resampled"].tolist() == ["cells", "cells"]
    pd.testing.assert_frame_equal(by_group, correlations(x, y, groups, 0))
    for nothing in (
        correlations(x, np.ones(240), groups, 0),
        correlations(x[:2], y[:2], None, 0),
        correlations(x[:0], y[:0], None, 0),
    ):
        assert nothing[["value", "low", "high"]].isna().all(axis=None)


def test_intervals_hold_the_true_correlation_as_often_as_they_say():
    rng, held = np.random.default_rng(1), 0
    for seed in range(100):
        x, y = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 60).T
        low, high = correlations(x, y, None, seed, n=200).set_index("method").loc["pearson", ["low", "high"]]
        held += low <= 0.5 <= high
    assert held >= 85


def test_curves_are_exact_on_straight_lines_and_their_band_holds_the_mean():
    position = np.linspace(0, 1, 60)
    mean, error = local_lines(np.column_stack([2 - 3 * position, np.ones(60)]), np.linspace(0, 1, 11))
    assert np.allclose(mean[:, 0], 2 - 3 * np.linspace(0, 1, 11))
    assert np.allclose(mean[:, 1], 1)
    assert np.allclose(error, 0, atol=1e-8)
    rng = np.random.default_rng(0)
    noisy = position[:, None] + rng.normal(size=(60, 200))
    mean, error = local_lines(noisy, np.array([0.5]))
    assert 0.9 < np.mean(np.abs(mean - 0.5) < 1.96 * error) < 0.99


def test_bins_hold_equally_many_cells_in_order():
    rng = np.random.default_rng(0)
    time = rng.random(101)
    curves, bins = along(time, pd.DataFrame({"up": time, "down": -time}), ["resistant", "sensitive"])
    up = bins[bins["feature"] == "up"]
    assert up["n_cells"].isin([2, 3]).all()
    assert up["n_cells"].sum() == 101
    assert up["value"].is_monotonic_increasing
    assert np.allclose(up["value"], up["pseudotime"])
    assert bins.loc[bins["feature"] == "down", "value"].is_monotonic_decreasing
    assert set(curves["feature"] + curves["class"]) == {"upresistant", "downsensitive"}
    assert len(along(time[:20], pd.DataFrame({"up": time[:20]}), ["resistant"])[1]) == 20


def test_key_genes_are_significant_higher_in_their_class_and_half_of_each(tmp_path):
    write_sample(tmp_path)
    path = tmp_path / "s.key_genes.csv"
    chosen = read_key_genes(path, pd.Index(GENES))
    assert chosen["gene"].tolist() == [f"GENE{number}" for number in (8, 9, 10, 11, 12, 0, 1, 2, 3, 4)]
    assert chosen["class"].tolist() == ["sensitive"] * 5 + ["resistant"] * 5
    table = pd.read_csv(path)
    table.loc[(table["gene"] == "GENE0"), "fdr"] = 0.5
    table.to_csv(path, index=False)
    assert read_key_genes(path, pd.Index(GENES))["gene"].tolist()[5:] == ["GENE1", "GENE2", "GENE3", "GENE4", "GENE5"]
    table[table["class"] == "resistant"].to_csv(path, index=False)
    assert read_key_genes(path, pd.Index(GENES))["class"].tolist() == ["resistant"] * 8
    table.iloc[:0].to_csv(path, index=False)
    assert read_key_genes(path, pd.Index(GENES)).empty


def test_expression_is_read_in_chunks_of_the_chosen_cells(tmp_path, monkeypatch):
    write_sample(tmp_path)
    cells = CellMatrix(tmp_path / "s.predicted.h5ad")
    chunks = cells.chunks
    monkeypatch.setattr(cells, "chunks", lambda genes: chunks(genes, size=7))
    positions = np.array([0, 6, 7, 50, 119])
    whole = ad.read_h5ad(tmp_path / "s.predicted.h5ad")[positions, ["GENE3", "GENE9"]].X.toarray()
    assert np.array_equal(expression(cells, ["GENE3", "GENE9"], positions), whole)


def test_the_command_writes_order_correlations_and_genes_and_the_same_twice(tmp_path):
    arguments = write_sample(tmp_path)
    run(arguments)
    tables, summary = read(tmp_path)
    first = {path.name: path.read_bytes() for path in (tmp_path / "s.trajectory").iterdir()}
    assert list(tables["pseudotime"]) == ["cell_id", "pseudotime", "component", "used", "umap_1", "umap_2"]
    assert tables["pseudotime"]["used"].all()
    found = tables["correlations"].set_index("method")
    assert (found["high"] < -0.9).all()
    assert (found["resampled"] == "groups").all()
    curves = tables["curves"]
    assert list(curves["feature"].unique()[:3]) == ["probability", "GENE8", "GENE9"]
    ends = curves.groupby("feature")["value"].agg(["first", "last"])
    assert (ends.loc[["GENE8", "GENE12"], "first"] > ends.loc[["GENE8", "GENE12"], "last"] + 1).all()
    assert (ends.loc[["GENE0", "GENE4"], "first"] < ends.loc[["GENE0", "GENE4"], "last"] - 1).all()
    assert summary["root"] == "line 0"
    run(arguments)
    assert {path.name: path.read_bytes() for path in (tmp_path / "s.trajectory").iterdir()} == first


@pytest.mark.parametrize(
    ("case", "settings"),
    [
        ("twenty cells", {"n_cells": 20, "groups": 0}),
        ("one class", {"probability": 0.9}),
        ("one group", {"groups": 1}),
        ("all equal", {"probability": 0.5, "groups": 0}),
    ],
)
def test_odd_samples_are_ordered(tmp_path, case, settings):
    run(write_sample(tmp_path, **settings))
    tables, summary = read(tmp_path)
    assert summary["computed"], case
    assert tables["pseudotime"]["used"].all()
    constant = "probability" in settings
    assert tables["correlations"]["value"].isna().all() == constant
    assert np.isfinite(tables["curves"]["value"]).all()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"n_cells": 19}, "19 cells are fewer than 20"),
        ({"components": np.zeros((120, 2), np.float32)}, "same expression"),
        (
            {
                "components": 1000 * np.repeat(np.eye(12), 10, 0).astype(np.float32)
                + np.random.default_rng(0).normal(size=(120, 12)).astype(np.float32)
            },
            "hang together",
        ),
    ],
)
def test_cells_without_a_path_give_a_stated_empty_result(tmp_path, settings, word):
    done = CliRunner().invoke(trajectory, write_sample(tmp_path, **settings))
    assert done.exit_code == 0, done.output
    tables, summary = read(tmp_path)
    assert not summary["computed"]
    assert word in summary["notes"][-1]
    assert word in done.stderr
    assert not tables["pseudotime"]["used"].any()
    assert len(tables["pseudotime"]) == settings.get("n_cells", 120)
    assert [len(tables[name]) for name in ("correlations", "curves", "bins")] == [0, 0, 0]


def test_bad_input_is_refused(tmp_path):
    arguments = write_sample(tmp_path)[:6]
    out = tmp_path / "out"
    refuse(trajectory, [*arguments, "--root", "nowhere"], out, "s.predicted.h5ad", "--root nowhere", "line 0")
    table = pd.read_csv(tmp_path / "s.key_genes.csv")
    table.drop(columns="fdr").to_csv(tmp_path / "s.key_genes.csv", index=False)
    refuse(trajectory, arguments, out, "s.key_genes.csv", "'fdr' is missing")
    table.assign(gene="NOGENE").to_csv(tmp_path / "s.key_genes.csv", index=False)
    refuse(trajectory, arguments, out, "s.key_genes.csv", "none of its genes")
    cells = ad.read_h5ad(tmp_path / "s.predicted.h5ad")
    del cells.obs["pharmacell_probability"]
    cells.write_h5ad(tmp_path / "s.h5ad")
    arguments[3] = str(tmp_path / "s.h5ad")
    refuse(trajectory, arguments, out, "s.h5ad", "pharmacell_probability", "predict")


def results_with(folder, sample="tumour", **settings):
    """Return a sample's results with the trajectory that the command makes of a planted line."""
    run(write_sample(folder, **settings))
    files = write_results(folder, sample, n_cells=settings["n_cells"], truth=False)
    return read_results(files.pop("sample"), files | {"trajectory": folder / "s.trajectory"})


def test_figures_have_their_panels_and_the_report_its_chapter(tmp_path):
    read_back = results_with(tmp_path, n_cells=120, groups=2)
    drawn = figures(read_back, seed=0)
    space = drawn["trajectory_map"]
    shown = [axis.get_title() for axis in space.axes if axis.get_title()]
    assert shown == ["pseudotime (root: star)", "probability of being sensitive", "condition"]
    assert [len(axis.collections[0].get_offsets()) for axis in space.axes[:3]] == [120] * 3
    cells = read_back.trajectory.pseudotime
    root = cells.loc[cells["pseudotime"].idxmin(), ["umap_1", "umap_2"]]
    assert np.allclose(np.ravel(space.axes[0].lines[0].get_data()), root.to_numpy(float))
    scatter = drawn["trajectory_scatter"].axes[0]
    points = scatter.collections[0].get_offsets()
    assert np.allclose(np.sort(points[:, 0]), np.sort(cells["pseudotime"]))
    assert np.allclose(np.sort(points[:, 1]), np.sort(read_back.predictions["probability"]))
    heatmap = drawn["trajectory_heatmap"].axes[0]
    names = [label.get_text() for label in heatmap.get_yticklabels()]
    assert names == [
        "probability",
        "GENE8",
        "GENE9",
        "GENE10",
        "GENE11",
        "GENE12",
        "GENE0",
        "GENE1",
        "GENE2",
        "GENE3",
        "GENE4",
    ]
    shades = heatmap.images[0].get_array()
    assert shades.shape == (11, 50)
    assert np.allclose(shades.mean(1), 0)
    assert (shades[[1, 5], 0] > shades[[1, 5], -1] + 1).all()
    assert (shades[[6, 10], 0] < shades[[6, 10], -1] - 1).all()
    assert [axis.get_title() for axis in drawn["trajectory_curves"].axes] == names
    folder = tmp_path / "tumour.sections"
    write_content(read_back, stand_ins(read_back, tmp_path / "figures"), folder)
    assert {path.name for path in folder.glob("trajectory_*.json")} == {
        f"trajectory_tumour_{SAMPLE_FIGURES[name].part.replace(' ', '_')}.json" for name in of_chapter("trajectory")
    }
    text = " ".join(path.read_text() for path in folder.glob("trajectory_*.json"))
    assert "120 of 120 cells are ordered, beginning with line 0 (of the highest mean probability)" in text
    spearman = read_back.trajectory.correlations.set_index("method").loc["spearman", "value"]
    assert spearman < -0.95
    assert f"Spearman {spearman:.2f} (" in text
    assert "intervals over 2 groups. So few groups make a rough interval." in text


def test_without_key_genes_or_order_the_report_draws_less_and_says_why(tmp_path):
    read_back = results_with(tmp_path, n_cells=60, groups=0)
    found = read_back.trajectory
    no_genes = replace(
        found,
        curves=found.curves[found.curves["feature"] == "probability"],
        bins=found.bins[found.bins["feature"] == "probability"],
    )
    drawn = figures(replace(read_back, trajectory=no_genes), seed=0)
    assert {name for name in drawn if name.startswith("trajectory")} == {"trajectory_map", "trajectory_scatter"}
    empty = replace(found, summary={"computed": False, "notes": ["no pseudotime was computed: 7 cells"]})
    assert not of_chapter("trajectory") & set(figures(replace(read_back, trajectory=empty), seed=0))
    write_content(replace(read_back, trajectory=empty), {}, tmp_path / "empty.sections")
    text = (tmp_path / "empty.sections" / "trajectory_tumour.json").read_text()
    assert "No pseudotime was computed: 7 cells." in text
    write_content(replace(read_back, trajectory=None), {}, tmp_path / "skipped.sections")
    assert not list((tmp_path / "skipped.sections").glob("trajectory*"))


def test_equal_probabilities_have_no_correlation_in_words(tmp_path):
    read_back = results_with(tmp_path, n_cells=40, groups=0, probability=0.5)
    assert "no correlation is defined" in correlated(read_back.trajectory)
