"""Read an expression matrix from csv or tsv in pieces, into a sparse matrix when it is mostly zero."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.genes import MIN_MATCHED, map_names
from pharmacell.data.input_file import reason

if TYPE_CHECKING:
    from anndata import AnnData

VALUES_AT_ONCE = 4_000_000
FIRST_ROWS = 200
ANNOTATIONS = {  # numeric columns that exporters put beside genes; text columns are annotations anyway
    "response",
    "label",
    "condition",
    "batch",
    "cluster",
    "seurat_clusters",
    "leiden",
    "louvain",
    "n_genes",
    "n_counts",
    "n_genes_by_counts",
    "total_counts",
    "pct_counts_mt",
    "ncount_rna",
    "nfeature_rna",
    "percent.mt",
    "pct_mt",
}


def read_text(path: Path, orientation: str, annotations: tuple[str, ...]) -> tuple["AnnData", list[str]]:
    """Read a table whose first column holds cell ids (or gene names) and whose header holds the other.

    Parameters, returns and errors are those of :func:`pharmacell.data.readers.read_sample`.
    """
    import anndata as ad

    separator = _separator(path)
    try:
        first = pd.read_csv(path, sep=separator, nrows=FIRST_ROWS, dtype=str, keep_default_na=False)
        first = _with_ids(first, path)
        found, note = _orient(first, orientation)
        by_cell = found == "cells_by_genes"
        described = _annotation_columns(first, annotations) if by_cell else []
        pieces = _pieces(path, separator, first.shape[1], described)
        ids, described_rows, matrix = _assemble(pieces)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path}: the gzip file is cut short or damaged; copy it again") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a regular table ({reason(error)}); every row must have as many fields") from None
    names = [name for name in first.columns if name not in described]
    if by_cell:
        obs = described_rows.set_axis(pd.Index(ids, dtype=str), axis=0)
        return ad.AnnData(matrix, obs=obs, var=pd.DataFrame(index=pd.Index(names, dtype=str))), [note]
    matrix = matrix.T.tocsr() if sparse.issparse(matrix) else np.ascontiguousarray(matrix.T)
    obs = pd.DataFrame(index=pd.Index(names, dtype=str))
    return ad.AnnData(matrix, obs=obs, var=pd.DataFrame(index=pd.Index(ids, dtype=str))), [note]


def _separator(path: Path) -> str:
    """Return the separator: by suffix, or for .txt by the header."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".csv"):
        return ","
    if name.endswith(".tsv"):
        return "\t"
    with gzip.open(path, "rt") if path.name.lower().endswith(".gz") else path.open() as file:
        return csv.Sniffer().sniff(file.readline()[:10_000], delimiters=",\t;").delimiter


def _with_ids(first: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Make the first column the index, unless the header is one short (as R writes it) and it already is."""
    if isinstance(first.index, pd.RangeIndex):
        if first.shape[1] < 2:
            raise InputError(f"{path}: one column only; the separator should be a comma (.csv) or a tab (.tsv)")
        first = first.set_index(first.columns[0])
    if first.empty:
        raise InputError(f"{path}: a header and no rows; there is nothing to read")
    return first


def _orient(first: pd.DataFrame, told: str) -> tuple[str, str]:
    """Return the orientation and a sentence about it."""
    if told != "auto":
        return told, f"orientation is {told} (as told)"
    columns, rows = map_names(first.columns).share, map_names(first.index).share
    found = "genes_by_cells" if rows >= MIN_MATCHED and rows > columns else "cells_by_genes"
    return found, f"orientation is {found} (detected: {columns:.0%} of column and {rows:.0%} of row names are genes)"


def _annotation_columns(first: pd.DataFrame, told: tuple[str, ...]) -> list[str]:
    """Return the columns that describe cells: told, known by name, or not numeric in any row."""
    text = [
        name
        for name in first.columns
        if pd.to_numeric(first[name], errors="coerce").isna().all()
        and first[name].str.strip().ne("").any()
        and not first[name].str.upper().isin(["NA", "NAN", ""]).all()
    ]
    return [name for name in first.columns if name in told or name.lower() in ANNOTATIONS or name in text]


def _pieces(path: Path, separator: str, n_columns: int, described: list[str]) -> Iterator[tuple]:
    """Yield ids, annotation columns and values (float32) of successive rows."""
    rows = max(1, VALUES_AT_ONCE // max(1, n_columns))
    reader = pd.read_csv(path, sep=separator, chunksize=rows, low_memory=False, dtype=dict.fromkeys(described, str))
    for piece in reader:
        piece = _with_ids(piece, path)
        annotation = piece[described]
        values = piece.drop(columns=described)
        for name in values.select_dtypes(exclude="number").columns:
            numbers = pd.to_numeric(values[name], errors="coerce")
            wrong = numbers.isna() & values[name].notna()
            if wrong.any():
                row = wrong.idxmax()
                raise InputError(
                    f"{path}: row {row}, column {name}: '{values.at[row, name]}' is not a number; correct it, or name "
                    "the column with label_key or group_key if it describes cells"
                )
            values[name] = numbers
        yield piece.index.astype(str), annotation, values.to_numpy(np.float32)


def _assemble(pieces: Iterator[tuple]) -> tuple[np.ndarray, pd.DataFrame, sparse.csr_matrix | np.ndarray]:
    """Stack the pieces, as a sparse matrix if the first one is mostly zero."""
    ids, annotations, blocks = [], [], []
    is_sparse = None
    for names, annotation, values in pieces:
        if is_sparse is None:
            is_sparse = np.count_nonzero(values) < values.size / 2
        ids.append(names)
        annotations.append(annotation)
        blocks.append(sparse.csr_matrix(values) if is_sparse else values)
    matrix = sparse.vstack(blocks, format="csr") if is_sparse else np.concatenate(blocks)
    return np.concatenate(ids), pd.concat(annotations), matrix
