"""The file formats of a perturbation table: parquet, h5ad, wide and long csv."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.progress import say
from pharmacell.data.containers import matrices, old_categories, read_frame
from pharmacell.data.input_file import check_file, is_packed, reason, suffix_of
from pharmacell.perturbation.gene_columns import gene_columns, refuse_statistics
from pharmacell.perturbation.settings import DEFAULT_LAYER
from pharmacell.perturbation.text_files import (
    ROW_NAMES,
    TEXT_SUFFIXES,
    check_columns,
    read_text,
    without_row_names,
)

KEYS = ("cell_type", "sm_name", "sm_lincs_id", "SMILES", "control")
OPTIONAL = ("split",)
REQUIRED = ("cell_type", "sm_name", "SMILES")
COMPOUND_AND_CELL_TYPE = "sm_cell_type"  # of Open Problems: the compound's name, "_" and the cell type
LONG = ("gene", "value")
SUFFIXES = (".parquet", ".h5ad", *TEXT_SUFFIXES)
METADATA_KEY = b"pharmacell"  # of a parquet's schema; json

Parts = tuple[pd.DataFrame, list[str], np.ndarray]  # keys [n_rows], genes, float32 [n_rows, n_genes]


def read_parts(
    path: Path, layer: str | None, genes: Sequence[str] | None = None, second_layer: str | None = None
) -> Parts:
    """Read keys, genes and values by the file's suffix.

    Parameters
    ----------
    path
        h5ad (keys in obs, values in a layer), parquet, csv or tsv: wide (keys and one column a gene), or long with the
        columns ``gene`` and ``value``.
    layer
        Layer of an h5ad, or ``X``; None takes ``sign_log10_pval``.
    genes
        Names of the columns that are genes; None: what :mod:`pharmacell.perturbation.gene_columns` takes for them.
    second_layer
        Another layer of an h5ad, whose genes stand behind those of the first; None: there is none.

    Raises
    ------
    InputError
        If the file cannot be read, keys are missing or a gene column holds text.
    """
    check_file(path, SUFFIXES)
    kind = suffix_of(path)
    for option, name in (("--layer", layer), ("--second_layer", second_layer)):
        if name and kind != ".h5ad":
            raise InputError(f"{path}: {option} {name}: only an h5ad has layers; leave the option out")
    refuse_packed(path)
    try:
        if kind == ".parquet":
            return from_parquet(path, genes)
        if kind == ".h5ad":
            return from_h5ad(path, [layer or DEFAULT_LAYER, *([second_layer] if second_layer else [])], genes)
        return from_frame(path, read_text(path), genes)
    except (OSError, ValueError, KeyError) as error:  # ArrowInvalid is a ValueError
        raise InputError(f"{path}: cannot be read ({reason(error)}); write it again") from error


def refuse_packed(path: Path) -> None:
    """Refuse a packed file that is no text.

    Parameters
    ----------
    path
        The file.
    """
    kind = suffix_of(path)
    if kind not in TEXT_SUFFIXES and is_packed(path):
        raise InputError(f"{path}: a packed {kind[1:]}; unpack it (gunzip)")


def from_parquet(path: Path, chosen: Sequence[str] | None) -> Parts:
    """Read a parquet; a wide one column by column, so that no second copy in double precision is made.

    Parameters
    ----------
    path
        The file.
    chosen
        Names of the genes, or None.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    if set(LONG) <= set(table.column_names):
        return from_frame(path, table.to_pandas(ignore_metadata=True), chosen)
    refuse_statistics(path, table.column_names, KEYS)
    check_columns(path, table.column_names, REQUIRED)
    others = [name for name in table.column_names if name not in (*KEYS, *OPTIONAL, *ROW_NAMES)]
    kinds = {name: table.schema.field(name).type for name in others}
    numbers = (pa.types.is_floating, pa.types.is_integer, pa.types.is_decimal)
    words = {name: "" if any(one(kind) for one in numbers) else f"{kind}s" for name, kind in kinds.items()}
    genes = gene_columns(path, words, chosen)
    y = np.empty((table.num_rows, len(genes)), np.float32)
    for number, gene in enumerate(genes):
        y[:, number] = table.column(gene).to_numpy()
    named = [name for name in (*KEYS, *OPTIONAL) if name in table.column_names]
    return table.select(named).to_pandas(ignore_metadata=True), genes, y  # keys may have been an index of pandas


