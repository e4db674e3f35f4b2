"""Small files of every kind that people bring, all with the same cells, genes and counts, and what they become."""

import gzip
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from click.testing import CliRunner
from scipy import sparse
from scipy.io import mmwrite

from pharmacell.cli.qc import qc
from pharmacell.data.embedding import Embedding
from pharmacell.data.genes import gene_table

GENES = [symbol for symbol in sorted(gene_table().symbols.values()) if "-" not in symbol and "." not in symbol][
    3000:3060
]
CELLS = [f"AAAC{i:04d}-1" for i in range(24)]
RATES = np.random.default_rng(2).gamma(0.5, 4, len(GENES))
COUNTS = np.random.default_rng(1).poisson(RATES, (len(CELLS), len(GENES))).astype(np.float32)
ENSEMBL = {symbol: name for name, symbol in gene_table().ensembl.items()}
OLD_ENCODINGS = {  # what anndata 0.8 writes and reads; its 0.8.0 opened the outputs of all kinds of these tests
    ("", ""),
    ("anndata", "0.1.0"),
    ("dict", "0.1.0"),
    ("array", "0.2.0"),
    ("string-array", "0.2.0"),
    ("string", "0.2.0"),
    ("csr_matrix", "0.1.0"),
    ("csc_matrix", "0.1.0"),
    ("dataframe", "0.2.0"),
    ("categorical", "0.2.0"),
    ("numeric-scalar", "0.2.0"),
}


def no_picture(matrix, *_):
    """Stand in for the UMAP, which costs more than all else and has tests of its own."""
    nowhere = np.zeros((matrix.shape[0], 2), np.float32)
    return Embedding(nowhere, nowhere, "no picture")


def annotated(values=COUNTS, genes=GENES, cells=CELLS, **more) -> ad.AnnData:
    return ad.AnnData(sparse.csr_matrix(values), obs=pd.DataFrame(index=cells), var=pd.DataFrame(index=genes), **more)


def h5ad(folder: Path, sample: ad.AnnData) -> Path:
    with ad.settings.override(allow_write_nullable_strings=True):
        sample.write_h5ad(folder / "s.h5ad")
    return folder / "s.h5ad"


def folder_10x(folder: Path, values=COUNTS, prefix="", features=None, zipped=True, cells=CELLS) -> Path:
    folder.mkdir(exist_ok=True)
    features = features or [f"{ENSEMBL.get(g, g)}\t{g}\tGene Expression" for g in GENES]
    mmwrite(folder / f"{prefix}matrix.mtx", sparse.coo_matrix(values.T.astype(int)))
    (folder / f"{prefix}features.tsv").write_text("\n".join(features) + "\n")
    (folder / f"{prefix}barcodes.tsv").write_text("\n".join(cells) + "\n")
    for name in ("matrix.mtx", "features.tsv", "barcodes.tsv") if zipped else ():
        zip_file(folder / f"{prefix}{name}")
    return folder


def zip_file(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    with path.open("rb") as plain, gzip.open(packed, "wb") as file:
        shutil.copyfileobj(plain, file)
    path.unlink()
    return packed


def tar(path: Path, folder: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname=folder.name)
    return path


def h5_10x(path: Path, values=COUNTS, genes=GENES, types=None, genomes=None) -> Path:
    matrix = sparse.csr_matrix(values)  # genes x cells by column
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        group["data"], group["indices"], group["indptr"] = matrix.data.astype("i4"), matrix.indices, matrix.indptr
        group["shape"], group["barcodes"] = (len(genes), len(CELLS)), np.array(CELLS, "S")
        features = group.create_group("features")
        features["id"] = np.array([ENSEMBL.get(gene, gene) for gene in genes], "S")
        features["name"] = np.array(genes, "S")
        features["feature_type"] = np.array(types or ["Gene Expression"] * len(genes), "S")
        features["genome"] = np.array(genomes or ["GRCh38"] * len(genes), "S")
    return path


def loom(path: Path, cell_name: str, gene_name: str) -> Path:
    with h5py.File(path, "w") as file:
        file["matrix"] = COUNTS.T
        file.create_group("row_attrs")[gene_name] = np.array(GENES, "S")
        file.create_group("col_attrs")[cell_name] = np.array(CELLS, "S")
        file["col_attrs/embedding"] = np.zeros((len(CELLS), 2))
    return path


def text(path: Path, table: pd.DataFrame, **options) -> Path:
    table.to_csv(path, **options)
    return path


def table() -> pd.DataFrame:
    return pd.DataFrame(COUNTS.astype(int), CELLS, GENES)


def zip_folder(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


def encodings_of(path: Path) -> set[tuple[str, str]]:
    """Return type and version of the encodings of everything in an h5ad."""
    with h5py.File(path) as file:
        nodes = [file]
        file.visititems(lambda _, node: nodes.append(node))
        return {(node.attrs.get("encoding-type", ""), node.attrs.get("encoding-version", "")) for node in nodes}


def run_qc(path: Path, out: Path, *options: str) -> tuple[ad.AnnData, str]:
    """Run the command; return the file that it wrote, read back, and its notes as one text."""
    arguments = ["--sample", "s", "--input", str(path), "--outdir", str(out), "--threads", "1"]
    arguments += ["--min_genes", "0", "--min_cells", "0", "--max_mt_percent", "100", *options]
    result = CliRunner().invoke(qc, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    assert encodings_of(out / "s.h5ad") <= OLD_ENCODINGS
    return ad.read_h5ad(out / "s.h5ad"), "\n".join(json.loads((out / "s.qc_summary.json").read_text())["notes"])
