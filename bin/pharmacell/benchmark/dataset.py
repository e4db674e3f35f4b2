"""What the fits of one sample have in common: its plan, its cells, its drug's lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.benchmark.protocols import Protocol
from pharmacell.core.errors import InputError
from pharmacell.data.cells import CHUNK_CELLS, CellMatrix
from pharmacell.data.columns import OBS_TRUTH
from pharmacell.data.input_file import check_file, reason
from pharmacell.data.lines import Lines
from pharmacell.data.matrices import Rows
from pharmacell.data.splits import check_held_out, split_lines
from pharmacell.data.standardise import Standardiser

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MOST_CELLS = 10_000  # training cells of one fit; all test cells are predicted
LARGEST_CUT = 0.05  # of the training cells, so that folds of nearly one size become folds of one size


@dataclass(frozen=True)
class Dataset:
    """A sample, or the bulk lines themselves, with the drug's lines, from which folds are built.

    Attributes
    ----------
    name, drug
        Of the sample.
    plan
        Its folds, all repeats.
    cells
        Expression, read once, on the shared genes, float32 [n_cells, n_genes], rows in the order of ``ids``; sparse,
        dense only as far as a fold needs them. Where the protocol tests bulk lines, theirs, dense as in ``lines``.
    ids, truth
        Name and class of the cells, or lines, of the plan, [n_cells].
    lines
        Bulk lines: without the test lines, or all of them where the folds are of lines.
    split
        Part of each line, ``train`` or ``validation``; None where the folds are of lines, each of which splits its own.
    smiles
        Structure of the drug, where known.
    seed
        The user's seed.
    """

    name: str
    drug: str
    plan: pd.DataFrame
    cells: "csr_matrix | np.ndarray"
    ids: pd.Index
    truth: np.ndarray
    lines: Lines
    split: pd.Series | None
    smiles: str | None
    seed: int

    @property
    def protocol(self) -> Protocol:
        """Protocol of the plan."""
        return Protocol.parse(self.plan["protocol"].iloc[0])

    def blocks(self, rows: np.ndarray) -> Iterator[Rows]:
        """Yield the expression of chosen rows of ``cells`` in blocks of a few thousand, as they are held, [n, n_genes].

        Parameters
        ----------
        rows
            Positions in ``ids``.
        """
        for start in range(0, len(rows), CHUNK_CELLS):
            yield self.cells[rows[start : start + CHUNK_CELLS]]

    def standardised(self, rows: np.ndarray, scaler: Standardiser) -> np.ndarray:
        """Return the standardised expression of chosen rows of ``cells``, float32 [len(rows), n_genes].

        Parameters
        ----------
        rows
            Positions in ``ids``.
        scaler
            Fitted to the cells that a fit learns from.
        """
        found, filled = np.empty((len(rows), self.cells.shape[1]), np.float32), 0
        for block in self.blocks(rows):
            found[filled : filled + block.shape[0]] = scaler.apply(block)
            filled += block.shape[0]
        return found


def load_dataset(
    name: str, drug: str, cells: CellMatrix, lines: Lines, plan: pd.DataFrame, smiles: str | None, seed: int
) -> Dataset:
    """Read the cells of a plan and leave the test lines out; for folds of lines, take these as the cells.

    Parameters
    ----------
    name, drug
        Of the sample.
    cells
        The sample; read in chunks.
    lines
        All lines of the drug.
    plan
        From :func:`pharmacell.benchmark.plan.load_plan`.
    smiles
        Structure of the drug, where known.
    seed
        The user's seed.

    Raises
    ------
    InputError
        If the plan is for other cells or lines.
    """
    from scipy.sparse import csr_matrix, vstack

    if Protocol.parse(plan["protocol"].iloc[0]).of_lines:
        return dataset_of_lines(name, drug, lines, plan, smiles, seed)
    ids = pd.Index(plan.loc[plan["repeat"] == 0, "cell_id"]).sort_values()
    positions = cells.obs.index.astype(str).get_indexer(ids)
    if (positions < 0).any() or OBS_TRUTH not in cells.obs:
        raise InputError(
            f"{name}: the fold plan names cells that the sample lacks, such as "
            f"'{ids[int(np.argmin(positions))]}'; give the plan that plan_folds made for it"
        )
    order = np.argsort(positions)
    ids, positions = ids[order], positions[order]
    blocks, start = [], 0
    for block in cells.blocks(lines.genes):
        inside = positions[(positions >= start) & (positions < start + block.shape[0])] - start
        blocks.append(csr_matrix(block[inside]))
        start += block.shape[0]
    split = split_lines(lines.labels, seed)
    learnt = (split != "test").to_numpy()
    check_held_out(lines.labels.index[learnt], split.index[split == "test"])
    truth = cells.obs[OBS_TRUTH].to_numpy(np.int64)[positions]
    return Dataset(
        name=name,
        drug=drug,
        plan=plan,
        cells=vstack(blocks, format="csr"),
        ids=ids,
        truth=truth,
        lines=lines.take(learnt),
        split=split[learnt],
        smiles=smiles,
        seed=seed,
    )


def dataset_of_lines(name: str, drug: str, lines: Lines, plan: pd.DataFrame, smiles: str | None, seed: int) -> Dataset:
    """Take bulk lines as what is predicted.

    Parameters
    ----------
    name, drug, lines, plan, smiles, seed
        See :func:`load_dataset`.

    Raises
    ------
    InputError
        If the plan is for other lines.
    """
    if missing := set(plan["cell_id"]) ^ set(lines.labels.index):
        raise InputError(
            f"{name}: the fold plan is for other lines than those of {drug}, such as '{min(missing)}'; "
            "give the plan that plan_folds made for it"
        )
    return Dataset(
        name=name,
        drug=drug,
        plan=plan,
        cells=lines.x,
        ids=lines.labels.index,
        truth=lines.labels.to_numpy(np.int64),
        lines=lines,
        split=None,
        smiles=smiles,
        seed=seed,
    )


def rows_of(dataset: Dataset, key: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training and of the test cells of one fit, sorted.

    Parameters
    ----------
    dataset
        With the plan.
    key
        Repeat and fold.
    """
    mine = dataset.plan[(dataset.plan["repeat"] == key[0]) & (dataset.plan["fold"] == key[1])]
    tested = dataset.ids.isin(mine["cell_id"])
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def training_size(dataset: Dataset) -> int:
    """Return how many training cells a fit takes at most; a function of the whole plan.

    Parameters
    ----------
    dataset
        With the plan.
    """
    sizes = len(dataset.ids) - dataset.plan.groupby(["repeat", "fold"]).size().to_numpy()
    alike = sizes.min() >= (1 - LARGEST_CUT) * sizes.max()
    return min(MOST_CELLS, int(sizes.min() if alike else sizes.max()))


