"""Read Cell Ranger's h5 and folders, and triples of matrix, barcodes and features under other names."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.assays import without_genome
from pharmacell.data.contents import Candidate, Contents
from pharmacell.data.foreign_files import by_hdf5_names
from pharmacell.data.frames import plain_text
from pharmacell.data.genes import map_names
from pharmacell.data.input_file import check_file, plain_name
from pharmacell.data.matrices import in_memory, sparse_parts
from pharmacell.data.matrix_market import read_matrix_market, shape_of
from pharmacell.data.text_table import open_text, split

TABLE = r"\.(tsv|txt|csv)(\.(gz|bz2|xz))?"
MATRIX = re.compile(
    r"(?P<prefix>.*?)(matrix|counts|count_matrix|cells_x_genes|dge|)\.mtx(\.(gz|bz2|xz))?", re.IGNORECASE
)
FEATURES = re.compile(rf"(?P<prefix>.*?)((all_)?genes?|features?|gene_names|peaks){TABLE}", re.IGNORECASE)
BARCODES = re.compile(rf"(?P<prefix>.*?)(barcodes?|cells?|cell_names){TABLE}", re.IGNORECASE)
METADATA = re.compile(rf"(?P<prefix>.*?)(cell_?)?meta_?data{TABLE}", re.IGNORECASE)  # Parse Biosciences has no other
ROWS = re.compile(rf"(?P<prefix>.*?)row_?(name)?s{TABLE}", re.IGNORECASE)  # alevin's are cells, R's are genes
COLUMNS = re.compile(rf"(?P<prefix>.*?)col(umn)?_?(name)?s{TABLE}", re.IGNORECASE)
FEATURE_COLUMNS = ("gene_id", "symbol", "feature_types")
HEADERS = {  # of features files that have one
    "gene_id": "gene_id",
    "id": "gene_id",
    "gene_name": "symbol",
    "gene_symbol": "symbol",
    "name": "symbol",
    "symbol": "symbol",
    "feature_type": "feature_types",
    "feature_types": "feature_types",
    "genome": "genome",
    "species": "genome",
}
EXPRESSION, GUIDES = "Gene Expression", "CRISPR Guide Capture"


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
    if not groups or "barcode_idx" in file:
        below = [name for group in file if hasattr(file[group], "keys") for name in file[group]]
        if foreign := by_hdf5_names([*file, *below]):
            raise InputError(f"{path}: {foreign}")
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
        A folder; hidden files are passed over, and beside a plain ``matrix.mtx`` those without names of their own.
    """
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    found = {match["prefix"]: file for file in files if (match := MATRIX.fullmatch(file.name))}
    if "" not in found:
        return found
    own = {match["prefix"] for file in files for kind in (FEATURES, BARCODES) if (match := kind.fullmatch(file.name))}
    own = {prefix.rstrip("._-") for prefix in own}
    return {prefix: file for prefix, file in found.items() if not prefix or prefix.rstrip("._-") in own}


def read_triple(matrix_file: Path) -> Contents:
    """Read a matrix with the barcodes and features beside it.

    Parameters
    ----------
    matrix_file
        Matrix Market, packed or not; the others have the same prefix, or are the only ones of the folder.

    Raises
    ------
    InputError
        If one is missing or they do not belong together.
    """
    feature_file, barcode_file = _names_beside(matrix_file)
    for file in (matrix_file, barcode_file, feature_file):
        check_file(file, (".mtx", ".tsv", ".txt", ".csv"))
    n_rows, n_columns = shape = shape_of(matrix_file)
    features, cells = _lines(feature_file), _lines(barcode_file)
    notes, headers = [], []
    for name, lines in ((feature_file.name, features), (barcode_file.name, cells)):
        headers.append(_without_header(lines, shape))
        if headers[-1]:
            notes.append(f"the first line of {name} is its header")
    barcodes = [fields[0] for fields in cells]
    turned = (len(barcodes), len(features))
    cells_in_columns = shape != turned or (n_rows == n_columns and not _is_by_cell(matrix_file))
    if not cells_in_columns:
        notes.append(f"{matrix_file.name} has cells in its rows")
    elif shape != turned[::-1]:
        raise InputError(
            f"{matrix_file}: {n_rows} x {n_columns}, but {feature_file.name} has {len(features)} and "
            f"{barcode_file.name} {len(barcodes)} rows; the three files do not belong together"
        )
    matrix = read_matrix_market(matrix_file, cells_in_columns)
    var = _features(features, headers[0])
    return Contents(_annotation(cells, headers[1]), [Candidate("X", matrix, var)], notes=notes)


