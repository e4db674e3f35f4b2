"""Read one single-cell sample: h5ad, 10x folder, 10x h5, csv or tsv, loom."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.genes import is_count_up, map_names
from pharmacell.data.input_file import check_file, reason, suffix_of
from pharmacell.data.text_table import TEXT_SUFFIXES

if TYPE_CHECKING:
    from anndata import AnnData

SUFFIXES = (".h5ad", ".h5", ".loom", *TEXT_SUFFIXES)
ENOUGH_NAMES = 2000  # to tell which of several columns holds gene names
GENE_EXPRESSION = "Gene Expression"
CELL_ATTRIBUTES = ("CellID", "obs_names", "cell_id", "barcode", "Barcode")
GENE_ATTRIBUTES = ("Gene", "var_names", "gene", "Accession", "gene_id")


def check_sample(path: Path) -> None:
    """Check cheaply that a sample is there and of a kind that can be read.

    Raises
    ------
    InputError
        If not.
    """
    if not path.is_dir():
        check_file(path, SUFFIXES)
    elif not list(path.glob("*matrix.mtx*")):
        raise InputError(f"{path}: a folder without matrix.mtx; give a file, or a 10x folder with matrix.mtx(.gz)")


def read_sample(
    path: Path, orientation: str = "auto", annotations: tuple[str, ...] = ()
) -> tuple["AnnData", list[str]]:
    """Read a sample.

    Parameters
    ----------
    path
        A file or a 10x folder.
    orientation
        For csv and tsv: ``cells_by_genes``, ``genes_by_cells``, or ``auto``: whichever way the names match genes.
    annotations
        For csv and tsv: columns that describe cells rather than genes.

    Returns
    -------
    sample : AnnData
        X as in the file, csr if it is sparse there or mostly zero; var index: gene names as given (not unique).
    notes : list of str
        What was decided.

    Raises
    ------
    InputError
        If the sample cannot be read, or has no cells or no genes.
    """
    from pharmacell.data.text_matrix import read_text

    check_sample(path)
    notes: list[str] = []
    try:
        if path.is_dir():
            sample = _read_10x_folder(path)
        elif suffix_of(path) in TEXT_SUFFIXES:
            sample, notes = read_text(path, orientation, annotations)
        else:
            readers = {".h5ad": _read_h5ad, ".h5": _read_10x_h5, ".loom": _read_loom}
            sample = readers[suffix_of(path)](path)
    except InputError:
        raise
    except (OSError, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)}); the file is damaged or of another kind") from None
    if 0 in sample.shape:
        raise InputError(f"{path}: {sample.n_obs} cells and {sample.n_vars} genes; there is nothing to read")
    # an index that keeps the name of a file's column (the number 0, or that of another column) cannot be written
    sample.obs_names.name = sample.var_names.name = None
    if not sample.obs_names.is_unique:
        doubled = sample.obs_names[sample.obs_names.duplicated()]
        notes.append(f"{len(doubled)} cell ids occur more than once (such as {doubled[0]}); made unique with -1, -2")
        sample.obs_names_make_unique()
    if path.is_dir() or suffix_of(path) not in TEXT_SUFFIXES:
        notes += _choose_names(sample)
    return sample, notes


def _read_h5ad(path: Path) -> "AnnData":
    """Read h5ad; a matrix by columns or a whole-number one becomes float32 by rows."""
    import anndata as ad

    sample = ad.read_h5ad(path)
    if sample.X is None:
        raise InputError(f"{path}: X is empty; put the expression matrix into X")
    return sample


def _read_10x_h5(path: Path) -> "AnnData":
    """Read Cell Ranger's h5, versions 2 and 3."""
    import scanpy as sc

    sample = sc.read_10x_h5(path, gex_only=True)
    sample.var = sample.var.rename_axis("gene")
    return sample


def _read_loom(path: Path) -> "AnnData":
    """Read loom; cell and gene names may stand under any of the usual attributes."""
    import anndata as ad
    import h5py

    with h5py.File(path) as file:
        columns, rows = list(file["col_attrs"]), list(file["row_attrs"])
    cell = next((name for name in CELL_ATTRIBUTES if name in columns), CELL_ATTRIBUTES[0])
    gene = next((name for name in GENE_ATTRIBUTES if name in rows), GENE_ATTRIBUTES[0])
    return ad.io.read_loom(path, sparse=True, obs_names=cell, var_names=gene, validate=False)


def _read_10x_folder(path: Path) -> "AnnData":
    """Read matrix, barcodes and features (genes.tsv before version 3), each plain or gzipped, with any prefix."""
    import anndata as ad
    from scipy.io import mmread

    matrix_file, barcode_file = _one_file(path, "matrix.mtx"), _one_file(path, "barcodes.tsv")
    feature_file = _one_file(path, "features.tsv", "genes.tsv")
    for file in (matrix_file, barcode_file, feature_file):
        check_file(file, (".mtx", ".tsv"))
    features = pd.read_csv(feature_file, sep="\t", header=None, dtype=str)
    barcodes = pd.read_csv(barcode_file, sep="\t", header=None, dtype=str)[0]
    matrix = sparse.csr_matrix(mmread(matrix_file), dtype=np.float32)
    if matrix.shape != (len(features), len(barcodes)):
        raise InputError(
            f"{matrix_file}: {matrix.shape[0]} x {matrix.shape[1]}, but {feature_file.name} has {len(features)} and "
            f"{barcode_file.name} {len(barcodes)} rows; the three files do not belong together"
        )
    var = features.set_axis(["gene_id", "symbol", "feature_type"][: features.shape[1]], axis=1)
    kept = var["feature_type"].eq(GENE_EXPRESSION).to_numpy() if "feature_type" in var else np.ones(len(var), bool)
    kept = kept if kept.any() else np.ones(len(var), bool)
    var = var[kept].set_index("gene_id")
    return ad.AnnData(matrix[kept].T.tocsr(), obs=pd.DataFrame(index=barcodes.to_numpy(dtype=object)), var=var)


def _one_file(folder: Path, *endings: str) -> Path:
    """Find the one file with one of the endings, plain or gzipped."""
    found = [file for ending in endings for file in sorted(folder.glob(f"*{ending}*")) if not file.name.startswith(".")]
    found = [file for file in found if file.name.removesuffix(".gz").endswith(endings)]
    if len(found) != 1:
        how_many = "no" if not found else f"{len(found)} files like"
        raise InputError(f"{folder}: {how_many} {' or '.join(endings)}(.gz); a 10x folder has exactly one")
    return found[0]


def _choose_names(sample: "AnnData") -> list[str]:
    """Take as gene names the var column that matches best, if it beats the index; change the sample in place."""
    rows = np.linspace(0, sample.n_vars - 1, min(sample.n_vars, ENOUGH_NAMES)).astype(int)

    def share(names: pd.Index | pd.Series) -> float:
        names = names.astype(str).to_numpy()
        return 0.0 if is_count_up(names) else map_names(names[rows]).share

    best, chosen = share(sample.var_names) + 0.05, None
    for column in sample.var.select_dtypes(exclude=["number", "bool"]):
        found = share(sample.var[column])
        if found > best:
            best, chosen = found, column
    if chosen is None:
        return []
    sample.var_names = pd.Index(sample.var[chosen].astype(str).to_numpy())
    return [f"gene names are taken from the column '{chosen}' of var"]