def read_smiles(path: Path | None, drug: str) -> str | None:
    """Read the structure of a drug.

    Parameters
    ----------
    path
        Table (csv) with columns ``drug`` and ``smiles``; None where there is none.
    drug
        By any of its names.

    Returns
    -------
    str
        Canonical SMILES; None where the table does not have the drug.

    Raises
    ------
    InputError
        If the file is no such table, or the drug has no structure that rdkit can parse, or several.
    """
    if path is None:
        return None
    from pharmacell.data.drugs import find_drugs
    from pharmacell.data.molecules import canonical_smiles

    check_file(path, [".csv"])
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)[["drug", "smiles"]]
    except (ValueError, KeyError) as error:
        raise InputError(f"{path}: not a table with columns drug, smiles ({reason(error)})") from error
    found = table[table["drug"].isin(find_drugs(drug, table["drug"].unique().tolist()))]
    spelled = [canonical_smiles(one) for one in found["smiles"]]
    if None in spelled:
        wrong = found["smiles"].iloc[spelled.index(None)]
        raise InputError(f"{path}: {drug}: '{wrong}' is not the SMILES of a molecule, and nothing else; correct it")
    if len(set(spelled)) > 1:
        raise InputError(f"{path}: {drug} has {len(set(spelled))} different structures; keep one")
    return spelled[0] if spelled else None
