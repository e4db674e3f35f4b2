"""Read loom; the names of cells and genes stand under any of many attributes."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.contents import Candidate, Contents
from pharmacell.data.frames import plain_text
from pharmacell.data.matrices import MOST_IN_MEMORY, StoredRows, in_memory

CELL_ATTRIBUTES = (
    "cellid",
    "cell_id",
    "cell_ids",
    "obs_names",
    "cell_names",
    "cellnames",
    "cell_name",
    "barcode",
    "barcodes",
    "cell",
    "cells",
    "cell_barcode",
    "cellbarcode",
    "cb",
    "name",
    "names",
    "sample_id",
    "index",
    "_index",
    "id",
)
GENE_ATTRIBUTES = (
    "gene",
    "genes",
    "var_names",
    "gene_names",
    "gene_name",
    "genename",
    "genenames",
    "gene_symbol",
    "gene_symbols",
    "symbol",
    "symbols",
    "name",
    "names",
    "feature_name",
    "hgnc_symbol",
    "accession",
    "gene_id",
    "gene_ids",
    "geneid",
    "ensembl",
    "ensembl_id",
    "ensembl_ids",
    "ensemblid",
    "features",
    "feature",
    "index",
    "_index",
    "id",
)


def read_loom(file: Any, path: Path) -> Contents:
    """Read a loom file: genes x cells, with attributes of both.

    Parameters
    ----------
    file
        Open file of h5py.
    path
        Its path, for messages.

    Raises
    ------
    InputError
        If it has no matrix.
    """
    if len(getattr(file["matrix"], "shape", ())) != 2:
        raise InputError(f"{path}: its matrix has no rows and columns; the file is damaged or of another kind")
    n_genes, n_cells = file["matrix"].shape
    notes: list[str] = []
    obs = _attributes(file, "col_attrs", n_cells, CELL_ATTRIBUTES, notes)
    var = _attributes(file, "row_attrs", n_genes, GENE_ATTRIBUTES, notes)
    candidates = [Candidate("X", _by_cells(file["matrix"], path), var)]
    if "layers" in file:
        for name in file["layers"]:
            if getattr(file["layers"][name], "shape", None) == (n_genes, n_cells):
                candidates.append(Candidate(str(name), _by_cells(file["layers"][name], path), var))
    return Contents(obs, candidates, notes=notes)


def _by_cells(node: Any, path: Path) -> StoredRows | Any:
    """Return a matrix of genes x cells as rows of cells."""
    n_genes, n_cells = node.shape
    rows = StoredRows(lambda start, stop: node[:, start:stop].T, (n_cells, n_genes), str(path), False)
    return rows if n_genes * n_cells > MOST_IN_MEMORY else in_memory(node[...].T)


def _attributes(file: Any, part: str, size: int, known: tuple[str, ...], notes: list[str]) -> pd.DataFrame:
    """Return the attributes of rows or columns; the index holds the names."""
    group = file.get(part, {})
    columns = {}
    for name in group:
        node = group[name]
        if getattr(node, "shape", None) == (size,):
            values = np.asarray(node[...])
            columns[str(name)] = [plain_text(value) for value in values] if values.dtype.kind in "SO" else values
    names = {name.lower().replace(" ", "_"): name for name in reversed(list(columns))}
    chosen = next((names[name] for name in known if name in names), None)
    if chosen is None:
        texts = [name for name, values in columns.items() if isinstance(values, list) and len(set(values)) == size]
        chosen = texts[0] if texts else None
    frame = pd.DataFrame(columns, index=range(size))
    what = "cells" if part == "col_attrs" else "genes"
    if chosen is None:
        notes.append(f"{part} holds no names of {what}; they are numbered")
        return frame.set_axis(pd.Index([str(number) for number in range(size)], dtype=object), axis=0)
    index = pd.Index([plain_text(value) for value in columns[chosen]], dtype=object)
    return frame.drop(columns=chosen).set_axis(index, axis=0)
