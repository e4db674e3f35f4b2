"""Fit one model on a slice of the plan: build its folds, stack what fits into memory, keep what it predicts."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.memory import fold_limit, peak_bytes
from pharmacell.benchmark.plan import Variant, fits_of
from pharmacell.benchmark.protocols import Protocol
from pharmacell.data.cells import CellMatrix
from pharmacell.data.lines import Lines
from pharmacell.data.splits import split_lines
from pharmacell.data.standardise import Standardiser
from pharmacell.errors import InputError
from pharmacell.models.registry import ComparedModel
from pharmacell.progress import say
from pharmacell.seeds import generator, integer

MOST_CELLS = 10_000  # training cells of one fit; all test cells are predicted
LARGEST_CUT = 0.05  # of the training cells, so that folds of nearly one size become folds of one size


@dataclass(frozen=True)
class Dataset:
    """A sample with its drug's lines, from which folds are built.

    Parameters
    ----------
    name, drug
        Of the sample.
    plan
        Its folds, all repeats.
    cells
        Expression; read once, on the shared genes, float32 [n_cells, n_genes], rows in the order of ``ids``.
    ids, truth
        Name and class of the cells of the plan, [n_cells].
    lines, parts
        Bulk lines without the test lines, and the part of each.
    smiles
        Structure of the drug, where known.
    seed
        The user's seed.
    """

    name: str
    drug: str
    plan: pd.DataFrame
    cells: np.ndarray
    ids: pd.Index
    truth: np.ndarray
    lines: Lines
    parts: pd.Series
    smiles: str | None
    seed: int

    @property
    def protocol(self) -> Protocol:
        """Protocol of the plan."""
        return Protocol.parse(self.plan["protocol"].iloc[0])


def load_dataset(
    name: str, drug: str, cells: CellMatrix, lines: Lines, plan: pd.DataFrame, smiles: str | None, seed: int
) -> Dataset:
    """Read the cells of a plan and leave the test lines out.

    Raises
    ------
    InputError
        If the plan is for other cells.
    """
    ids = pd.Index(plan.loc[plan["repeat"] == 0, "cell_id"]).sort_values()
    positions = cells.obs.index.astype(str).get_indexer(ids)
    if (positions < 0).any() or "truth" not in cells.obs:
        raise InputError(f"{name}: the fold plan names cells that the sample lacks, such as "
                         f"'{ids[int(np.argmin(positions))]}'; give the plan that plan_folds made for it")
    order = np.argsort(positions)
    ids, positions = ids[order], positions[order]
    rows, start, filled = np.empty((len(ids), len(lines.genes)), np.float32), 0, 0
    for block in cells.chunks(lines.genes):
        inside = positions[(positions >= start) & (positions < start + len(block))] - start
        rows[filled : filled + len(inside)] = block[inside]
        filled, start = filled + len(inside), start + len(block)
    split = split_lines(lines.labels, seed)
    learnt = (split != "test").to_numpy()
    inner = replace(lines, x=lines.x[learnt], labels=lines.labels[learnt], response=lines.response[learnt],
                    origin=lines.origin[learnt], panel=None if lines.panel is None else lines.panel[learnt])
    truth = cells.obs["truth"].to_numpy(np.int64)[positions]
    return Dataset(name, drug, plan, rows, ids, truth, inner, split[learnt], smiles, seed)


def build_folds(dataset: Dataset, fits: Sequence[tuple[int, int]]) -> list[Fold]:
    """Build what each fit may see.

    Training cells are standardised with their own mean and deviation, and the test cells with the same. Folds that
    differ by a few cells lose these cells from training, whichever folds are asked for, so that they can be stacked.
    """
    lines = dataset.lines
    bulk = Standardiser.fit([lines.x]).apply(lines.x)
    groups = (lines.origin["database"] + "|" + lines.origin["tissue"]).to_numpy(str)
    shared = {"genes": lines.genes, "bulk": bulk, "bulk_labels": lines.labels.to_numpy(np.int64),
              "bulk_response": lines.response.to_numpy(float), "bulk_groups": groups, "smiles": dataset.smiles,
              "lines": lines, "parts": dataset.parts}
    n_train = training_size(dataset)
    folds = []
    for key in fits:
        train, test = rows_of(dataset, key)
        seed = integer(dataset.seed, f"fit of repeat {key[0]}, fold {key[1]}")
        if len(train) > n_train:
            train = np.sort(generator(seed, "training cells").choice(train, n_train, replace=False))
        scaler = Standardiser.fit([dataset.cells[train]])
        folds.append(Fold(
            key=key, train=scaler.apply(dataset.cells[train]), test=scaler.apply(dataset.cells[test]), seed=seed,
            train_labels=dataset.protocol.visible(dataset.truth[train], seed), **shared,
        ))
    return folds


def rows_of(dataset: Dataset, key: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training and of the test cells of one fit, sorted."""
    mine = dataset.plan[(dataset.plan["repeat"] == key[0]) & (dataset.plan["fold"] == key[1])]
    tested = dataset.ids.isin(mine["cell_id"])
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def training_size(dataset: Dataset) -> int:
    """Return how many training cells a fit takes at most; a function of the whole plan."""
    sizes = len(dataset.ids) - dataset.plan.groupby(["repeat", "fold"]).size().to_numpy()
    alike = sizes.min() >= (1 - LARGEST_CUT) * sizes.max()
    return min(MOST_CELLS, int(sizes.min() if alike else sizes.max()))


