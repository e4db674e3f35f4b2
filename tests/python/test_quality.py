"""Quality control keeps what it should, on every scale."""

import json
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from fresh_process import COMPILERS, imported
from scipy import sparse

from pharmacell.cli.qc import qc
from pharmacell.core.errors import InputError
from pharmacell.data import embedding
from pharmacell.data.cells import CellMatrix
from pharmacell.data.genes import gene_table
from pharmacell.data.sample import prepare_sample
from pharmacell.data.settings import Limits, Request

DATA = Path(__file__).parents[1] / "data"
A375 = Path(__file__).parents[3] / "shared" / "data" / "single_cell" / "a375_plx4720.tsv.gz"
GENES = [symbol for symbol in sorted(gene_table().symbols.values()) if "-" not in symbol][2000:2300]
LIMITS = Limits(min_genes=20)


def sample_of(values, genes=GENES, **obs) -> ad.AnnData:
    frame = pd.DataFrame(obs, index=[f"c{i}" for i in range(len(values))])
    return ad.AnnData(sparse.csr_matrix(values, dtype=np.float32), obs=frame, var=pd.DataFrame(index=genes))


def counts(n_cells, n_genes=300) -> np.ndarray:
    return np.random.default_rng(3).poisson(1.0, (n_cells, n_genes)).astype(np.float32)


def prepare(sample, folder, limits=LIMITS, **request):
    sample.write_h5ad(folder / "s.h5ad")
    return written(Request("s", folder / "s.h5ad", **request), limits, folder / "out")


def written(request, limits, folder):
    """Return the cells, the measures and the summary that quality control writes."""
    summary = prepare_sample(request, limits, 0, folder)
    stem = folder / request.sample
    return SimpleNamespace(
        cells=ad.read_h5ad(f"{stem}.h5ad"), measures=pd.read_csv(f"{stem}.qc_metrics.csv"), summary=summary
    )


def test_filters_and_normalisation(tmp_path):
    values = counts(30)
    values[:, 5] = 0
    values[:2, 5] = 9  # a gene of two cells
    values[3] = 0
    values[3, :10] = 5  # a cell of ten genes
    genes = [*GENES[:-2], "MT-ND1", "MT-CO1"]
    values[:, -2:] = 0
    values[7, -2] = values[7].sum()  # half of its counts are mitochondrial
    prepared = prepare(sample_of(values, genes), tmp_path)
    cells, table = prepared.cells, prepared.measures.set_index("cell_id")
    assert table.loc["c3", ["kept", "reason"]].tolist() == [False, "few_genes"]
    assert table.loc["c7", ["kept", "reason"]].tolist() == [False, "mitochondrial"]
    assert table.loc["c7", "pct_mt"] == pytest.approx(50)
    assert prepared.summary["removed"]["few_genes"] == prepared.summary["removed"]["mitochondrial"] == 1
    assert cells.n_obs == 28
    assert not cells.obs_names.isin(["c3", "c7"]).any()
    assert GENES[5] not in cells.var_names
    assert sparse.issparse(cells.X)
    assert cells.X.dtype == np.float32
    expected = cells.layers["counts"].toarray()
    np.testing.assert_array_equal(
        expected, values[[i for i in range(30) if i not in (3, 7)]][:, [genes.index(gene) for gene in cells.var_names]]
    )
    expected = np.log1p(expected / expected.sum(1, keepdims=True) * 10_000)
    np.testing.assert_allclose(cells.X.toarray(), expected, rtol=1e-5)


def test_logged_values_are_left_alone(tmp_path):
    values = np.log1p(counts(20) / 3)
    prepared = prepare(sample_of(values), tmp_path)
    kept = [GENES.index(gene) for gene in prepared.cells.var_names]
    np.testing.assert_array_equal(prepared.cells.X.toarray(), values[:, kept])
    assert "counts" not in prepared.cells.layers
    assert prepared.cells.obs["pharmacell_total_counts"].isna().all()


def test_zscores_are_left_alone(tmp_path):
    values = np.random.default_rng(0).normal(size=(20, 300)).astype(np.float32)
    prepared = prepare(sample_of(values), tmp_path, Limits())
    np.testing.assert_array_equal(prepared.cells.X, values)
    assert prepared.summary["scale"] == "zscore"
    assert any("not applied" in note for note in prepared.summary["notes"])
    assert prepared.cells.obs[["pharmacell_n_genes", "pharmacell_pct_mt"]].isna().all(axis=None)


