"""Which rows of a perturbation table are learned from and which are predicted, for each way of asking."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.core.seeds import generator, integer
from pharmacell.perturbation.scaffolds import compound_groups, scaffold_groups

if TYPE_CHECKING:
    from pharmacell.perturbation.table import PerturbationTable

Split = tuple[np.ndarray, np.ndarray]
N_FOLDS = 5
# told by the name of a cell type; a regulatory T cell is a CD4+ T cell, one that shows CD40 or CD45 need not be
LINEAGES = {"CD4+ T cells": re.compile(r"CD4(?!\d)|\bT[ -]?reg|regulatory T", re.IGNORECASE)}
LEARNED = ("train", "control", "public_test")  # parts of the real table's split; its private_test is predicted
PUBLIC_TEST, PRIVATE_TEST, TEST = "public_test", "private_test", "test"  # parts of what is held out
PUBLIC_SHARE = 0.4  # of the held-out compounds of ``kaggle``
N_ANCHORS = 17  # compounds of the rarest cell types in the training data of the NeurIPS 2023 task


def folds(table: "PerturbationTable", protocol: str, seed: int, n_folds: int = N_FOLDS) -> list[Split]:
    """Split the rows of a table.

    Parameters
    ----------
    table
        The rows to split.
    protocol
        One of :data:`PROTOCOLS`.
    seed
        The user's seed. All models of a run get the same folds.
    n_folds
        Folds of ``random``, ``leave_compound_out`` and ``leave_scaffold_out``; fewer when there are fewer groups.

    Returns
    -------
    list of (train_rows, test_rows)
        Row numbers, ascending, disjoint within a fold. No row is tested twice. Every row is tested once, except by
        ``kaggle`` (the anchor compounds never are) and ``predefined``.

    Raises
    ------
    InputError
        If the table cannot be split so.
    """
    if protocol not in PROTOCOLS:
        raise InputError(f"--protocol: {protocol!r} is not one of {', '.join(PROTOCOLS)}")
    tested = PROTOCOLS[protocol](table, seed, n_folds)
    rows = np.arange(len(table.cell_type))
    return [(np.setdiff1d(rows, test), np.sort(test)) for test in tested]


def random(table: "PerturbationTable", seed: int, n_folds: int) -> list[np.ndarray]:
    """Return the rows of each test part, drawn without regard to what they are, as the study's split seems to be.

    Parameters
    ----------
    table
        All rows with their keys.
    seed
        Seed of everything random in it.
    n_folds
        Test parts; fewer where there is less to hold out.
    """
    n_rows = len(table.cell_type)
    if n_rows < 2:
        raise InputError(f"perturbation table: {n_rows} rows cannot be split into a training and a test part; add rows")
    return np.array_split(generator(seed, "random folds").permutation(n_rows), min(n_folds, n_rows))


def leave_compound_out(table: "PerturbationTable", seed: int, n_folds: int) -> list[np.ndarray]:
    """Return test parts whose compounds (by name and by structure) no training part holds.

    Parameters
    ----------
    table
        All rows with their keys.
    seed
        Seed of everything random in it.
    n_folds
        Test parts; fewer where there is less to hold out.
    """
    return _group_folds(compound_groups(table.sm_name, table.smiles), seed, n_folds, "compound")


def leave_scaffold_out(table: "PerturbationTable", seed: int, n_folds: int) -> list[np.ndarray]:
    """Return test parts whose Murcko scaffolds no training part holds.

    Parameters
    ----------
    table
        All rows with their keys.
    seed
        Seed of everything random in it.
    n_folds
        Test parts; fewer where there is less to hold out.
    """
    return _group_folds(scaffold_groups(table.sm_name, table.smiles), seed, n_folds, "scaffold")


def leave_cell_type_out(table: "PerturbationTable", seed: int, n_folds: int) -> list[np.ndarray]:
    """Return one test part for each cell type: all of its rows.

    Parameters
    ----------
    table
        All rows with their keys.
    seed
        Seed of everything random in it.
    n_folds
        Test parts; fewer where there is less to hold out.
    """
    cell_types = np.unique(table.cell_type)
    if len(cell_types) < 2:
        raise InputError(
            f"perturbation table: the only cell type is '{cell_types[0]}', so none can be left out; "
            "choose another protocol"
        )
    return [np.flatnonzero(table.cell_type == cell_type) for cell_type in cell_types]


def kaggle(table: "PerturbationTable", seed: int, n_folds: int) -> list[np.ndarray]:
    """Return one test part for each lineage: the rows of its cell types but those of the anchor compounds.

    In the real task two cell types, B and myeloid cells, were to be predicted at once from 17 compounds of their own
    and all compounds of four other cell types. Cell types of one lineage (see :data:`LINEAGES`) are held out together,
    or the one would give the other away. A lineage that has no compound beside the anchors gives no fold.

    Parameters
    ----------
    table
        All rows with their keys.
    seed
        Seed of everything random in it.
    n_folds
        Test parts; fewer where there is less to hold out.
    """
    anchor = np.isin(table.sm_name, anchor_compounds(table, seed))
    lineage = np.array([lineage_of(name) for name in table.cell_type])
    tested = [np.flatnonzero((lineage == name) & ~anchor) for name in np.unique(lineage)]
    tested = [rows for rows in tested if len(rows)]
    if len(np.unique(lineage)) < 2 or not tested:
        raise InputError(
            "perturbation table: the protocol 'kaggle' needs cell types of two lineages, one of them with more than "
            "the anchor compounds; choose another protocol"
        )
    return tested


def lineage_of(cell_type: str) -> str:
    """Return the lineage of a cell type: the first of :data:`LINEAGES` that its name tells, else its own name.

    Parameters
    ----------
    cell_type
        Its name.
    """
    return next((lineage for lineage, told in LINEAGES.items() if told.search(cell_type)), cell_type)


def anchor_compounds(table: "PerturbationTable", seed: int) -> np.ndarray:
    """Return the 17 compounds (at most half of all) that were measured in most cell types; ties fall by the seed.

    Parameters
    ----------
    table
        All rows with their keys.
    seed
        Seed of everything random in it.
    """
    pairs = np.unique(np.stack([table.sm_name.astype(str), table.cell_type.astype(str)]), axis=1)
    names, n_cell_types = np.unique(pairs[0], return_counts=True)
    shuffled = generator(seed, "anchor compounds").permutation(len(names))
    ordered = shuffled[np.argsort(-n_cell_types[shuffled], kind="stable")]
    return names[ordered[: min(N_ANCHORS, len(names) // 2)]]


def parts_of_test(table: "PerturbationTable", rows: np.ndarray, protocol: str, seed: int) -> np.ndarray:
    """Return the part of the test that each held-out row belongs to, str [n_rows].

    The competition ranked by one part of its test rows while it ran (public) and by the others in the end (private).
    Under ``kaggle`` two fifths of the held-out compounds, drawn by the seed, are public in all cell types, the others
    private; under ``predefined`` the table's own split tells; under other protocols all rows are one part.

    Parameters
    ----------
    table
        All rows with their keys.
    rows
        That are held out, int64 [n_rows].
    protocol
        How they were chosen.
    seed
        The user's seed.
    """
    if protocol == "predefined" and table.split is not None:
        return table.split[rows].astype(str)
    if protocol != "kaggle":
        return np.full(len(rows), TEST)
    held_out = np.setdiff1d(table.sm_name, anchor_compounds(table, seed))
    drawn = generator(seed, "public part").permutation(held_out)[: round(PUBLIC_SHARE * len(held_out))]
    return np.where(np.isin(table.sm_name[rows], drawn), PUBLIC_TEST, PRIVATE_TEST)


def predefined(table: "PerturbationTable", seed: int, n_folds: int) -> list[np.ndarray]:
    """Return the one test part that the table's own column ``split`` names: all rows but those of :data:`LEARNED`.

    Parameters
    ----------
    table
        All rows with their keys.
    seed
        Seed of everything random in it.
    n_folds
        Test parts; fewer where there is less to hold out.
    """
    if table.split is None:
        raise InputError(
            "perturbation table: the protocol 'predefined' needs a column 'split' (train, test, or the parts of Open "
            "Problems); "
            "add it or choose another protocol"
        )
    if (empty := table.split == "").any():
        raise InputError(
            f"perturbation table: the column 'split' is empty in {empty.sum()} rows, such as "
            f"{table.cell_type[empty][0]}, {table.sm_name[empty][0]}; fill it in"
        )
    held_out = np.flatnonzero(~np.isin(np.char.lower(table.split.astype(str)), LEARNED))
    if len(held_out) in (0, len(table.split)):
        raise InputError(
            "perturbation table: the column 'split' names only one part; give rows of 'train' (or control, "
            "public_test) and others"
        )
    return [held_out]


def _group_folds(groups: np.ndarray, seed: int, n_folds: int, kind: str) -> list[np.ndarray]:
    """Return test parts of about equal size that keep each group whole."""
    from sklearn.model_selection import GroupKFold

    n_groups = len(np.unique(groups))
    if n_groups < 2:
        raise InputError(f"perturbation table: there is only one {kind}, so none can be left out; add rows")
    splitter = GroupKFold(min(n_folds, n_groups), shuffle=True, random_state=integer(seed, f"{kind} folds") % 2**31)
    return [test for _, test in splitter.split(np.zeros((len(groups), 1)), groups=groups)]


PROTOCOLS: dict[str, Callable[["PerturbationTable", int, int], list[np.ndarray]]] = {
    function.__name__: function
    for function in (random, leave_compound_out, leave_scaffold_out, leave_cell_type_out, kaggle, predefined)
}
