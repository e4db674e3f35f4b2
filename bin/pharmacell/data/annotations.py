"""Annotation of cells: known response and origin."""

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.columns import OBS_GROUP, OBS_TRUTH, OF_DRUG, UNKNOWN
from pharmacell.data.frames import plain_text
from pharmacell.data.names import drug_key

SENSITIVE = {
    "1",
    "1.0",
    "true",
    "t",
    "yes",
    "y",
    "sensitive",
    "sens",
    "sen",
    "s",
    "responder",
    "responsive",
    "responding",
}
RESISTANT = {
    "0",
    "0.0",
    "false",
    "f",
    "no",
    "n",
    "resistant",
    "res",
    "r",
    "non-responder",
    "nonresponder",
    "non_responder",
    "non-responsive",
    "non-sensitive",
    "insensitive",
}
MISSING = {
    "",
    "nan",
    "na",
    "n/a",
    "#n/a",
    "none",
    "null",
    "<na>",
    "nat",
    "unknown",
    "not known",
    "undetermined",
    "-",
    "?",
    ".",
}


def column_of(obs: pd.DataFrame, key: str, option: str, source: str) -> pd.Series:
    """Return a column of the cells' annotation.

    Parameters
    ----------
    obs
        The cells' annotation.
    key
        Name of the column.
    option
        Who asks for it, for a message.
    source
        The file, for a message.

    Raises
    ------
    InputError
        If there is none of that name; the message lists those that there are.
    """
    if key not in obs:
        there = ", ".join(map(str, obs.columns[:20])) or "none"
        raise InputError(f"{source}: no column '{key}' for {option}; columns: {there}")
    return obs[key]


def read_labels(values: pd.Series, source: str) -> tuple[np.ndarray, list[str]]:
    """Read labels.

    Parameters
    ----------
    values
        1/0, true/false, sensitive/resistant and the like, in any case and of any type; some may be missing.
    source
        The file, for a message.

    Returns
    -------
    labels : numpy.ndarray
        int8, 1 sensitive, 0 resistant, -1 missing, shape (n_cells,).
    notes : list of str
        How many are missing, if some are.

    Raises
    ------
    InputError
        If a value is none of these.
    """
    missing = values.isna().to_numpy(bool)
    words = np.array(["" if gone else plain_text(v) for v, gone in zip(values, missing, strict=True)], dtype=object)
    words = np.array([word.strip().lower() for word in words], dtype=object)
    missing = np.isin(words, list(MISSING))
    sensitive, resistant = np.isin(words, list(SENSITIVE)), np.isin(words, list(RESISTANT))
    known = sensitive | resistant | missing
    if not known.all():
        others = values[~known].astype(str).value_counts()
        shown = ", ".join(f"'{value}' ({count} cells)" for value, count in others.head(5).items())
        raise InputError(
            f"{source}: column {values.name}: {shown} cannot be read as a response; use 1 or sensitive, 0 or resistant"
        )
    labels = np.where(sensitive, 1, np.where(resistant, 0, UNKNOWN)).astype(np.int8)
    if not missing.any():
        return labels, []
    return labels, [f"{int(missing.sum())} cells have no label in {values.name}; they are predicted and not scored"]


def parse_labels(values: pd.Series, source: str) -> tuple[np.ndarray, list[str]]:
    """Read labels that cells can be scored against; see :func:`read_labels`.

    Parameters
    ----------
    values, source
        As in :func:`read_labels`.

    Raises
    ------
    InputError
        If a value cannot be read, all cells are of one class, or none has a label.
    """
    labels, notes = read_labels(values, source)
    require_both(labels, str(values.name), source)
    return labels, notes


def parse_labels_of_drugs(obs: pd.DataFrame, key: str, source: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read the labels of several drugs; a drug to which all cells respond alike is left out.

    Parameters
    ----------
    obs
        The cells' annotation.
    key
        Columns ``key:DRUG`` hold the response to each drug, see :func:`parse_labels`.
    source
        The file, for a message.

    Returns
    -------
    labels : dict
        By drug, as in :func:`parse_labels`.
    notes : list of str
        What was read and left out.

    Raises
    ------
    InputError
        If there is no such column, or a value cannot be read.
    """
    begin = f"{key}{OF_DRUG}"
    columns = [column for column in map(str, obs.columns) if column.startswith(begin) and column != begin]
    if not columns:
        there = ", ".join(map(str, obs.columns[:20])) or "none"
        raise InputError(
            f"{source}: no column '{begin}DRUG' for label_key; where a row names several drugs, each has a column of "
            f"its own, such as '{begin}erlotinib'; columns: {there}"
        )
    found, notes = {}, []
    for column in columns:
        labels, missing = read_labels(obs[column], source)
        kinds = set(labels[labels != UNKNOWN].tolist())
        if len(kinds) == 2:
            found[column.removeprefix(begin).replace("/", " ")] = labels  # a slash would part the name in an h5ad
            notes += missing
        else:
            said = {0: "all are resistant", 1: "all are sensitive"}.get(
                min(kinds, default=UNKNOWN), "no cell has a label"
            )
            notes.append(f"{column}: {said}, so nothing is scored against it")
    return found, [f"the response to {len(found)} drugs is known: {', '.join(found) or 'none'}", *notes]


def obs_of_drug(obs: pd.DataFrame, drug: str) -> pd.DataFrame:
    """Return the cells' annotation with the known response to one drug; as it is where it has that of one alone.

    Parameters
    ----------
    obs
        Of a prepared sample.
    drug
        Without regard to case and punctuation.
    """
    begin = f"{OBS_TRUTH}{OF_DRUG}"
    columns = [column for column in map(str, obs.columns) if column.startswith(begin)]
    own = [column for column in columns if drug_key(column.removeprefix(begin)) == drug_key(drug)]
    found = obs.assign(**{OBS_TRUTH: obs[own[0]]}) if own else obs
    return found.drop(columns=columns)


def require_both(labels: np.ndarray, column: str, source: str) -> None:
    """Check that both classes occur.

    Parameters
    ----------
    labels
        1, 0, or -1 where not known.
    column
        Where they stand, for a message.
    source
        The file, for a message.

    Raises
    ------
    InputError
        If one does not.
    """
    labels = labels[labels != UNKNOWN]
    if not len(labels):
        raise InputError(f"{source}: no cell has a label in column {column}; leave label_key out")
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
        The cells' annotation, with the group where it is known.
    root
        Name of a group, else of a cell.
    source
        The file, for a message.

    Raises
    ------
    InputError
        If there is neither a group nor a cell of that name; the message lists the groups.
    """
    groups = obs[OBS_GROUP].astype(str) if OBS_GROUP in obs else pd.Series("", obs.index)
    for names in (groups.to_numpy(), obs.index.astype(str).to_numpy()):
        if root and (names == root).any():
            return names == root
    known = ", ".join(sorted(set(groups))[:20]) if OBS_GROUP in obs else "none, as there is no group_key"
    raise InputError(
        f"{source}: --root {root}: neither a group nor a cell that passed quality control; groups: {known}"
    )