def test_counts_layer_is_used_when_x_is_logged(tmp_path):
    values = counts(20)
    sample = sample_of(np.log1p(values))
    sample.layers["counts"] = sparse.csr_matrix(values)
    prepared = prepare(sample, tmp_path)
    assert prepared.summary["scale"] == "counts"
    assert any("layers['counts']" in note for note in prepared.summary["notes"])


TISSUE_GENES = [symbol for symbol in sorted(gene_table().symbols.values()) if "-" not in symbol][:2500]


@pytest.mark.parametrize("n_rows", [1, 3])
@pytest.mark.parametrize("scale", ["tpm", "log1p", "counts"])
def test_tables_of_tissue_keep_mitochondrial_rows_and_rare_genes(scale, n_rows, tmp_path):
    rng = np.random.default_rng(5)
    values = rng.lognormal(2, 1, (n_rows, 2500)) + 0.5
    values[:, :50] = 0
    values[0, :50] = 7.5  # genes of one row
    values[:, -1] = values[:, :-1].sum(1)  # half of all is mitochondrial, as in a kidney
    if scale == "counts":
        values = np.rint(values)
    else:
        values *= 1e6 / values.sum(1, keepdims=True)
    sample = sample_of(np.log2(values + 1) if scale == "log1p" else values, [*TISSUE_GENES[:-1], "MT-ND1"])
    found = prepare(sample, tmp_path, Limits(), scale=scale)
    assert found.cells.shape == sample.shape
    assert found.summary["rows"] == "tissue"
    assert found.measures["pct_mt"].to_numpy() == pytest.approx(50, abs=0.1)
    assert (found.summary["limits"]["min_cells"], found.summary["limits"]["max_mt_percent"]) == (1, 100)
    assert any("rows are tissue or pseudo-bulks" in note for note in found.summary["notes"])


@pytest.mark.parametrize(
    ("mutations", "words"),
    [
        ("EGFR;NOGENE", "'NOGENE' is none of the"),
        ("column:absent", "absent"),
        ("column:clone", "'NOGENE' is none of the"),
    ],
)
def test_unknown_driver_events_are_refused_before_anything_is_written(mutations, words, tmp_path):
    sample = sample_of(counts(30), clone=["EGFR", "NOGENE", ""] * 10, events=["EGFR L858R", "none", "tp53"] * 10)
    with pytest.raises(InputError, match=words):
        prepare(sample, tmp_path, mutations=mutations)
    assert not (tmp_path / "out").exists()
    assert prepare(sample, tmp_path, mutations="column:events").cells.n_obs == 30
    assert prepare(sample, tmp_path, mutations="EGFR;TP53").cells.n_obs == 30


def test_deep_cells_are_no_tissue(tmp_path):
    values = np.random.default_rng(5).poisson(0.9, (5, 2500)).astype(np.float32)  # 59 % of the genes in each
    found = prepare(sample_of(values, TISSUE_GENES), tmp_path)
    assert found.summary["rows"] == "cells"
    assert found.summary["limits"]["min_cells"] == 3


@pytest.mark.parametrize("n_cells", [1, 3, 12, 20])
def test_few_cells(n_cells, tmp_path):
    cells = prepare(sample_of(counts(n_cells)), tmp_path, Limits(min_genes=20, min_cells=1)).cells
    assert cells.obsm["X_umap"].shape == (n_cells, 2)
    assert np.isfinite(cells.obsm["X_umap"]).all()
    assert np.isfinite(cells.obsm["X_pca"]).all()


def test_cells_that_are_all_alike_get_no_umap(tmp_path):
    values = np.tile(counts(1), (15, 1))
    prepared = prepare(sample_of(values), tmp_path, Limits(min_genes=0, min_cells=0))
    assert not prepared.cells.obsm["X_umap"].any()
    assert any("no gene differs" in note for note in prepared.summary["notes"])