def cross_validate(
    dataset: Dataset, variant: Variant, model: ComparedModel, first: int, last: int, most_bytes: int,
    device: torch.device,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit a model on a slice of the plan.

    Parameters
    ----------
    dataset
        Cells, lines and plan.
    variant, model
        What is fitted.
    first, last
        Positions in :func:`pharmacell.benchmark.plan.fits_of`; ``last`` is not fitted.
    most_bytes
        Memory that a stack may take; a slice that would take more is cut.
    device
        Where to train.

    Returns
    -------
    predictions, fits
        As described in ``docs/benchmarks.md``.

    Raises
    ------
    InputError
        If not even one fold fits into the memory, or the slice lies outside the plan.
    """
    fits = fits_of(dataset.plan)
    if not 0 <= first < last <= len(fits):
        raise InputError(f"--slice {first}:{last}: the plan has fits 0 to {len(fits) - 1}; give FIRST:LAST within it")
    n_test = int(dataset.plan.groupby(["repeat", "fold"]).size().max())
    together = fold_limit(model, dataset.lines.x.shape, training_size(dataset), n_test, most_bytes)
    name = {"dataset": dataset.name, "drug": dataset.drug, "model": variant.model, "heads": variant.heads,
            "sampling": variant.sampling, "protocol": str(dataset.protocol)}
    predictions, table = [], []
    for start in range(first, last, together):
        folds = build_folds(dataset, fits[start : min(start + together, last)])
        say(f"{variant.model}: fits {start} to {start + len(folds) - 1} of {len(fits)}")
        begin = time.perf_counter()
        found = model.fit_predict(folds, device)
        seconds = (time.perf_counter() - begin) / len(folds)
        peak = peak_bytes(device)
        for fold, probability in zip(folds, found, strict=True):
            place = name | {"repeat": fold.key[0], "fold": fold.key[1]}
            test = rows_of(dataset, fold.key)[1]
            check_probability(probability, len(test), place)
            predictions.append(pd.DataFrame(place | {
                "cell_id": dataset.ids[test], "probability": probability.astype(np.float32),
                "truth": dataset.truth[test].astype(np.int8)}))
            table.append(place | {"seconds": seconds, "peak_bytes": peak, "n_train": len(fold.train),
                                  "n_test": len(test), "stacked": len(folds)})
    heads = {"heads": "Int64"}
    return pd.concat(predictions, ignore_index=True).astype(heads), pd.DataFrame(table).astype(heads)


def check_probability(probability: np.ndarray, n_test: int, place: dict) -> None:
    """Refuse what is no probability for each test cell: better a missing fit, with its name, than a wrong score.

    Raises
    ------
    ValueError
        If it is not.
    """
    if probability.shape != (n_test,) or not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(f"{place['model']} gave no probability for each of the {n_test} test cells of fold "
                         f"{place['fold']} of repeat {place['repeat']}")


def read_smiles(path: Path | None, drug: str) -> str | None:
    """Return the structure of a drug from a table with columns drug and smiles, or None."""
    if path is None:
        return None
    from pharmacell.data.names import drug_key

    table = pd.read_csv(path)
    found = table.loc[table["drug"].map(drug_key) == drug_key(drug), "smiles"]
    return None if found.empty else str(found.iloc[0])
