"""Builds folds: what each fit of a benchmark may see, and nothing else."""

from collections.abc import Sequence

import numpy as np

from pharmacell.benchmark.dataset import Dataset, rows_of, training_size
from pharmacell.benchmark.fold import Fold
from pharmacell.core.seeds import generator, integer
from pharmacell.data.lines import Lines
from pharmacell.data.splits import check_held_out, split_lines
from pharmacell.data.standardise import Standardiser


def build_folds(dataset: Dataset, fits: Sequence[tuple[int, int]]) -> list[Fold]:
    """Build what each fit (repeat, fold) may see, by the protocol of the plan.

    Parameters
    ----------
    dataset
        Cells, lines and plan.
    fits
        Repeat and fold of each.
    """
    if dataset.protocol.of_lines:
        return [fold_of_lines(dataset, key) for key in fits]
    return folds_of_cells(dataset, fits)


def folds_of_cells(dataset: Dataset, fits: Sequence[tuple[int, int]]) -> list[Fold]:
    """Build what each fit may see, where folds are of cells.

    Training cells are standardised with their own mean and deviation, and the test cells with the same. Folds that
    differ by a few cells lose these cells from training, whichever folds are asked for, so that they can be stacked.

    Parameters
    ----------
    dataset, fits
        See :func:`build_folds`.
    """
    lines = dataset.lines
    bulk = Standardiser.fit([lines.x]).apply(lines.x)
    shared = line_fields(lines) | {"bulk": bulk, "smiles": dataset.smiles, "split": dataset.split}
    n_train = training_size(dataset)
    folds = []
    for key in fits:
        train, test = rows_of(dataset, key)
        seed = fit_seed(dataset, key)
        if len(train) > n_train:
            train = np.sort(generator(seed, "training cells").choice(train, n_train, replace=False))
        scaler = Standardiser.fit(dataset.blocks(train))
        folds.append(
            Fold(
                key=key,
                train=dataset.standardised(train, scaler),
                test=dataset.standardised(test, scaler),
                seed=seed,
                train_labels=dataset.protocol.visible(dataset.truth[train], seed),
                **shared,
            )
        )
    return folds


def fold_of_lines(dataset: Dataset, key: tuple[int, int]) -> Fold:
    """Build a fold that leaves bulk lines out.

    All that a model is given, its unlabelled cells included, are the other lines, standardised with their own mean and
    deviation: nothing is adapted to the lines that are left out, and no cell of the sample is used.

    Parameters
    ----------
    dataset
        Lines and plan.
    key
        Repeat and fold.
    """
    learn, test = rows_of(dataset, key)
    lines = dataset.lines.take(learn)
    check_held_out(lines.labels.index, dataset.ids[test])
    scaler = Standardiser.fit([lines.x])
    seed = fit_seed(dataset, key)
    split = split_lines(lines.labels, seed).replace("test", "train")  # the fold's own lines are the test
    rows = scaler.apply(lines.x)
    return Fold(
        key=key,
        bulk=rows,
        train=rows,
        train_labels=np.full(len(learn), -1, np.int64),
        test=dataset.standardised(test, scaler),
        smiles=dataset.smiles,
        seed=seed,
        split=split,
        **line_fields(lines),
    )


def fit_seed(dataset: Dataset, key: tuple[int, int]) -> int:
    """Return the seed of a fit.

    Parameters
    ----------
    dataset
        With the user's seed.
    key
        Repeat and fold.
    """
    return integer(dataset.seed, f"fit of repeat {key[0]}, fold {key[1]}")


def line_fields(lines: Lines) -> dict:
    """Return the fields of a fold that are the lines' own.

    Parameters
    ----------
    lines
        That the fold may learn from.
    """
    groups = (lines.origin["database"] + "|" + lines.origin["tissue"]).to_numpy(str)
    return {
        "genes": lines.genes,
        "bulk_labels": lines.labels.to_numpy(np.int64),
        "bulk_response": lines.response.to_numpy(float),
        "bulk_groups": groups,
        "lines": lines,
    }