@pytest.mark.parametrize("labels", [[0, 1], ["Resistant", "SENSITIVE"], [False, True], ["0.0", "1.0"]])
def test_labels_and_group(labels, tmp_path):
    sample = sample_of(counts(20), answer=labels * 10, patient=["a", "b", "c", "d"] * 5)
    cells = prepare(sample, tmp_path, label_key="answer", group_key="patient").cells
    assert cells.obs["pharmacell_truth"].dtype == np.int8
    assert cells.obs["pharmacell_truth"].tolist() == [0, 1] * 10
    assert cells.obs["pharmacell_group"].tolist() == ["a", "b", "c", "d"] * 5
    assert cells.uns["pharmacell"]["has_truth"]


def test_response_to_several_drugs(tmp_path):
    known = {"answer:Drug-1": [0, 1] * 10, "answer:X 2": ["R", "S"] * 10, "answer:Three": [1] * 20}
    prepared = prepare(sample_of(counts(20), **known), tmp_path, drug_label_key="answer")
    assert any("answer:Three: all are sensitive" in note for note in prepared.summary["notes"])
    for drug, truth in (("drug 1", [0, 1] * 10), ("x2", [0, 1] * 10), ("Three", None), ("other", None)):
        obs = CellMatrix(tmp_path / "out" / "s.h5ad", drug).obs
        assert (obs["pharmacell_truth"].tolist() if "pharmacell_truth" in obs else None) == truth, drug
        assert not [column for column in obs if column.startswith("pharmacell_truth:")]
    assert list(known) == [column for column in obs if column.startswith("answer:")], "the user's columns stay"


def test_mouse_sample(tmp_path):
    mouse = sorted(gene_table().mouse_symbols)[3000:3300]
    prepared = prepare(sample_of(counts(20), mouse), tmp_path)
    assert prepared.summary["species"] == "mouse"
    assert {name for names in prepared.cells.var["original"] for name in names.split("|")} <= set(mouse)
    assert set(prepared.cells.var_names) <= set(gene_table().symbols.values())


def planted_groups(n_cells=90) -> np.ndarray:
    """Return counts of three kinds of cells, one after the other, each with forty genes of its own."""
    rates = np.ones((n_cells, 300))
    for kind in range(3):
        rates[kind::3, 40 * kind : 40 * (kind + 1)] = 8
    return np.random.default_rng(3).poisson(rates).astype(np.float32)


def test_umap_keeps_kinds_of_cells_together(tmp_path):
    from sklearn.metrics import silhouette_score

    cells = prepare(sample_of(planted_groups()), tmp_path).cells
    assert silhouette_score(cells.obsm["X_umap"], np.arange(90) % 3) > 0.7


def test_of_a_large_sample_the_other_cells_are_projected(tmp_path, monkeypatch):
    from sklearn.metrics import silhouette_score

    whole = prepare(sample_of(planted_groups()), tmp_path).cells
    monkeypatch.setattr(embedding, "MOST_REFERENCE_CELLS", 45)
    prepared = prepare(sample_of(planted_groups()), tmp_path)
    assert any("the other 45 are projected" in note for note in prepared.summary["notes"])
    assert silhouette_score(prepared.cells.obsm["X_umap"], np.arange(90) % 3) > 0.7
    axes = np.linalg.qr(prepared.cells.obsm["X_pca"][:, :2])[0]  # the two that tell three kinds apart
    assert np.linalg.norm(axes.T @ np.linalg.qr(whole.obsm["X_pca"][:, :2])[0]) > 1.35


def test_a_sample_in_blocks_is_the_sample_in_one(tmp_path, monkeypatch):
    genes = [*GENES[:280], *GENES[:20]]  # some symbols twice
    values = planted_groups()
    values[10:70:9, :290] = 0  # cells that are removed
    whole = prepare(sample_of(values, genes), tmp_path)
    monkeypatch.setattr("pharmacell.data.matrices.MOST_IN_MEMORY", 10)
    monkeypatch.setattr("pharmacell.data.scale.CHUNK", 7)
    blockwise = prepare(sample_of(values, genes), tmp_path)
    assert whole.summary == blockwise.summary
    pd.testing.assert_frame_equal(whole.measures, blockwise.measures)
    assert 0 < whole.cells.n_obs < 90
    for one, other in (
        (whole.cells.X, blockwise.cells.X),
        (whole.cells.layers["counts"], blockwise.cells.layers["counts"]),
    ):
        np.testing.assert_array_equal(one.toarray(), other.toarray())
    for name in ("X_pca", "X_umap"):
        np.testing.assert_array_equal(whole.cells.obsm[name], blockwise.cells.obsm[name])
    pd.testing.assert_frame_equal(whole.cells.obs, blockwise.cells.obs)
    pd.testing.assert_frame_equal(whole.cells.var, blockwise.cells.var)


