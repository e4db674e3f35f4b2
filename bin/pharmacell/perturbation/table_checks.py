"""What a table of differential expression must not be: keys that contradict each other, values that are none."""

from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.progress import say

MOST = 1e6  # no -log10 p and no fold change is beyond; squares of it still fit into float32


def check_keys(path: Path, keys: pd.DataFrame) -> None:
    """Check that a pair stands there once, a compound has one structure, and a name has one spelling.

    Parameters
    ----------
    path
        For a message.
    keys
        ``cell_type, sm_name, SMILES`` of each row.

    Raises
    ------
    InputError
        If it is not so.
    """
    pairs = ["cell_type", "sm_name"]
    twice = keys.duplicated(pairs)
    if twice.any():
        row = keys.loc[twice, pairs].iloc[0]
        times = int((keys[pairs] == row).all(axis=1).sum())
        raise InputError(
            f"{path}: ({row['cell_type']}, {row['sm_name']}) stands there {times} times; "
            "keep one row for each cell type and compound, such as one dose and time"
        )
    compounds = keys[["sm_name", "SMILES"]].drop_duplicates()
    several = compounds["sm_name"].value_counts()
    if several.max() > 1:
        raise InputError(f"{path}: {several.idxmax()} has {several.max()} different SMILES; give a compound one")
    for names, same in ((keys["cell_type"], None), (compounds["sm_name"], compounds["SMILES"])):
        check_spelling(path, names, same)
    alike = compounds[compounds["SMILES"].duplicated(keep=False)].sort_values("SMILES", kind="stable")["sm_name"]
    if len(alike):
        say(
            f"{path}: {len(alike)} compounds share a structure with another one, such as {alike.iloc[0]} and "
            f"{alike.iloc[1]}; each name counts as a compound of its own"
        )


def check_spelling(path: Path, names: pd.Series, same: pd.Series | None) -> None:
    """Check that no two names of one thing differ in capitals or blanks only.

    Parameters
    ----------
    path
        For a message.
    names
        Of cell types or compounds.
    same
        Names are compared where this is equal; None: all of them.

    Raises
    ------
    InputError
        If two do.
    """
    known: dict[tuple, str] = {}
    for name, group in zip(names, same if same is not None else [""] * len(names), strict=True):
        other = known.setdefault((" ".join(name.casefold().split()), group), name)
        if other != name:
            raise InputError(
                f"{path}: {names.name} '{other}' and '{name}' differ only in capitals or blanks; spell them alike"
            )


def check_values(path: Path, keys: pd.DataFrame, genes: list[str], y: np.ndarray, which: str) -> None:
    """Check that every value is a number, and that they are not the p-values themselves.

    Parameters
    ----------
    path
        For a message.
    keys
        ``cell_type, sm_name`` of each row.
    genes
        Names of the columns.
    y
        Values of one layer, float32 [n_rows, n_genes].
    which
        Words for the layer; empty where there is one.

    Raises
    ------
    InputError
        If it is not so.
    """
    of_layer = f" {which}" if which else ""
    least, most = float(y.min()), float(y.max())  # NaN where there is one
    if not (least >= -MOST and most <= MOST):
        bad = ~(np.abs(y) <= MOST)
        row, column = (int(places[0]) for places in np.nonzero(bad))
        said = f"{path}: {keys['cell_type'].iloc[row]}, {keys['sm_name'].iloc[row]}: column {genes[column]}{of_layer}"
        if np.isfinite(y[row, column]):
            raise InputError(f"{said} is {y[row, column]:.3g}, beyond any -log10 p or fold change; correct it")
        raise InputError(
            f"{said} is missing, not a number or infinite ({bad.sum()} values in {bad.any(axis=1).sum()} rows; -log10 "
            "of a p-value of 0 is infinite); fill in or cap the value, or leave the row or the gene out"
        )
    if least >= 0 and 0 < most <= 1 and ((y > 0) & (y < 1)).any():
        raise InputError(
            f"{path}: all values{of_layer} lie between 0 and 1, as p-values do; give -log10 of the "
            "p-value with the sign of the fold change"
        )
    if least >= 0 and most > 0:
        say(f"{path}: no value{of_layer} is negative; is the sign of the fold change missing?")
