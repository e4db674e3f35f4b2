"""Read h5ad, zarr and h5mu piece by piece: what cannot be read of the annotation is left out, not fatal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.contents import Candidate, Contents
from pharmacell.data.frames import plain_text
from pharmacell.data.genes import map_names
from pharmacell.data.matrices import stored_matrix

RNA = ("rna", "gex", "gene expression", "gene_expression", "expression", "transcriptome", "scrna")


def read_annotated(root: Any, path: Path) -> Contents:
    """Read what an h5ad or zarr store holds: annotation, X, layers and raw.

    Parameters
    ----------
    root
        Group of h5py or zarr with ``obs`` and ``var``.
    path
        The file, for messages.

    Raises
    ------
    InputError
        If there is no annotation of cells or genes.
    """
    notes: list[str] = []
    for part in ("obs", "var"):
        if part not in root:
            raise InputError(f"{path}: no '{part}' in it; it is not an h5ad, or only a part of one")
    obs, var = read_frame(root["obs"], "obs", notes), read_frame(root["var"], "var", notes)
    uns = root.get("uns", {})
    obs = old_categories(obs, uns)
    candidates = []
    for name, node, genes in matrices(root):
        try:
            matrix = stored_matrix(node, str(path))
            genes_of = var if genes is None else read_frame(genes, "raw.var", notes)
        except (ValueError, TypeError, KeyError) as error:
            if name == "X":
                raise
            notes.append(f"{name} cannot be read ({str(error).splitlines()[0][:80]}) and is left out")
            continue
        if matrix.shape == (len(obs), len(genes_of)):
            candidates.append(Candidate(name, matrix, genes_of))
        elif name == "X" and 0 not in matrix.shape:
            raise InputError(
                f"{path}: X is {matrix.shape[0]} x {matrix.shape[1]}, but there are {len(obs)} cells and "
                f"{len(genes_of)} genes; the file is damaged"
            )
    return Contents(obs, candidates, _is_simulated(uns), notes)


def matrices(root: Any) -> list[tuple[str, Any, Any]]:
    """Return name, node and, for raw, annotation of genes of each matrix that is there.

    Parameters
    ----------
    root
        Of an h5ad, or of a zarr store.
    """
    found = [("X", root["X"], None)] if "X" in root and _is_there(root["X"]) else []
    if "layers" in root:
        found += [(str(name), root["layers"][name], None) for name in root["layers"]]
    if "raw" in root and hasattr(root["raw"], "keys") and "X" in root["raw"] and "var" in root["raw"]:
        found.append(("raw", root["raw"]["X"], root["raw"]["var"]))
    elif "raw.X" in root and "raw.var" in root:  # before anndata 0.7
        found.append(("raw", root["raw.X"], root["raw.var"]))
    return found


def _is_there(node: Any) -> bool:
    """Tell whether X holds anything; anndata 0.12 writes its absence as a null."""
    return dict(node.attrs).get("encoding-type") != "null" and getattr(node, "shape", (1,)) != ()


def read_frame(node: Any, name: str, notes: list[str]) -> pd.DataFrame:
    """Read annotation written by any version of anndata.

    Parameters
    ----------
    node
        A group, or a table of records as before anndata 0.7.
    name
        For sentences.
    notes
        Sentences on columns that cannot be read are added here.

    Raises
    ------
    ValueError
        If it has no index.
    """
    from anndata.io import read_elem

    if hasattr(node, "shape"):
        return _of_records(node)
    attributes = dict(node.attrs)
    index = plain_text(attributes.get("_index", "index" if "index" in node else "_index"))
    if index not in node:
        raise ValueError(f"{name} has no index")
    names = _read_column(node, index, read_elem)
    order = [plain_text(column) for column in np.atleast_1d(attributes.get("column-order", []))]
    order += [str(column) for column in node if str(column) not in order]
    columns, failed = {}, []
    for column in order:
        if column in (index, "__categories") or column not in node:
            continue
        try:
            values = _read_column(node, column, read_elem)
            if len(values) != len(names):
                raise ValueError("another length")
            columns[column] = values
        except Exception:  # a type that this anndata does not know, or damage to this one column
            failed.append(column)
    if failed:
        notes.append(f"columns of {name} that cannot be read are left out: {', '.join(failed[:8])}")
    frame = pd.DataFrame(dict(enumerate(columns.values())), index=range(len(names)))
    return frame.set_axis(list(columns), axis=1).set_axis(pd.Index([plain_text(value) for value in names]), axis=0)


def _read_column(frame: Any, column: str, read_elem: Any) -> Any:
    """Read one column; categories of anndata 0.7 stand beside it or are pointed to."""
    node = frame[column]
    values = read_elem(node)
    is_record = getattr(getattr(values, "dtype", None), "kind", "") == "V"
    if isinstance(values, (dict, pd.DataFrame)) or getattr(values, "ndim", 1) != 1 or is_record:
        raise ValueError("not a column")
    if "__categories" in frame and column in frame["__categories"]:
        words = read_elem(frame["__categories"][column])
        codes = np.asarray(values).astype(np.int64)
        codes[codes >= len(words)] = -1
        return pd.Categorical.from_codes(codes, pd.Index(words).map(plain_text).astype(object))
    if getattr(values, "dtype", None) is not None and values.dtype.kind == "S":
        return [plain_text(value) for value in values]
    return values.reset_index(drop=True) if isinstance(values, pd.Series) else values


def _of_records(node: Any) -> pd.DataFrame:
    """Read a table of records, whose index is the field ``index`` or the first one."""
    records = np.asarray(node[...])
    if records.dtype.names is None:
        raise ValueError("annotation without columns")
    names = list(records.dtype.names)
    index = next((name for name in ("index", "_index") if name in names), names[0])
    frame = pd.DataFrame(
        {
            name: [plain_text(value) for value in records[name]] if records.dtype[name].kind in "SO" else records[name]
            for name in names
            if name != index and records.dtype[name].shape == ()
        }
    )
    return frame.set_axis(pd.Index([plain_text(value) for value in records[index]]), axis=0)


def old_categories(obs: pd.DataFrame, uns: Any) -> pd.DataFrame:
    """Put words in place of codes; before anndata 0.7 the words stood in ``uns``.

    Parameters
    ----------
    obs
        Annotation of the cells.
    uns
        Of the same file.
    """
    from anndata.io import read_elem

    for column in obs.columns:
        key = f"{column}_categories"
        if key in uns and pd.api.types.is_integer_dtype(obs[column].dtype):
            words = [plain_text(word) for word in np.atleast_1d(read_elem(uns[key]))]
            codes = obs[column].to_numpy(np.int64)
            if codes.max(initial=-1) < len(words):
                obs = obs.assign(**{str(column): pd.Categorical.from_codes(codes, list(dict.fromkeys(words)))})
    return obs


def _is_simulated(uns: Any) -> bool:
    """Tell whether the file says that its cells are simulated."""
    from anndata.io import read_elem

    try:
        card = read_elem(uns["pharmacell"]) if "pharmacell" in uns else None
    except Exception:  # of another tool, or damaged: then nothing is said
        return False
    return isinstance(card, Mapping) and bool(card.get("simulated", False))


def read_multimodal(root: Any, path: Path) -> Contents:
    """Read the RNA modality of an h5mu or of a zarr store of MuData.

    Parameters
    ----------
    root
        Group with ``mod``.
    path
        The file, for messages.

    Raises
    ------
    InputError
        If it cannot be told which modality holds RNA.
    """
    names = [str(name) for name in root["mod"]]
    found = [name for name in names if name.lower() in RNA]
    if not found and len(names) == 1:
        found = names
    if not found:
        shares = {}
        for name in names:
            genes = read_frame(root["mod"][name]["var"], "var", []).index
            shares[name] = map_names(list(genes[:: max(1, len(genes) // 2000)])).share
        best = max(shares, key=lambda name: shares[name], default=None)
        found = [best] if best is not None and shares[best] > 0.5 else []
    if not found:
        raise InputError(f"{path}: none of the modalities {', '.join(names) or '(none)'} is called rna; rename it")
    contents = read_annotated(root["mod"][found[0]], path)
    others = [name for name in names if name != found[0]]
    contents.notes.append(
        f"the modality '{found[0]}' is read" + (f", {', '.join(others)} left out" if others else ", the only one")
    )
    if "obs" in root:
        above = read_frame(root["obs"], "obs", contents.notes)
        more = [column for column in above.columns if column not in contents.obs and not _of_modality(column, names)]
        if above.index.is_unique and more:
            contents.obs = contents.obs.join(above[more])
    return contents


def _of_modality(column: str, names: list[str]) -> bool:
    """Tell whether a column repeats one of a modality, as in ``rna:leiden``."""
    return column in names or any(column.startswith(f"{name}:") for name in names)


def read_zarr(root: Any, path: Path) -> Contents:
    """Read a zarr store: of AnnData, of MuData, or of SpatialData with one table.

    Parameters
    ----------
    root
        Group of zarr.
    path
        The store, for messages.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if "mod" in root:
        return read_multimodal(root, path)
    tables = root["tables"] if "tables" in root else root.get("table", {}) if hasattr(root, "get") else {}
    if "obs" not in root and len(list(tables)) == 1:
        name = next(iter(tables))
        contents = read_annotated(tables[name], path)
        contents.notes.append(f"the table '{name}' of the spatial data is read")
        return contents
    return read_annotated(root, path)
