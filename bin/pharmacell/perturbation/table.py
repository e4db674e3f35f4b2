"""The table of the perturbation task: one row a (cell type, compound), one column a gene."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.progress import say
from pharmacell.data.molecules import canonical_smiles, unparsable
from pharmacell.data.names import text_id
from pharmacell.perturbation.formats import read_parts
from pharmacell.perturbation.gene_columns import read_genes
from pharmacell.perturbation.table_checks import check_keys, check_values
from pharmacell.perturbation.text_files import read_text

KEY_COLUMNS = ("cell_type", "sm_name", "sm_lincs_id", "SMILES")
PAIR = ("cell_type", "sm_name")
ID_MAP_COLUMNS = ("id", *PAIR)
SPELLED = {
    text: value
    for value, texts in ((True, "true t yes y 1 1.0"), (False, "false f no n 0 0.0"))
    for text in texts.split()
}
KNOWN = {  # what to do with a name that is not in the table
    "cell_type": "correct its spelling, or leave its rows out",
    "sm_name": "correct its spelling, or predict new molecules with bin/predict_perturbation.py",
}
NAMED = 5  # compounds that a message names


@dataclass(frozen=True)
class PerturbationTable:
    """Differential expression of cell types under compounds.

    Parameters
    ----------
    cell_type, sm_name, sm_lincs_id, smiles
        Keys of each row, str [n_rows].
    control
        Whether the compound is a positive control, bool [n_rows].
    genes
        Names of the columns, [n_genes].
    y
        Signed -log10 p (or what the layer holds), float32 [n_rows, n_layers * n_genes]: all genes of the first layer,
        then those of the second, where two are read.
    split
        The part of a predefined split that each row belongs to, str [n_rows], empty where it is missing; None where the
        file names none.
    """

    cell_type: np.ndarray
    sm_name: np.ndarray
    sm_lincs_id: np.ndarray
    smiles: np.ndarray
    control: np.ndarray
    genes: list[str]
    y: np.ndarray
    split: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.cell_type)

    @property
    def keys(self) -> pd.DataFrame:
        """Keys as a DataFrame ``cell_type, sm_name, sm_lincs_id, SMILES``, [n_rows]."""
        values = (self.cell_type, self.sm_name, self.sm_lincs_id, self.smiles)
        return pd.DataFrame(dict(zip(KEY_COLUMNS, values, strict=True)))

    @property
    def layers(self) -> "list[PerturbationTable]":
        """A table of each layer; this one where it has one layer."""
        parts = split_layers(self.y, len(self.genes))
        return [replace(self, y=np.ascontiguousarray(part)) for part in parts] if len(parts) > 1 else [self]

    def take(self, rows: np.ndarray) -> "PerturbationTable":
        """Return a table of some rows (indices or a mask), copied, so that nothing of the others is within reach.

        Parameters
        ----------
        rows
            Indices, or a mask [n_rows].
        """
        chosen = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name != "genes" and getattr(self, field.name) is not None
        }
        return replace(self, **chosen)

    @classmethod
    def of_predictions(cls, keys: pd.DataFrame, genes: list[str], y: np.ndarray) -> Self:
        """Return a table of predictions.

        Parameters
        ----------
        keys
            ``cell_type, sm_name, sm_lincs_id, SMILES`` of each row, [n_rows].
        genes
            Names of the genes.
        y
            Predicted values, float32 [n_rows, n_layers * n_genes].
        """
        return cls(
            cell_type=keys["cell_type"].to_numpy(str),
            sm_name=keys["sm_name"].to_numpy(str),
            sm_lincs_id=keys["sm_lincs_id"].to_numpy(str),
            smiles=keys["SMILES"].to_numpy(str),
            control=np.zeros(len(keys), bool),
            genes=genes,
            y=y,
        )

    @classmethod
    def read(
        cls,
        path: Path,
        layer: str | None = None,
        drop_unparsable: bool = False,
        genes: Path | None = None,
        second_layer: str | None = None,
    ) -> "PerturbationTable":
        """Read and check a table.

        Parameters
        ----------
        path
            See :func:`pharmacell.perturbation.formats.read_parts`.
        layer
            Layer of an h5ad.
        drop_unparsable
            Leave out rows whose SMILES is empty or rdkit cannot parse, instead of refusing the table.
        genes
            File that names the columns that are genes; None: known symbols and what looks like one.
        second_layer
            Another layer of an h5ad; None: there is none.

        Raises
        ------
        InputError
            If the table cannot be used.
        """
        keys, names, y = read_parts(Path(path), layer, read_genes(genes) if genes else None, second_layer)
        if not len(keys):
            raise InputError(f"{path}: the table has no rows; give at least two (cell type, compound)")
        if not names:
            raise InputError(f"{path}: the table has no gene columns after its keys")
        cleaned = clean_keys(path, keys)
        table = replace(
            cls.of_predictions(cleaned, names, y),
            control=cleaned["control"].to_numpy(bool),
            split=texts_of(path, keys["split"], may_be_empty=True) if "split" in keys else None,
        )
        table = table.take(parsable(path, table, drop_unparsable))
        spelled = {one: canonical_smiles(str(one)) or "" for one in np.unique(table.smiles)}
        table = replace(table, smiles=np.array([spelled[one] for one in table.smiles], dtype=str))
        check_keys(path, table.keys)
        for number, values in enumerate(split_layers(table.y, len(names))):
            check_values(path, table.keys, names, values, "of the second layer" if number else "")
        return table


def split_layers(values: np.ndarray, n_genes: int) -> list[np.ndarray]:
    """Return the values of each layer, [..., n_genes] each, as views.

    Parameters
    ----------
    values
        [..., n_layers * n_genes].
    n_genes
        Genes of a layer.
    """
    return [values[..., start : start + n_genes] for start in range(0, values.shape[-1], n_genes)]


def texts_of(path: Path, column: pd.Series, may_be_empty: bool = False) -> np.ndarray:
    """Return a column of keys as text, str [n_rows]; whole numbers stay as they were written.

    Parameters
    ----------
    path
        For a message.
    column
        Keys, of any type.
    may_be_empty
        Whether a missing value is an empty text.

    Raises
    ------
    InputError
        If a value is missing, or was a number to a spreadsheet.
    """
    try:
        found = [text_id(value) for value in column]
    except ValueError as error:
        raise InputError(f"{path}: column {column.name}: {error}; write the table again with the ids as text") from None
    if None in found and not may_be_empty:
        raise InputError(f"{path}: column {column.name} is empty in data row {found.index(None) + 1}; fill it in")
    return np.array([text or "" for text in found], dtype=str)


def clean_keys(path: Path, keys: pd.DataFrame) -> pd.DataFrame:
    """Return the keys as text and the control as bool; an id that is missing is the compound's name.

    Parameters
    ----------
    path
        For a message.
    keys
        ``cell_type, sm_name, SMILES`` and, where they are known, ``sm_lincs_id`` and ``control``, of any type.

    Returns
    -------
    pandas.DataFrame
        ``cell_type, sm_name, sm_lincs_id, SMILES, control``, [n_rows].

    Raises
    ------
    InputError
        If a cell type or a name is missing, or a control is neither true nor false.
    """
    cell_type, sm_name = (texts_of(path, keys[name]) for name in PAIR)
    ids = texts_of(path, keys["sm_lincs_id"], may_be_empty=True) if "sm_lincs_id" in keys else np.array([""])
    return pd.DataFrame(
        {
            "cell_type": cell_type,
            "sm_name": sm_name,
            "sm_lincs_id": np.where(ids == "", sm_name, ids),
            "SMILES": texts_of(path, keys["SMILES"], may_be_empty=True),
            "control": booleans(path, keys["control"]) if "control" in keys else False,
        }
    )


def booleans(path: Path, column: pd.Series) -> np.ndarray:
    """Return the column ``control`` as bool; csv files spell it in several ways.

    Parameters
    ----------
    path
        For a message.
    column
        Any spelling of true and false.
    """
    found = column.astype(str).str.strip().str.lower().map(SPELLED)
    if found.isna().any():
        number = int(found.isna().to_numpy().argmax())
        raise InputError(
            f"{path}: column control, data row {number + 1}: {column.iloc[number]} is not True or False; "
            "write one of them, or leave the column out"
        )
    return found.to_numpy(bool)


def parsable(path: Path, table: PerturbationTable, drop: bool) -> np.ndarray:
    """Return which rows have a SMILES that rdkit parses, bool [n_rows].

    Parameters
    ----------
    path
        For a message.
    table
        What was read.
    drop
        Leave out rows whose SMILES cannot be parsed.

    Raises
    ------
    InputError
        If there is one that it cannot parse and rows are not to be dropped, or if none is left.
    """
    bad = unparsable(table.smiles)
    rows = ~np.isin(table.smiles, bad)
    if not bad:
        return rows
    compounds = sorted(
        {f"{name} ({smiles or 'none'})" for name, smiles in zip(table.sm_name[~rows], table.smiles[~rows], strict=True)}
    )
    more = f" and {len(compounds) - NAMED} more" if len(compounds) > NAMED else ""
    named = f"{', '.join(compounds[:NAMED])}{more}"
    if not drop:
        raise InputError(
            f"{path}: no SMILES that rdkit can parse for {named}; correct it, or pass --drop_unparsable to leave out "
            f"{(~rows).sum()} of {len(rows)} rows"
        )
    if not rows.any():
        raise InputError(f"{path}: rdkit cannot parse any SMILES; nothing is left to train on")
    say(f"{path}: left out {(~rows).sum()} of {len(rows)} rows without a SMILES that rdkit can parse: {named}")
    return rows


def read_keys(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of rows to predict, and check that each id stands there once.

    Parameters
    ----------
    path
        csv or tsv.
    columns
        That have to be there, ``id`` among them.

    Raises
    ------
    InputError
        If it cannot be used.
    """
    frame = read_text(path, columns)
    for name in frame.columns.intersection(ID_MAP_COLUMNS):
        frame[name] = texts_of(path, frame[name])
    if frame["id"].duplicated().any():
        raise InputError(f"{path}: id {frame['id'][frame['id'].duplicated()].iloc[0]} stands there twice")
    return frame


