"""Predictions of rows that a model had not learned from, as files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.data.input_file import check_file, reason
from pharmacell.errors import InputError

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
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    check_file(path, [".parquet"])
    try:
        content = pq.read_table(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)}); run kaggle_train again") from error
    check_columns(path, content.column_names, table.genes)
    runs = content.select(KEYS[:4]).group_by(list(KEYS[:4]), use_threads=False).aggregate([]).to_pylist()
    for run in runs:
        chosen = content
        for name, value in run.items():
            chosen = chosen.filter(pc.equal(chosen[name], value))
        yield matrix(path, chosen, run, len(table))


def check_columns(path: Path, columns: list[str], genes: list[str]) -> None:
    """Check that keys and genes are those of the table."""
    missing = [name for name in KEYS if name not in columns]
    if missing:
        raise InputError(f"{path}: the column {missing[0]} is missing; give a file of kaggle_train")
    if [name for name in columns if name not in KEYS] != list(genes):
        raise InputError(f"{path}: its genes are not those of the training table in the same order; give the table "
                         "that it was made from")


def matrix(path: Path, content: "pyarrow.Table", run: dict, n_rows: int) -> OutOfFold:
    """Turn the rows of one seed into a matrix."""
    row, fold = (content.column(name).to_numpy().astype(np.int64) for name in ("row", "fold"))
    if len(np.unique(row)) < len(row) or row.min() < 0 or row.max() >= n_rows:
        raise InputError(f"{path}: {run['model']}, {run['protocol']}, seed {run['seed']}: the rows are not distinct "
                         f"numbers below {n_rows}; give the table that it was made from")
    genes = [name for name in content.column_names if name not in KEYS]
    values = np.empty((len(row), len(genes)), np.float32)
    for number, gene in enumerate(genes):
        values[:, number] = content.column(gene).to_numpy()
    if not np.isfinite(values.sum(axis=1, dtype=np.float64)).all():
        raise InputError(f"{path}: {run['model']}, {run['protocol']}, seed {run['seed']}: a prediction is not finite; "
                         "train with a smaller --learning_rate")
    order = np.argsort(row)
    return OutOfFold(**run, fold=fold[order], row=row[order], values=values[order])