def _is_by_cell(matrix_file: Path) -> bool:
    """Tell by its name whether a square matrix has cells in its rows."""
    return (
        re.search(r"(^|[._-])(cells_x_genes|quants_mat|dge|count_matrix)\.", matrix_file.name, re.IGNORECASE)
        is not None
    )


def _without_header(lines: list[list[str]], shape: tuple[int, int]) -> list[str]:
    """Take the header and R's numbers of rows off the lines; return the header, empty where there is none."""
    if len(lines) - 1 not in shape or len(lines) in shape:
        return []
    header = lines.pop(0)
    if not header[0] and all(len(fields) > 1 for fields in lines):  # R numbers the rows
        lines[:] = [fields[1:] for fields in lines]
        return header[1:]
    return header


def _annotation(lines: list[list[str]], header: list[str]) -> pd.DataFrame:
    """Return the cells' annotation: what stands beside their barcodes under a header."""
    obs = pd.DataFrame(index=pd.Index([fields[0] for fields in lines], dtype=object))
    for place, name in enumerate(header[1:], 1):
        values = [fields[place] if place < len(fields) else "" for fields in lines]
        obs[name or f"column_{place}"] = pd.Series(values, index=obs.index, dtype=object).replace("", None)
    return obs


def _names_beside(matrix_file: Path) -> tuple[Path, Path]:
    """Find the files of features and of barcodes that belong to a matrix."""
    match = MATRIX.fullmatch(matrix_file.name)
    start = match["prefix"] if match else ""
    axes = [_beside(matrix_file, kind, start) for kind in (ROWS, COLUMNS)]
    if all(len(found) == 1 for found in axes):
        rows, columns = (found[0] for found in axes)
        shares = [map_names(without_genome([fields[0] for fields in _lines(file)])).share for file in (rows, columns)]
        return (columns, rows) if shares[1] > shares[0] else (rows, columns)
    chosen = []
    for kinds, words in (((FEATURES,), "features.tsv or genes.tsv"), ((BARCODES, METADATA), "barcodes.tsv")):
        found = next((found for kind in kinds if (found := _beside(matrix_file, kind, start))), [])
        if len(found) != 1:
            how_many = "no" if not found else f"{len(found)} files like"
            raise InputError(f"{matrix_file}: {how_many} {words} beside it; a 10x folder has exactly one of each")
        chosen.append(found[0])
    return chosen[0], chosen[1]


def _beside(matrix_file: Path, kind: re.Pattern, prefix: str) -> list[Path]:
    """Return the files of a kind that may belong to a matrix: those of its prefix, or all of the folder."""
    matches = [(file, kind.fullmatch(file.name)) for file in sorted(matrix_file.parent.iterdir())]
    found = [(file, match["prefix"]) for file, match in matches if match and not file.name.startswith(".")]
    same = [file for file, start in found if start.rstrip("._-") == prefix.rstrip("._-")]
    return same or [file for file, _ in found]


def _lines(path: Path) -> list[list[str]]:
    """Return the fields of each line, separated by tabs (or commas in a csv)."""
    is_comma = plain_name(path).endswith(".csv")
    with open_text(path, "utf-8-sig") as text:
        lines = [line.rstrip("\n") for line in text]
    while lines and not lines[-1].strip():
        lines.pop()
    separator = "," if is_comma and not any("\t" in line for line in lines[:5]) else "\t"
    return [[field.strip() for field in split(line, separator)] for line in lines]


def _features(lines: list[list[str]], header: list[str]) -> pd.DataFrame:
    """Return ids, symbols and types of features; a type that a tab splits (``Gene<tab>Expression``) is put together."""
    named = [HEADERS.get(name.lower(), "") for name in header]
    if "gene_id" in named or "symbol" in named:
        rows = [fields + [""] * (len(named) - len(fields)) for fields in lines]
        var = pd.DataFrame(
            {name: [fields[place] for fields in rows] for place, name in enumerate(named) if name}, dtype=object
        )
    else:
        var = pd.DataFrame([_feature(fields) for fields in lines], columns=list(FEATURE_COLUMNS), dtype=object)
    if "feature_types" in var and not var["feature_types"].astype(bool).any():
        var = var.drop(columns="feature_types")
    return var.set_axis(pd.Index(var["gene_id" if "gene_id" in var else "symbol"], dtype=object, name=None), axis=0)


def _feature(fields: list[str]) -> list[str]:
    """Return id, symbol and type of one feature."""
    row = [fields[0], fields[1] if len(fields) > 1 else fields[0], fields[2] if len(fields) > 2 else ""]
    if len(fields) > 3 and f"{fields[2]} {fields[3]}" in (EXPRESSION, "Antibody Capture", GUIDES):
        row[2] = f"{fields[2]} {fields[3]}"
    if len(fields) > 4 and " ".join(fields[2:5]) == GUIDES:
        row[2] = GUIDES
    return row