def from_h5ad(path: Path, names: Sequence[str], chosen: Sequence[str] | None) -> Parts:
    """Read the keys and one or two layers of an h5ad of any age; the other layers stay on disk.

    Parameters
    ----------
    path
        The file.
    names
        Layers that hold the values.
    chosen
        Names of the genes, or None.
    """
    import h5py
    from anndata.io import read_elem

    notes: list[str] = []
    with h5py.File(path) as file:
        obs = old_categories(read_frame(file["obs"], "obs", notes), file.get("uns", {})).reset_index(drop=True)
        genes = read_frame(file["var"], "var", notes).index.tolist()
        layers = {name: node for name, node, of_genes in matrices(file) if of_genes is None}
        for option, name in zip(("--layer", "--second_layer"), names, strict=False):
            if name not in layers:
                raise InputError(f"{path}: there is no layer {name}; it has {', '.join(layers) or 'none'} ({option})")
        if len(set(names)) < len(names):
            raise InputError(f"{path}: --second_layer {names[0]}: that is the first layer; name another one")
        values = [dense(read_elem(layers[name])) for name in names]
    for note in notes:
        say(f"{path}: {note}")
    check_columns(path, genes)
    obs = with_cell_type(obs)
    check_columns(path, list(obs.columns), REQUIRED)
    for name, found in zip(names, values, strict=True):
        if found.shape != (len(obs), len(genes)):
            raise InputError(
                f"{path}: the layer {name} has {' x '.join(map(str, found.shape))} values for {len(obs)} rows and "
                f"{len(genes)} genes; write the file again"
            )
    if len(values) > 1 and np.array_equal(values[0], values[1]):
        raise InputError(f"{path}: the layers {' and '.join(names)} hold the same values; name a layer of another kind")
    named = [name for name in (*KEYS, *OPTIONAL) if name in obs]
    kept = gene_columns(path, dict.fromkeys(genes, ""), chosen, declared=True)
    if kept != genes:
        places = pd.Index(genes).get_indexer(kept)
        values = [found[:, places] for found in values]
    return obs[named], kept, values[0] if len(values) == 1 else np.concatenate(values, axis=1)


def dense(layer: Any) -> np.ndarray:
    """Return a layer as float32 [n_rows, n_genes].

    Parameters
    ----------
    layer
        As anndata reads it.
    """
    from scipy import sparse

    return np.asarray(layer.toarray() if sparse.issparse(layer) else layer, np.float32)


def with_cell_type(obs: pd.DataFrame) -> pd.DataFrame:
    """Return annotation with cell types, where only ``sm_cell_type`` has them, with or without the compound in front.

    Parameters
    ----------
    obs
        Of an h5ad.
    """
    if "cell_type" in obs or not {COMPOUND_AND_CELL_TYPE, "sm_name"} <= set(obs.columns):
        return obs
    pairs = zip(obs[COMPOUND_AND_CELL_TYPE], obs["sm_name"], strict=True)
    return obs.assign(cell_type=[str(both).removeprefix(f"{name}_") for both, name in pairs])


def from_frame(path: Path, frame: pd.DataFrame, chosen: Sequence[str] | None) -> Parts:
    """Return keys, genes and values of a wide or a long table.

    Parameters
    ----------
    path
        For messages.
    frame
        As it was read.
    chosen
        Names of the genes, or None.
    """
    refuse_statistics(path, list(frame.columns), KEYS)
    check_columns(path, list(frame.columns), REQUIRED)
    frame = without_row_names(frame)
    is_long = set(LONG) <= set(frame.columns)
    if is_long:
        frame = widen(path, frame)
    named = [name for name in (*KEYS, *OPTIONAL) if name in frame]
    others = frame.drop(columns=named)
    words = {str(name): first_word(column) for name, column in others.items()}
    genes = gene_columns(path, words, chosen, declared=is_long)
    return frame[named], genes, others[genes].to_numpy(np.float32)


