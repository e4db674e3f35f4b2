"""Read Cell Ranger's h5 and folders, and triples of matrix, barcodes and features under other names."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.contents import Candidate, Contents
from pharmacell.data.frames import plain_text
from pharmacell.data.input_file import check_file
from pharmacell.data.matrices import in_memory, sparse_parts
from pharmacell.data.matrix_market import read_matrix_market, shape_of
from pharmacell.data.text_table import open_text

MATRIX = re.compile(r"(?P<prefix>.*?)(matrix|counts|cells_x_genes|dge|)\.mtx(\.gz)?", re.IGNORECASE)
FEATURES = re.compile(r"(?P<prefix>.*?)(features?|genes?|gene_names|peaks)\.(tsv|txt|csv)(\.gz)?", re.IGNORECASE)
BARCODES = re.compile(r"(?P<prefix>.*?)(barcodes?|cells?|cell_names)\.(tsv|txt|csv)(\.gz)?", re.IGNORECASE)
FEATURE_COLUMNS = ("gene_id", "symbol", "feature_types")
EXPRESSION = "Gene Expression"


def read_10x_h5(file: Any, path: Path) -> Contents:
    """Read Cell Ranger's h5 of version 2 (one group a genome) or 3, and CellBender's.

    Parameters
    ----------
    file
        Open file of h5py.
    path
        Its path, for messages.

    Raises
    ------
    InputError
        If it is no such file.
    """
    groups = [name for name in file if hasattr(file[name], "keys") and "barcodes" in file[name]]
    if not groups:
        there = ", ".join(list(file)[:8]) or "nothing"
        raise InputError(f"{path}: not Cell Ranger's matrix, h5ad, loom or h5mu (it holds {there}); give one of these")
    parts = [_of_group(file[name], name, path) for name in groups]
    if len(parts) == 1:
        return parts[0]
    barcodes = parts[0].obs.index
    if any(not part.obs.index.equals(barcodes) for part in parts):  # each genome has its own cells
        barcodes = pd.Index(list(dict.fromkeys(name for part in parts for name in part.obs.index)), dtype=object)
    blocks, var = [], []
    for part in parts:
        rows = barcodes.get_indexer(part.obs.index)
        place = sparse.csr_matrix(
            (np.ones(len(rows), np.float32), (rows, np.arange(len(rows)))), shape=(len(barcodes), len(rows))
        )
        blocks.append(place @ in_memory(part.candidates[0].matrix[0 : len(rows)]))
        var.append(part.candidates[0].var)
    matrix = in_memory(sparse.hstack(blocks, format="csr"))
    return Contents(pd.DataFrame(index=barcodes), [Candidate("X", matrix, pd.concat(var))])


def _of_group(group: Any, name: str, path: Path) -> Contents:
    """Read one group of a Cell Ranger h5."""
    for part in ("data", "indices", "indptr", "shape"):
        if part not in group:
            raise InputError(f"{path}: no '{name}/{part}' in it; the file is damaged or of another kind")
    n_genes, n_cells = (int(number) for number in group["shape"][...])
    matrix = sparse_parts(group, (n_cells, n_genes), "csr", str(path))  # genes x cells by column are cells by row
    barcodes = [plain_text(value) for value in group["barcodes"][...]]
    features = group.get("features", group)
    columns = {
        column: [plain_text(value) for value in features[given][...]]
        for given, column in (
            ("id", "gene_id"),
            ("genes", "gene_id"),
            ("name", "symbol"),
            ("gene_names", "symbol"),
            ("feature_type", "feature_types"),
            ("genome", "genome"),
        )
        if given in features and len(features[given].shape) == 1
    }
    if "genome" not in columns and name != "matrix":
        columns["genome"] = [name] * n_genes
    if any(len(values) != n_genes for values in columns.values()) or len(barcodes) != n_cells or not columns:
        raise InputError(f"{path}: '{name}' has other numbers of names than of genes or cells; the file is damaged")
    var = pd.DataFrame(columns)
    var.index = pd.Index(var["gene_id" if "gene_id" in var else "symbol"], dtype=object, name=None)
    return Contents(pd.DataFrame(index=pd.Index(barcodes, dtype=object)), [Candidate("X", matrix, var)])


def triples(folder: Path) -> dict[str, Path]:
    """Return the matrix files of a folder by their prefix.

    Parameters
    ----------
    folder
        A folder; hidden files are passed over.
    """
    found = {}
    for file in sorted(folder.iterdir()):
        match = MATRIX.fullmatch(file.name)
        if match and not file.name.startswith(".") and file.is_file():
            found[match["prefix"]] = file
    return found


def read_triple(matrix_file: Path) -> Contents:
    """Read a matrix with the barcodes and features beside it.

    Parameters
    ----------
    matrix_file
        Matrix Market, plain or gzipped; the others have the same prefix, or are the only ones of the folder.

    Raises
    ------
    InputError
        If one is missing or they do not belong together.
    """
    prefix = MATRIX.fullmatch(matrix_file.name)
    start = prefix["prefix"] if prefix else ""
    feature_file = _beside(matrix_file, FEATURES, start, "features.tsv or genes.tsv")
    barcode_file = _beside(matrix_file, BARCODES, start, "barcodes.tsv")
    for file in (matrix_file, barcode_file, feature_file):
        check_file(file, (".mtx", ".tsv", ".txt", ".csv"))
    n_rows, n_columns = shape = shape_of(matrix_file)
    features, cells = _lines(feature_file), _lines(barcode_file)
    notes = []
    for name, lines in ((feature_file.name, features), (barcode_file.name, cells)):
        if len(lines) - 1 in shape and len(lines) not in shape:
            header = lines.pop(0)
            if not header[0] and all(len(fields) > 1 for fields in lines):  # R numbers the rows
                lines[:] = [fields[1:] for fields in lines]
            notes.append(f"the first line of {name} is its header")
    barcodes = [fields[0] for fields in cells]
    cells_in_columns = n_rows == n_columns or shape != (len(barcodes), len(features))
    if not cells_in_columns:
        notes.append(f"{matrix_file.name} has cells in its rows")
    elif (n_rows, n_columns) != (len(features), len(barcodes)):
        raise InputError(
            f"{matrix_file}: {n_rows} x {n_columns}, but {feature_file.name} has {len(features)} and "
            f"{barcode_file.name} {len(barcodes)} rows; the three files do not belong together"
        )
    matrix = read_matrix_market(matrix_file, cells_in_columns)
    obs = pd.DataFrame(index=pd.Index(barcodes, dtype=object))
    return Contents(obs, [Candidate("X", matrix, _features(features))], notes=notes)


def _beside(matrix_file: Path, kind: re.Pattern, prefix: str, words: str) -> Path:
    """Find the file of a kind that belongs to a matrix."""
    matches = [(file, kind.fullmatch(file.name)) for file in sorted(matrix_file.parent.iterdir())]
    found = [(file, match["prefix"]) for file, match in matches if match and not file.name.startswith(".")]
    same = [file for file, start in found if start.rstrip("._-") == prefix.rstrip("._-")]
    chosen = same or ([file for file, _ in found] if len(found) == 1 else [])
    if len(chosen) != 1:
        how_many = "no" if not chosen else f"{len(chosen)} files like"
        raise InputError(f"{matrix_file}: {how_many} {words} beside it; a 10x folder has exactly one of each")
    return chosen[0]


def _lines(path: Path) -> list[list[str]]:
    """Return the fields of each line, separated by tabs (or commas in a csv)."""
    comma = "," if path.name.lower().removesuffix(".gz").endswith(".csv") else None
    with open_text(path, "utf-8-sig") as text:
        lines = [line.rstrip("\n") for line in text]
    while lines and not lines[-1].strip():
        lines.pop()
    is_comma = comma is not None and not any("\t" in line for line in lines[:5])
    return [[field.strip().strip('"') for field in line.split("," if is_comma else "\t")] for line in lines]


def _features(lines: list[list[str]]) -> pd.DataFrame:
    """Return ids, symbols and types of features; a type that a tab splits (``Gene<tab>Expression``) is put together."""
    rows = []
    for fields in lines:
        row = [fields[0], fields[1] if len(fields) > 1 else fields[0], ""]
        if len(fields) > 2:
            row[2] = fields[2]
            if len(fields) > 3 and f"{fields[2]} {fields[3]}" in (
                EXPRESSION,
                "Antibody Capture",
                "CRISPR Guide Capture",
            ):
                row[2] = f"{fields[2]} {fields[3]}"
        if len(fields) > 4 and " ".join(fields[2:5]) == "CRISPR Guide Capture":
            row[2] = "CRISPR Guide Capture"
        rows.append(row)
    var = pd.DataFrame(rows, columns=list(FEATURE_COLUMNS), dtype=object)
    if not var["feature_types"].astype(bool).any():
        var = var.drop(columns="feature_types")
    return var.set_axis(pd.Index(var["gene_id"], dtype=object, name=None), axis=0)
