"""Every format gives the same cells, genes and values."""

import gzip
import shutil

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy import sparse
from scipy.io import mmwrite

from pharmacell.cli.qc import qc
from pharmacell.data.genes import gene_table
from pharmacell.data.readers import Reading, read_sample

GENES = sorted(gene_table().symbols.values())[1000:1040]
CELLS = [f"cell{i}" for i in range(25)]
VALUES = np.random.default_rng(1).poisson(0.4, (25, 40)).astype(np.float32)


def anndata() -> ad.AnnData:
    return ad.AnnData(sparse.csr_matrix(VALUES), obs=pd.DataFrame(index=CELLS), var=pd.DataFrame(index=GENES))


def as_h5ad(folder):
    anndata().write_h5ad(folder / "s.h5ad")
    return folder / "s.h5ad"


def as_h5ad_by_column(folder):
    sample = anndata()
    sample.X = sample.X.tocsc()
    sample.write_h5ad(folder / "s.h5ad")
    return folder / "s.h5ad"


def as_loom(folder):
    with h5py.File(folder / "s.loom", "w") as file:
        file["matrix"] = VALUES.T
        file["row_attrs/Gene"] = np.array(GENES, dtype="S")
        file["col_attrs/CellID"] = np.array(CELLS, dtype="S")
        file.create_group("layers")
    return folder / "s.loom"


def as_csv(folder):
    pd.DataFrame(VALUES, CELLS, GENES).to_csv(folder / "s.csv")
    return folder / "s.csv"


def as_tsv_gz_by_gene(folder):
    pd.DataFrame(VALUES.T, GENES, CELLS).to_csv(folder / "s.tsv.gz", sep="\t")
    return folder / "s.tsv.gz"


def as_txt_of_r(folder):
    """R's write.table leaves the corner out."""
    text = pd.DataFrame(VALUES.T.astype(int), GENES, CELLS).to_csv(sep="\t")
    (folder / "s.txt").write_text(text[1:])
    return folder / "s.txt"


def as_10x(folder, features, zipped, prefix=""):
    kinds = ["\tGene Expression" if features == "features.tsv" else ""] * 40
    files = {
        "barcodes.tsv": CELLS,
        features: [f"ID{i}\t{g}{kind}" for i, (g, kind) in enumerate(zip(GENES, kinds, strict=True))],
    }
    matrix = VALUES.T
    if features == "features.tsv":  # antibodies are not genes
        files[features] = [*files[features], "AB1\tCD3_TotalSeq\tAntibody Capture"]
        matrix = np.vstack([matrix, np.full(25, 7)])
    mmwrite(folder / f"{prefix}matrix.mtx", sparse.coo_matrix(matrix.astype(int)))
    for name, lines in files.items():
        (folder / f"{prefix}{name}").write_text("\n".join(lines) + "\n")
    if zipped:
        for file in list(folder.iterdir()):
            with file.open("rb") as plain, gzip.open(f"{file}.gz", "wb") as packed:
                shutil.copyfileobj(plain, packed)
            file.unlink()
    return folder


FORMATS = {
    "h5ad": as_h5ad,
    "h5ad by column": as_h5ad_by_column,
    "loom": as_loom,
    "csv": as_csv,
    "tsv.gz by gene": as_tsv_gz_by_gene,
    "txt of R": as_txt_of_r,
    "10x version 2": lambda folder: as_10x(folder, "genes.tsv", False),
    "10x version 3": lambda folder: as_10x(folder, "features.tsv", True),
    "10x with a prefix": lambda folder: as_10x(folder, "genes.tsv", True, "GSM1_"),
}


def as_10x_h5_of_version_2(folder):
    """One group a genome, genes x cells by column."""
    matrix = sparse.csr_matrix(VALUES)
    with h5py.File(folder / "s.h5", "w") as file:
        group = file.create_group("GRCh38")
        group["data"], group["indices"], group["indptr"] = matrix.data.astype(int), matrix.indices, matrix.indptr
        group["shape"], group["barcodes"] = (40, 25), np.array(CELLS, dtype="S")
        group["genes"], group["gene_names"] = np.array([f"ID{i}" for i in range(40)], "S"), np.array(GENES, "S")
    return folder / "s.h5"