def test_counts_share_the_places_of_their_values_with_the_logged_ones(tmp_path):
    prepare(sample_of(counts(20)), tmp_path)
    with h5py.File(tmp_path / "out" / "s.h5ad") as file:
        assert list(file["layers"]) == ["counts"]
        assert "raw" not in file
        for part in ("indices", "indptr"):
            assert file[f"X/{part}"] == file[f"layers/counts/{part}"]  # one array under two names


def test_memory_grows_by_less_than_the_values(tmp_path, monkeypatch):
    monkeypatch.setattr("pharmacell.data.matrices.MOST_IN_MEMORY", 10)
    monkeypatch.setattr("pharmacell.data.scale.CHUNK", 200)
    monkeypatch.setattr(embedding, "MOST_REFERENCE_CELLS", 100)
    genes = sorted(set(gene_table().symbols.values()))[:900]
    peaks = {}
    for n_cells in (1000, 3000):
        sample = sample_of(counts(n_cells, len(genes)), genes)
        sample.write_h5ad(tmp_path / "s.h5ad")
        of_a_cell = sample.X.nnz / n_cells * (4 + 4)  # bytes: a value and its place
        del sample
        tracemalloc.start()
        prepare_sample(Request("s", tmp_path / "s.h5ad"), LIMITS, 0, tmp_path / "out")
        peaks[n_cells] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[3000] - peaks[1000] < of_a_cell * 2000 / 2


def test_variable_genes_are_those_of_scanpy():
    import scanpy as sc

    x = np.log1p(planted_groups() / 3).astype(np.float32)
    table = sc.pp.highly_variable_genes(ad.AnnData(x.copy()), n_top_genes=50, flavor="seurat", inplace=False)
    for matrix in (x, sparse.csr_matrix(x)):
        np.testing.assert_array_equal(embedding.variable_genes(matrix, 50), table["highly_variable"])


def test_the_command_compiles_nothing(tmp_path):
    arguments = ["--sample", "s", "--input", str(DATA / "cells_plx4720.tsv.gz"), "--min_genes", "50"]
    assert not imported("qc", [*arguments, "--outdir", str(tmp_path)]) & COMPILERS


def test_command_writes_the_same_twice(tmp_path):
    for name in ("a", "b"):
        arguments = [
            "--sample",
            "s",
            "--input",
            str(DATA / "cells_plx4720.tsv.gz"),
            "--label_key",
            "response",
            "--min_genes",
            "50",
            "--threads",
            "1",
            "--seed",
            "4",
            "--outdir",
            str(tmp_path / name),
        ]
        result = CliRunner().invoke(qc, arguments)
        assert result.exit_code == 0, result.output
    first, second = (ad.read_h5ad(tmp_path / name / "s.h5ad") for name in ("a", "b"))
    np.testing.assert_array_equal(first.obsm["X_umap"], second.obsm["X_umap"])
    summary = json.loads((tmp_path / "a" / "s.qc_summary.json").read_text())
    assert summary["n_cells"] == first.n_obs == 160
    assert len(pd.read_csv(tmp_path / "a" / "s.qc_metrics.csv")) == 160
    written = sorted(file.name for file in (tmp_path / "a").iterdir())
    assert written == ["s.h5ad", "s.qc_metrics.csv", "s.qc_summary.json"]


@pytest.mark.skipif(not A375.exists(), reason="the real cells are not here")
def test_real_cells_with_entrez_ids(tmp_path):
    prepared = written(Request("a375", A375, label_key="response"), Limits(), tmp_path)
    assert prepared.cells.shape == (108, 2873)
    assert prepared.cells.obs["pharmacell_truth"].sum() == 62
    assert prepared.summary["genes_matched"] == 1
