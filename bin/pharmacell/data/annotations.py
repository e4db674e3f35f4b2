"""Annotation of cells: known response and origin."""

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError

SENSITIVE = {"1", "1.0", "true", "yes", "sensitive", "sens", "s", "responder", "responsive"}
RESISTANT = {
    "0",
    "0.0",
    "false",
    "no",
    "resistant",
    "res",
    "r",
    "non-responder",
    "nonresponder",
    "non-responsive",
    "insensitive",
}


def column_of(obs: pd.DataFrame, key: str, option: str, source: str) -> pd.Series:
    """Return a column of the cells' annotation.

    Raises
    ------
    InputError
        If there is none of that name; the message lists those that there are.
    """
    if key not in obs:
        there = ", ".join(map(str, obs.columns[:20])) or "none"
        raise InputError(f"{source}: no column '{key}' for {option}; columns: {there}")
    return obs[key]


def parse_labels(values: pd.Series, source: str) -> np.ndarray:
    """Return int8 labels, 1 sensitive and 0 resistant, shape (n_cells,).

    Parameters
    ----------
    values
        1/0, true/false, sensitive/resistant and the like, in any case.
    source
        The file, for a message.

    Raises
    ------
    InputError
        If a value is missing or is none of these, or all cells are of one class.
    """
    words = values.astype(str).str.strip().str.lower()
    known = words.isin(SENSITIVE | RESISTANT)
    if not known.all():
        others = values[~known].astype(str).value_counts()
        shown = ", ".join(f"'{value}' ({count} cells)" for value, count in others.head(5).items())
        raise InputError(
            f"{source}: column {values.name}: {shown} cannot be read as a response; use 1 or sensitive, 0 or resistant"
        )
    labels = words.isin(SENSITIVE).to_numpy(np.int8)
    require_both(labels, values.name, source)
    return labels


def require_both(labels: np.ndarray, column: str, source: str) -> None:
    """Check that both classes occur.

    Raises
    ------
    InputError
        If one does not.
    """
    if labels.min() == labels.max():
        kind = "sensitive" if labels[0] else "resistant"
        raise InputError(
            f"{source}: one-class labels: all {len(labels)} cells are {kind} in column {column}; nothing can be scored "
            "against them, so leave label_key out"
        )


def cells_of_root(obs: pd.DataFrame, root: str, source: str) -> np.ndarray:
    """Return which cells a trajectory may start from: those of a group, or one cell, bool [n_cells].

    Parameters
    ----------
    obs
        The cells' annotation, with ``group`` where it is known.
    root
        Name of a group, else of a cell.
    source
        The file, for a message.

    Raises
    ------
    InputError
        If there is neither a group nor a cell of that name; the message lists the groups.
    """
    groups = obs["group"].astype(str) if "group" in obs else pd.Series("", obs.index)
    for names in (groups.to_numpy(), obs.index.astype(str).to_numpy()):
        if root and (names == root).any():
            return names == root
    known = ", ".join(sorted(set(groups))[:20]) if "group" in obs else "none, as there is no group_key"
    raise InputError(
        f"{source}: --root {root}: neither a group nor a cell that passed quality control; groups: {known}"
    )