def first_word(column: pd.Series) -> str:
    """Return the first value that is no number, with its row; empty where all are numbers.

    Parameters
    ----------
    column
        Of a table.
    """
    if not len(column) or column.dtype.kind in "fiu":
        return ""
    numbers = pd.to_numeric(column.astype(str), errors="coerce")
    if not (odd := numbers.isna() & column.notna()).any():
        return f"values of type {column.dtype}"
    return f"'{column[odd].iloc[0]}' in data row {int(odd.to_numpy().argmax()) + 1}"


def widen(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Turn one row a (cell type, compound, gene) into one row a (cell type, compound); orders are kept.

    Parameters
    ----------
    path
        For a message.
    frame
        Long: keys, ``gene, value``.
    """
    pairs = ["cell_type", "sm_name"]
    named = [name for name in (*KEYS, *OPTIONAL) if name in frame]
    frame = frame[[*named, *LONG]].astype(dict.fromkeys((*named, "gene"), object))
    if len(odd := frame.index[pd.to_numeric(frame["value"], errors="coerce").isna() & frame["value"].notna()]):
        raise InputError(f"{path}: row {odd[0] + 2}, column value: {frame['value'][odd[0]]} is not a number")
    for name in (*pairs, "gene"):
        if frame[name].isna().any():
            number = int(frame[name].isna().to_numpy().argmax())
            raise InputError(f"{path}: column {name} is empty in data row {number + 1}; fill it in")
    twice = frame.duplicated([*pairs, "gene"])
    if twice.any():
        row = frame[twice].iloc[0]
        raise InputError(
            f"{path}: {row['cell_type']}, {row['sm_name']}, {row['gene']} stands there twice; keep one, such as one "
            "dose and time"
        )
    keys = frame[named].drop_duplicates()
    if (again := keys.duplicated(pairs)).any():
        row = keys[again].iloc[0]
        alike = keys[(keys[pairs] == row[pairs]).all(axis=1)]
        differs = next(name for name in named if alike[name].nunique(dropna=False) > 1)
        raise InputError(
            f"{path}: {row['cell_type']}, {row['sm_name']}: column {differs} differs between genes; give it one value"
        )
    wide = frame.pivot(index=pairs, columns="gene", values="value").astype(np.float32)
    wide = wide.loc[pd.MultiIndex.from_frame(keys[pairs]), frame["gene"].drop_duplicates()]
    return pd.concat([keys.reset_index(drop=True), wide.reset_index(drop=True)], axis=1)


def is_h5ad(path: Path) -> bool:
    """Tell whether a table is an h5ad, by its name.

    Parameters
    ----------
    path
        Of the table.
    """
    return path.name.lower().removesuffix(".gz").endswith(".h5ad")


def is_simulated(path: Path) -> bool:
    """Tell whether a table says of itself that its values are simulated; only a parquet and an h5ad can.

    Parameters
    ----------
    path
        Of the table.

    Raises
    ------
    InputError
        If it is a parquet or an h5ad that cannot be read.
    """
    check_file(path, SUFFIXES)
    refuse_packed(path)
    try:
        if is_h5ad(path):
            import h5py

            with h5py.File(path) as file:
                said = file.get("uns/pharmacell/simulated")
                return bool(said is not None and said[()])
        if suffix_of(path) != ".parquet":
            return False
        import pyarrow.parquet as pq

        metadata = (pq.read_schema(path).metadata or {}).get(METADATA_KEY)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)}); write it again") from error
    return metadata is not None and _says_simulated(metadata)


def _says_simulated(metadata: bytes) -> bool:
    """Tell whether the words that a parquet holds under our key say so; those of another program say nothing."""
    import json

    try:
        said = json.loads(metadata)
    except ValueError:
        return False
    return isinstance(said, dict) and bool(said.get("simulated"))
