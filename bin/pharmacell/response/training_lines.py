"""Bulk lines of one drug, laid out for training: rows, noise and validation of each replica."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from pharmacell.core.seeds import generator, integer, seed_sequence
from pharmacell.data.folds import assign_folds, comparison_groups
from pharmacell.data.lines import Lines
from pharmacell.data.shifts import SEVERITIES, line_profiles, shifted_cells
from pharmacell.data.splits import check_held_out, parts_of
from pharmacell.linear.denoised_responses import denoised_response
from pharmacell.response.validation import PlainValidation, ShiftedValidation, shifted_validation
from pharmacell.training.settings import TrainingConfig
from pharmacell.training.training_set import TrainingSet, equal_rows, resampled_rows

FOLDS = 5  # of shifted validation; replica r leaves out fold r modulo 5


@dataclass(frozen=True)
class Source:
    """Bulk lines of one drug, made ready for training; a function of lines, split and seed alone.

    Parameters
    ----------
    x
        Standardised expression of the training and validation lines, float32 [n, n_genes]; the scaling has seen
        no test line.
    profiles
        The same lines, each standardised within itself, for simulated cells.
    labels, response
        Class and response (higher = more sensitive), [n].
    denoised
        The response of the lines that each replica learns from, denoised with the panel's other drugs
        (:mod:`pharmacell.linear.denoised_responses`); as measured for the lines that it does not learn from,
        [n_replicas, n].
    data
        Rows of each replica.
    validation
        Decides when to stop.
    held
        Lines that each replica did not learn from, int64 [n_replicas, n_held].
    """

    x: np.ndarray
    profiles: np.ndarray
    labels: np.ndarray
    response: np.ndarray
    denoised: np.ndarray
    data: TrainingSet
    validation: PlainValidation | ShiftedValidation
    held: np.ndarray


def replica_seeds(seed: int, purpose: str, n_replicas: int) -> list[int]:
    """Return one seed for each replica; a replica's seed does not depend on how many there are."""
    children = seed_sequence(seed, purpose).spawn(n_replicas)
    return [int(child.generate_state(1, np.uint64)[0] >> 1) for child in children]


def prepare_source(
    lines: Lines,
    split: pd.Series,
    scaler,
    training: TrainingConfig,
    n_replicas: int,
    seed: int,
    device: torch.device,
) -> Source:
    """Lay out rows, noise and validation for a stack; test lines are dropped first.

    With plain validation every replica learns from the lines marked ``train`` and stops on those marked
    ``validation``. With shifted validation both are cut into five folds, and replica r learns from all but fold r,
    whose lines, as simulated cells, decide when it stops.

    Parameters
    ----------
    lines, split
        All lines of the drug and the part of each.
    scaler
        Fitted by :func:`train_source`.
    training
        Noise, sampling and validation.
    n_replicas, seed, device
        As in :func:`train_source`.
    """
    parts = parts_of(split, lines.labels.index)
    inside = (parts != "test").to_numpy()
    check_held_out(lines.labels.index[inside], split.index[split == "test"])
    part = parts.to_numpy()[inside]
    x, profiles = scaler.apply(lines.x[inside]), line_profiles(lines.x[inside])
    labels, response = lines.labels.to_numpy()[inside], lines.response.to_numpy()[inside]
    if training.validation == "shifted":
        folds = assign_folds(labels, lines.origin[inside], FOLDS, seed)
        sizes = np.bincount(folds)  # all five count, so that a replica's rows do not depend on how many there are
        learn = [np.flatnonzero(folds != replica % FOLDS)[: len(x) - sizes.max()] for replica in range(n_replicas)]
        held = [np.flatnonzero(folds == replica % FOLDS)[: sizes.min()] for replica in range(n_replicas)]
    else:
        learn = [np.flatnonzero(part == "train")] * n_replicas
        held = [np.flatnonzero(part == "validation")] * n_replicas
    data = training_set(x, profiles, np.tile(labels, (n_replicas, 1)), learn, held, training, seed, device)
    validation_rows = equal_rows(held, "cpu").numpy()
    if training.validation == "shifted":
        groups = comparison_groups(lines.origin[inside])
        validation = shifted_validation(
            profiles, labels, groups, validation_rows, generator(seed, "shifted cells"), device
        )
    else:
        validation = PlainValidation(
            torch.as_tensor(x[held[0]], device=device), torch.as_tensor(labels[held[0]], device=device).long()
        )
    panel = None if lines.panel is None else lines.panel[inside]
    return Source(
        x, profiles, labels, response, denoised_of_replicas(panel, response, learn), data, validation, validation_rows
    )


def denoised_of_replicas(panel: np.ndarray | None, response: np.ndarray, learn: list[np.ndarray]) -> np.ndarray:
    """Denoise the responses of each replica's lines with those lines alone; see :class:`Source`."""
    denoised, made = np.tile(response, (len(learn), 1)), {}
    for replica, rows in enumerate(learn):
        key = rows.tobytes()
        if key not in made:
            made[key] = denoised_response(None if panel is None else panel[rows], response[rows])
        denoised[replica, rows] = made[key]
    return denoised


def training_set(x, profiles, labels, learn, held, training: TrainingConfig, seed: int, device) -> TrainingSet:
    """Resample and thin the rows that each replica learns from; see :class:`TrainingSet`.

    Parameters
    ----------
    x, profiles
        Standardised rows, and the same rows standardised within themselves, [n, n_genes].
    labels
        Class of each row for each replica, [n_replicas, n].
    learn, held
        Rows to learn from, and to stop by, of each replica.
    training, seed, device
        Settings.
    """
    longer, classes, rows = resampled_rows(x, labels, learn, training.sampling, integer(seed, "resampling"))
    thinned = None
    if training.noise == "thinning":
        rng = generator(seed, "thinned cells")
        extra = line_profiles(longer[len(x) :]) if len(longer) > len(x) else longer[len(x) :]
        everything = np.concatenate([profiles, extra])
        thinned = torch.as_tensor(
            np.stack([shifted_cells(everything, 1, severity, rng) for severity in SEVERITIES]), device=device
        )
    return TrainingSet(
        clean=torch.as_tensor(longer, device=device),
        thinned=thinned,
        rows=equal_rows(rows, device),
        plain_rows=equal_rows(learn, device),
        labels=torch.as_tensor(classes, device=device).long(),
        validation=equal_rows(held, device),
    )