FORMATS["10x h5 of version 2"] = as_10x_h5_of_version_2


@pytest.mark.parametrize("kind", FORMATS)
def test_command_writes_what_the_file_holds(kind, tmp_path):
    (tmp_path / "in").mkdir()
    sample = FORMATS[kind](tmp_path / "in")
    arguments = ["--sample", "s", "--input", str(sample), "--outdir", str(tmp_path), "--threads", "1"]
    result = CliRunner().invoke(qc, [*arguments, "--min_genes", "0", "--min_cells", "0"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    written = ad.read_h5ad(tmp_path / "s.h5ad")
    assert list(written.obs_names) == CELLS
    np.testing.assert_array_equal(written[:, GENES].layers["counts"].toarray(), VALUES)


@pytest.mark.parametrize("kind", FORMATS)
def test_same_sample(kind, tmp_path):
    sample, _ = read_sample(FORMATS[kind](tmp_path))
    assert list(sample.obs.index) == CELLS
    assert list(sample.genes) == GENES
    assert sparse.issparse(sample.x)
    np.testing.assert_array_equal(sample.x.toarray(), VALUES)


def test_10x_h5(tmp_path):
    with h5py.File(tmp_path / "s.h5", "w") as file:
        matrix = sparse.csr_matrix(VALUES)  # 10x stores genes x cells by column: the same numbers
        group = file.create_group("matrix")
        group["data"], group["indices"], group["indptr"] = matrix.data.astype(int), matrix.indices, matrix.indptr
        group["shape"], group["barcodes"] = (40, 25), np.array(CELLS, dtype="S")
        features = group.create_group("features")
        features["id"], features["name"] = np.array([f"ID{i}" for i in range(40)], "S"), np.array(GENES, "S")
        features["feature_type"] = np.array(["Gene Expression"] * 40, "S")
        features["genome"] = np.array(["GRCh38"] * 40, "S")
    sample, _ = read_sample(tmp_path / "s.h5")
    assert list(sample.genes) == GENES
    np.testing.assert_array_equal(sample.x.toarray(), VALUES)


def test_annotation_columns_leave_the_genes(tmp_path):
    table = pd.DataFrame(VALUES, CELLS, GENES)
    table.insert(0, "response", [0, 1] * 12 + [0])
    table.insert(3, "patient", "P1")
    table.insert(5, "plate", range(25))
    table.to_csv(tmp_path / "s.csv")
    sample, notes = read_sample(tmp_path / "s.csv", Reading(annotations=("plate",)))
    assert list(sample.genes) == GENES
    assert list(sample.obs.columns) == ["response", "patient", "plate"]
    assert sample.obs["plate"].iloc[7] == "7"
    assert "cells_by_genes (detected: 93% of column" in notes[0]  # 40 of 43


def test_orientation_told_wins(tmp_path):
    sample, notes = read_sample(as_csv(tmp_path), Reading("genes_by_cells"))
    assert list(sample.obs.index) == GENES
    assert "as asked" in notes[0]


def test_gene_names_from_var(tmp_path):
    sample = anndata()
    sample.var = pd.DataFrame({"feature_name": GENES}, index=[str(i) for i in range(40)])
    sample.write_h5ad(tmp_path / "s.h5ad")
    read, notes = read_sample(tmp_path / "s.h5ad")
    assert list(read.genes) == GENES
    assert "feature_name" in notes[0]


def test_repeated_cell_ids_are_made_unique_and_stated(tmp_path):
    pd.DataFrame(VALUES, ["a"] * 25, GENES).to_csv(tmp_path / "s.csv")
    sample, notes = read_sample(tmp_path / "s.csv")
    assert sample.obs.index.is_unique
    assert any("24 cell ids" in note for note in notes)


def test_csv_is_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("pharmacell.data.text_matrix.VALUES_AT_ONCE", 200)
    sample, _ = read_sample(as_csv(tmp_path))
    np.testing.assert_array_equal(sample.x.toarray(), VALUES)
