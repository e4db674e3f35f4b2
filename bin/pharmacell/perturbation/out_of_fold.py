"""Predictions of rows that a model had not learned from, as files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.data.input_file import check_file, reason

if TYPE_CHECKING:
    import pyarrow

    from pharmacell.perturbation.table import PerturbationTable

KEYS = ("model", "encoding", "protocol", "seed", "fold", "row")


@dataclass(frozen=True)
class OutOfFold:
    """Predictions of one model with one seed under one protocol.

    Attributes
    ----------
    model, encoding, protocol, seed
        What made them.
    fold
        In which each row was tested, [n_rows].
    row
        Number of each row in the training table, ascending, [n_rows].
    values
        float32 [n_rows, n_genes].
    """

    model: str
    encoding: str
    protocol: str
    seed: int
    fold: np.ndarray
    row: np.ndarray
    values: np.ndarray


def read_out_of_fold(path: Path, table: "PerturbationTable") -> Iterator[OutOfFold]:
    """Read a file's predictions, one seed at a time, so that only one is held as a matrix.

    Parameters
    ----------
    path
        Parquet with the columns of :data:`KEYS` and one for each gene of the table, in its order.
    table
        What was trained on.

    Raises
    ------
    InputError
        If the file does not belong to the table.
    """
    import pyarrow.parquet as pq

    check_file(path, [".parquet"])
    try:
        file = pq.ParquetFile(path)
        check_columns(path, file.schema_arrow.names, table.genes)
        keys = [
            file.read_row_group(number, columns=list(KEYS[:4])).to_pylist() for number in range(file.num_row_groups)
        ]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)}); run kaggle_train again") from error
    runs: dict[tuple, dict[int, list[int]]] = {}  # where the rows of each run are: row group, and places in it
    for number, group in enumerate(keys):
        for place, row in enumerate(group):
            runs.setdefault(tuple(row.values()), {}).setdefault(number, []).append(place)
    for run, places in runs.items():
        # group by group: a whole file of many groups and 18,211 columns takes fifty times its size to read
        parts = [(file.read_row_group(number), rows) for number, rows in places.items()]
        yield matrix(path, parts, dict(zip(KEYS, run, strict=False)), len(table))


def check_columns(path: Path, columns: list[str], genes: list[str]) -> None:
    """Check that keys and genes are those of the table.

    Parameters
    ----------
    path
        Of the file.
    columns
        Of the file.
    genes
        Names of the genes, in the order of the columns.
    """
    missing = [name for name in KEYS if name not in columns]
    if missing:
        raise InputError(f"{path}: the column {missing[0]} is missing; give a file of kaggle_train")
    if [name for name in columns if name not in KEYS] != list(genes):
        raise InputError(
            f"{path}: its genes are not those of the training table in the same order; give the table "
            "that it was made from"
        )


def matrix(path: Path, parts: "list[tuple[pyarrow.Table, list[int]]]", run: dict, n_rows: int) -> OutOfFold:
    """Turn the rows of one seed, given as tables and places in them, into a matrix.

    Parameters
    ----------
    path
        Of the file.
    parts
        Tables, and the places in each whose rows belong to the seed.
    run
        Model, encoding, protocol and seed, for messages.
    n_rows
        Rows of the whole table.
    """
    row, fold = (
        np.concatenate([part.column(name).to_numpy()[places] for part, places in parts]).astype(np.int64)
        for name in ("row", "fold")
    )
    if len(np.unique(row)) < len(row) or row.min() < 0 or row.max() >= n_rows:
        raise InputError(
            f"{path}: {run['model']}, {run['protocol']}, seed {run['seed']}: the rows are not distinct "
            f"numbers below {n_rows}; give the table that it was made from"
        )
    genes = [name for name in parts[0][0].column_names if name not in KEYS]
    values, start = np.empty((len(row), len(genes)), np.float32), 0
    for part, places in parts:
        block = values[start : start + len(places)]
        for number, gene in enumerate(genes):
            block[:, number] = part.column(gene).to_numpy()[places]
        start += len(places)
    if not np.isfinite(values.sum(axis=1, dtype=np.float64)).all():
        raise InputError(
            f"{path}: {run['model']}, {run['protocol']}, seed {run['seed']}: a prediction is not finite; "
            "train with a smaller --learning_rate"
        )
    order = np.argsort(row)
    return OutOfFold(**run, fold=fold[order], row=row[order], values=values[order])
