"""The file formats of a perturbation table: parquet, h5ad, wide and long csv."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.input_file import check_file, reason
from pharmacell.perturbation.gene_columns import gene_columns
from pharmacell.perturbation.settings import DEFAULT_LAYER

KEYS = ("cell_type", "sm_name", "sm_lincs_id", "SMILES", "control")
OPTIONAL = ("split",)
RENAMED = {"sm_cell_type": "cell_type"}  # of the re-analysed release, whose cell_type may be missing
IGNORED = ("__index_level_0__", "index", "Unnamed: 0", "")  # row names that pandas wrote
LONG = ("gene", "value")
SUFFIXES = (".parquet", ".h5ad", ".csv", ".tsv")
METADATA_KEY = b"pharmacell"  # of a parquet's schema; json

Parts = tuple[pd.DataFrame, list[str], np.ndarray]  # keys [n_rows], genes, float32 [n_rows, n_genes]


def read_parts(
    path: Path, layer: str | None, genes: Sequence[str] | None = None, second_layer: str | None = None
) -> Parts:
    """Read keys, genes and values by the file's suffix.

    Parameters
    ----------
    path
        parquet (keys, then one column a gene), h5ad (keys in obs, values in a layer), csv or tsv: wide like the
        parquet, or long with the columns ``gene`` and ``value``.
    layer
        Layer of an h5ad; None takes ``sign_log10_pval``.
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
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    for option, name in (("--layer", layer), ("--second_layer", second_layer)):
        if name and kind != ".h5ad":
            raise InputError(f"{path}: {option} {name}: only an h5ad has layers; leave the option out")
    try:
        if kind == ".parquet":
            return from_parquet(path, genes)
        if kind == ".h5ad":
            return from_h5ad(path, [layer or DEFAULT_LAYER, *([second_layer] if second_layer else [])], genes)
        return from_text(path, "\t" if kind == ".tsv" else ",", genes)
    except (OSError, ValueError, KeyError) as error:  # ArrowInvalid is a ValueError
        raise InputError(f"{path}: cannot be read ({reason(error)}); write it again") from error


def check_columns(path: Path, columns: list[str], required: tuple[str, ...] = KEYS) -> None:
    """Check that the required columns are there, and no column twice.

    Parameters
    ----------
    path
        For a message.
    columns
        Of the file.
    required
        That have to be among them.
    """
    missing = [key for key in required if key not in columns]
    if missing:
        raise InputError(f"{path}: column {', '.join(missing)} is missing; the keys are {', '.join(KEYS)}")
    twice = pd.Index(columns)[pd.Index(columns).duplicated()]
    if len(twice):
        raise InputError(f"{path}: column {twice[0]} stands there twice; keep one")


def from_parquet(path: Path, chosen: Sequence[str] | None) -> Parts:
    """Read a wide parquet column by column, so that no second copy in double precision is made.

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
    check_columns(path, table.column_names)
    others = [name for name in table.column_names if name not in (*KEYS, *OPTIONAL, *IGNORED)]
    kinds = {name: table.schema.field(name).type for name in others}
    numeric = {name: pa.types.is_floating(kind) or pa.types.is_integer(kind) for name, kind in kinds.items()}
    genes = gene_columns(path, numeric, chosen)
    y = np.empty((table.num_rows, len(genes)), np.float32)
    for number, gene in enumerate(genes):
        y[:, number] = table.column(gene).to_numpy()
    named = [name for name in (*KEYS, *OPTIONAL) if name in table.column_names]
    return table.select(named).to_pandas().reset_index(drop=True), genes, y


def from_h5ad(path: Path, names: Sequence[str], chosen: Sequence[str] | None) -> Parts:
    """Read the keys and one or two layers of an h5ad; the other layers stay on disk.

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

    with h5py.File(path) as file:
        obs = read_elem(file["obs"]).reset_index(drop=True)
        genes = read_elem(file["var"]).index.astype(str).tolist()
        layers = list(file.get("layers", {}))
        for option, name in zip(("--layer", "--second_layer"), names, strict=False):
            if name not in layers:
                raise InputError(f"{path}: there is no layer {name}; it has {', '.join(layers) or 'none'} ({option})")
        if len(set(names)) < len(names):
            raise InputError(f"{path}: --second_layer {names[0]}: that is the first layer; name another one")
        values = [dense(read_elem(file["layers"][name])) for name in names]
    check_columns(path, genes, ())
    for old, new in RENAMED.items():
        if new not in obs and old in obs:
            obs = obs.rename(columns={old: new})
    check_columns(path, list(obs.columns))
    for name, found in zip(names, values, strict=True):
        if found.shape != (len(obs), len(genes)):
            raise InputError(
                f"{path}: the layer {name} has {' x '.join(map(str, found.shape))} values for {len(obs)} rows and "
                f"{len(genes)} genes; write the file again"
            )
    if len(values) > 1 and np.array_equal(values[0], values[1]):
        raise InputError(f"{path}: the layers {' and '.join(names)} hold the same values; name a layer of another kind")
    named = [name for name in (*KEYS, *OPTIONAL) if name in obs]
    kept = gene_columns(path, dict.fromkeys(genes, True), chosen, declared=True)
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


def from_text(path: Path, separator: str, chosen: Sequence[str] | None) -> Parts:
    """Read a wide or a long csv or tsv.

    Parameters
    ----------
    path
        The file.
    separator
        Between two fields.
    chosen
        Names of the genes, or None.
    """
    texts = dict.fromkeys((*KEYS[:4], *OPTIONAL, "gene"), str)
    frame = pd.read_csv(path, sep=separator, low_memory=False, dtype=texts)
    check_columns(path, list(frame.columns))
    frame = frame.drop(columns=[name for name in IGNORED if name in frame])
    is_long = set(LONG) <= set(frame.columns)
    if is_long:
        frame = widen(path, frame)
    named = [name for name in (*KEYS, *OPTIONAL) if name in frame]
    others = frame.drop(columns=named)
    numeric = {str(name): not len(others) or kind.kind in "fiu" for name, kind in others.dtypes.items()}
    genes = gene_columns(path, numeric, chosen, declared=is_long)
    return frame[named], genes, others[genes].to_numpy(np.float32)


def widen(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Turn one row a (cell type, compound, gene) into one row a (cell type, compound); orders are kept.

    Parameters
    ----------
    path
        For a message.
    frame
        Long: keys, ``gene, value``.
    """
    named = [name for name in (*KEYS, *OPTIONAL) if name in frame]
    if len(odd := frame.index[pd.to_numeric(frame["value"], errors="coerce").isna() & frame["value"].notna()]):
        raise InputError(f"{path}: row {odd[0] + 2}, column value: {frame['value'][odd[0]]} is not a number")
    pairs = ["cell_type", "sm_name"]
    twice = frame.duplicated([*pairs, "gene"])
    if twice.any():
        row = frame[twice].iloc[0]
        raise InputError(
            f"{path}: {row['cell_type']}, {row['sm_name']}, {row['gene']} stands there twice; keep one, such as one "
            "dose and time"
        )
    keys = frame[named].drop_duplicates(pairs)
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
    """
    if is_h5ad(path):
        import h5py

        with h5py.File(path) as file:
            said = file.get("uns/pharmacell/simulated")
            return bool(said is not None and said[()])
    if path.suffix.lower() != ".parquet":
        return False
    import json

    import pyarrow.parquet as pq

    said = (pq.read_schema(path).metadata or {}).get(METADATA_KEY)
    return bool(said and json.loads(said).get("simulated"))
