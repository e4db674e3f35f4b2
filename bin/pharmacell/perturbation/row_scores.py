"""Scores of every row that a model had not learned from, as files, and one example row of each model."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.input_file import check_file, reason
from pharmacell.perturbation.metrics import COUNTED, METRICS, RowScores, genes_column

KEYS = ("model", "encoding", "protocol", "seed", "fold", "row")
PAIR = ("cell_type", "sm_name")
ZEROS = "zeros_in_truth"  # share of the row's genes whose true value is exactly 0
PART = "part"  # of what is held out, such as public_test and private_test
ALL_PARTS = "all"
COLUMNS = (*KEYS, *PAIR, PART, ZEROS, *METRICS, *map(genes_column, COUNTED))
EXAMPLE_COLUMNS = (*KEYS, *PAIR, "pearson", "mrrmse", "truth", "prediction")  # the last two: lists over the genes
TEXTS = ("model", "encoding", "protocol", *PAIR)


@dataclass(frozen=True)
class Scored:
    """The scores of one model with one seed under one protocol.

    Attributes
    ----------
    model, encoding, protocol, seed
        What was scored.
    rows
        ``fold, row, cell_type, sm_name, part, zeros_in_truth`` of each scored row, by number of the row, [n_rows].
    scores
        Of each row.
    path
        File of the scores.
    """

    model: str
    encoding: str
    protocol: str
    seed: int
    rows: pd.DataFrame
    scores: RowScores
    path: Path


def read_row_scores(path: Path) -> list[Scored]:
    """Read a file's scores, one entry for each model, encoding, protocol and seed.

    Parameters
    ----------
    path
        Parquet with the columns of :data:`COLUMNS`.

    Raises
    ------
    InputError
        If it is no such file, or a row stands there twice.
    """
    frame = read_columns(path, COLUMNS)
    found = []
    for run, rows in frame.groupby(list(KEYS[:4]), sort=False):
        rows = rows.sort_values("row", ignore_index=True)
        if rows["row"].duplicated().any():
            raise InputError(f"{path}: {', '.join(map(str, run))}: a row stands there twice; run kaggle_train again")
        model, encoding, protocol, seed = run
        found.append(
            Scored(model, encoding, protocol, seed, rows[["fold", "row", *PAIR, PART, ZEROS]], RowScores.of(rows), path)
        )
    return found


def read_columns(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table of kaggle_train.

    Parameters
    ----------
    path
        Parquet.
    columns
        That have to be there.

    Raises
    ------
    InputError
        If it cannot be read, or a column is missing.
    """
    check_file(path, [".parquet"])
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)}); run kaggle_train again") from error
    if missing := [name for name in columns if name not in frame]:
        raise InputError(f"{path}: the column {missing[0]} is missing; give a file of kaggle_train")
    return frame


def means_by_part(scores: RowScores, parts: np.ndarray) -> Iterator[tuple[str, str, float]]:
    """Yield part, metric and mean over rows: of all rows, and of each part where there are several.

    Parameters
    ----------
    scores
        Of the held-out rows.
    parts
        Of each row, str [n_rows].
    """
    names = np.unique(parts)
    masks = {ALL_PARTS: np.ones(len(parts), bool)}
    masks |= {str(name): parts == name for name in names if len(names) > 1}
    for part, rows in masks.items():
        for metric, value in scores.mean(rows).items():
            yield part, metric, value


def example_of(rows: pd.DataFrame, truth: np.ndarray, predictions: np.ndarray) -> pd.DataFrame:
    """Return the row with the median Pearson correlation, with its truth and prediction: neither flattering nor worst.

    Parameters
    ----------
    rows
        Scores of one model and seed, with the columns of :data:`COLUMNS`, [n_rows].
    truth
        Of the whole table, float32 [n_table, n_genes].
    predictions
        In the order of ``rows``, float32 [n_rows, n_genes].

    Returns
    -------
    pandas.DataFrame
        One row, with the columns of :data:`EXAMPLE_COLUMNS`.
    """
    place = int(np.argsort(rows["pearson"].to_numpy(), kind="stable")[len(rows) // 2])
    chosen = rows.iloc[[place]].reset_index(drop=True)
    lists = {"truth": [truth[int(chosen["row"].iloc[0])]], "prediction": [predictions[place]]}
    return chosen.assign(**lists)[list(EXAMPLE_COLUMNS)]
