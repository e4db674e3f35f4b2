"""Fit one model on a slice of the plan: stack what fits into memory, keep what it predicts."""

import time

import numpy as np
import pandas as pd
import torch

from pharmacell.benchmark.base import ComparedModel
from pharmacell.benchmark.build_folds import build_folds
from pharmacell.benchmark.columns import FITS, PREDICTIONS, WHOLE_OR_MISSING
from pharmacell.benchmark.dataset import Dataset, rows_of, training_size
from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.memory import fold_limit, peak_bytes
from pharmacell.benchmark.plan import Variant, fits_of
from pharmacell.benchmark.registry import CELLS, LABELS, REGISTRY
from pharmacell.core.errors import InputError
from pharmacell.core.progress import say


def cross_validate(
    dataset: Dataset,
    variant: Variant,
    model: ComparedModel,
    first: int,
    last: int,
    most_bytes: int,
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
    n_stacked = fold_limit(model, dataset.lines.x.shape, training_size(dataset), n_test, most_bytes)
    if dataset.protocol.of_lines:
        n_stacked = 1  # a stack shares its lines, and here each fold has others
    setting = {
        "dataset": dataset.name,
        "drug": dataset.drug,
        "model": variant.model,
        "heads": variant.heads,
        "sampling": variant.sampling,
        "protocol": str(dataset.protocol),
    }
    predictions, costs = [], []
    for start in range(first, last, n_stacked):
        folds = build_folds(dataset, fits[start : min(start + n_stacked, last)])
        say(f"{variant.model}: fits {start} to {start + len(folds) - 1} of {len(fits)}")
        begin = time.perf_counter()
        found = model.fit_predict(folds, device)
        cost = {
            "seconds": (time.perf_counter() - begin) / len(folds),
            "peak_bytes": peak_bytes(device),
            "stacked": len(folds),
        }
        for fold, probability in zip(folds, found, strict=True):
            fit = setting | {"repeat": fold.key[0], "fold": fold.key[1]}
            test = rows_of(dataset, fold.key)[1]
            check_probability(probability, len(test), fit)
            scored = {
                "cell_id": dataset.ids[test],
                "probability": probability.astype(np.float32),
                "truth": dataset.truth[test].astype(np.int8),
            }
            predictions.append(pd.DataFrame(fit | scored)[PREDICTIONS])
            costs.append(fit | cost | {"n_train": cells_learnt_from(fold, variant.model), "n_test": len(test)})
    return (
        pd.concat(predictions, ignore_index=True).astype(WHOLE_OR_MISSING),
        pd.DataFrame(costs)[FITS].astype(WHOLE_OR_MISSING),
    )


def cells_learnt_from(fold: Fold, model: str) -> int:
    """Return how many cells a fit learnt from: those with a label where the model reads no others.

    Parameters
    ----------
    fold
        What the fit may see.
    model
        Its name.
    """
    labelled = int((fold.train_labels >= 0).sum())
    reads_labels_alone = LABELS in (learns := REGISTRY[model].learns_from) and CELLS not in learns
    return labelled if labelled and reads_labels_alone else len(fold.train)


def check_probability(probability: np.ndarray, n_test: int, fit: dict) -> None:
    """Refuse what is no probability for each test cell: better a missing fit, with its name, than a wrong score.

    Parameters
    ----------
    probability
        What the model returned, [n_test] if it is right.
    n_test
        Test cells of the fold.
    fit
        Which fit this is, by the columns of ``FIT``.

    Raises
    ------
    ValueError
        If it is not.
    """
    if probability.shape != (n_test,) or not ((probability >= 0) & (probability <= 1)).all():
        raise ValueError(
            f"{fit['model']} gave no probability for each of the {n_test} test cells of fold "
            f"{fit['fold']} of repeat {fit['repeat']}"
        )