def read_id_map(path: Path, table: PerturbationTable) -> pd.DataFrame:
    """Read the keys to predict, and give each compound the SMILES that the table knows.

    Parameters
    ----------
    path
        csv of ``id, cell_type, sm_name``.
    table
        The training table.

    Returns
    -------
    pandas.DataFrame
        ``id, cell_type, sm_name, sm_lincs_id, SMILES`` in the order of the file.

    Raises
    ------
    InputError
        If a cell type or a compound is not in the table.
    """
    frame = read_keys(path, ID_MAP_COLUMNS)[list(ID_MAP_COLUMNS)]
    for name in ID_MAP_COLUMNS[1:]:
        unknown = sorted(set(frame[name]) - set(getattr(table, name)))
        if unknown:
            raise InputError(
                f"{path}: {name} {unknown[0]} is not in the training table"
                f"{f' (nor are {len(unknown) - 1} others)' if unknown[1:] else ''}; {KNOWN[name]}"
            )
    if frame.duplicated(["cell_type", "sm_name"]).any():
        row = frame[frame.duplicated(["cell_type", "sm_name"])].iloc[0]
        raise InputError(f"{path}: ({row['cell_type']}, {row['sm_name']}) stands there twice; keep one")
    compounds = table.keys.drop_duplicates("sm_name")[["sm_name", "sm_lincs_id", "SMILES"]]
    return frame.merge(compounds, on="sm_name", how="left", validate="many_to_one")


