"""Text tables of the perturbation task, however their fields are separated; keys and ids stay as they are written."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.input_file import check_file
from pharmacell.data.text_table import read_table

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
TEXTS = frozenset(("cell_type", "sm_name", "sm_lincs_id", "SMILES", "split", "gene", "id"))
ROW_NAMES = ("__index_level_0__", "index", "Unnamed: 0", "")  # columns in which pandas and R write the names of rows


def read_text(path: Path, required: Sequence[str] = ()) -> pd.DataFrame:
    """Read a text table; names of rows are left out.

    Parameters
    ----------
    path
        csv or tsv; see :mod:`pharmacell.data.text_table`.
    required
        Columns that have to be there.

    Raises
    ------
    InputError
        If it is no table, a column is missing or one stands there twice.
    """
    check_file(path, TEXT_SUFFIXES)
    frame = read_table(path, TEXTS.__contains__)
    if frame.columns[0] not in TEXTS:  # the reader takes the first column for ids
        with suppress(ValueError):
            frame.isetitem(0, pd.to_numeric(frame.iloc[:, 0]))
    frame = without_row_names(frame)
    check_columns(path, list(frame.columns), required)
    return frame


def without_row_names(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table without the columns in which pandas and R write the names of rows.

    Parameters
    ----------
    frame
        Any table.
    """
    named = frame.columns.isin(ROW_NAMES)
    return frame.loc[:, ~named] if named.any() else frame


def check_columns(path: Path, columns: Sequence[str], required: Sequence[str] = ()) -> None:
    """Check that the required columns are there, and no column twice.

    Parameters
    ----------
    path
        For a message.
    columns
        Of the file.
    required
        That have to be among them.

    Raises
    ------
    InputError
        If it is not so.
    """
    missing = [name for name in required if name not in columns]
    if missing:
        spelled = {name.strip().lower(): name for name in columns}
        other = [f"{spelled[name.lower()]} to {name}" for name in missing if name.lower() in spelled]
        do = f"rename {', '.join(other)}" if other else f"the table begins with {', '.join(columns[:5])}"
        raise InputError(
            f"{path}: column {', '.join(missing)} is missing; {', '.join(required)} have to be there ({do})"
        )
    index = pd.Index(columns)
    if index.has_duplicates:
        raise InputError(f"{path}: column {index[index.duplicated()][0]} stands there twice; keep one")