def read_sample_submission(path: Path, genes: list[str], ids: np.ndarray | pd.Series) -> np.ndarray:
    """Check a sample submission against the table's genes and the ids to predict.

    Parameters
    ----------
    path
        csv of ``id`` and the genes.
    genes
        Of the training table, in its order.
    ids
        To predict, in the id map's order.

    Returns
    -------
    numpy.ndarray
        Its ids in their order.

    Raises
    ------
    InputError
        If its genes or ids differ, or stand in another order.
    """
    frame = read_keys(path, ("id",))
    found = [name for name in frame.columns if name != "id"]
    if frame.columns[0] != "id":
        raise InputError(f"{path}: the first column is {frame.columns[0]}; it has to be id")
    if found != genes:
        missing, more = [g for g in genes if g not in set(found)], [g for g in found if g not in set(genes)]
        if missing or more:
            raise InputError(
                f"{path}: its genes are not those of the training table: {len(missing)} missing"
                f"{f' ({missing[0]})' if missing else ''}, {len(more)} more"
                f"{f' ({more[0]})' if more else ''}; use the sample that belongs to the table"
            )
        at = next(i for i, pair in enumerate(zip(found, genes, strict=True)) if pair[0] != pair[1])
        raise InputError(
            f"{path}: gene column {at + 1} is {found[at]} where the training table has {genes[at]}; use the same order"
        )
    if list(frame["id"]) != list(ids):
        raise InputError(
            f"{path}: its {len(frame)} ids are not the {len(ids)} of the id map in their order; use the "
            "sample that belongs to it"
        )
    return frame["id"].to_numpy()
