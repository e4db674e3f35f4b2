"""Bulk lines of one drug, laid out for training: rows, noise and validation of each replica."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from pharmacell.core.seeds import generator, integer, seed_sequence
from pharmacell.data.bulk import require_levels
from pharmacell.data.folds import assign_folds, comparison_groups
from pharmacell.data.lines import Lines
from pharmacell.data.shifts import SEVERITIES, line_profiles, shifted_cells
from pharmacell.data.splits import check_held_out, parts_of
from pharmacell.data.standardise import Standardiser
from pharmacell.linear.denoised_responses import denoised_response
from pharmacell.response.validation import PlainValidation, ShiftedValidation, shifted_validation
from pharmacell.training.settings import TrainingConfig
from pharmacell.training.training_set import TrainingSet, equal_rows, resampled_rows

FOLDS = 5  # of shifted validation; replica r leaves out fold r modulo 5


@dataclass(frozen=True)
class SplitLines:
    """Bulk lines of one drug and the part that each stands in.

    Attributes
    ----------
    lines
        The lines.
    split
        ``train``, ``validation`` or ``test``, indexed by line.
    """

    lines: Lines
    split: pd.Series

    def in_part(self, part: str) -> np.ndarray:
        """Return which lines stand in a part, bool [n_lines].

        Parameters
        ----------
        part
            ``train``, ``validation`` or ``test``.
        """
        return (parts_of(self.split, self.lines.labels.index) == part).to_numpy()

    def learnt_from(self) -> Lines:
        """Return the lines that are not in the test part."""
        return self.lines.take(~self.in_part("test"))


@dataclass(frozen=True)
class ReplicaRows:
    """Which rows each replica learns from, and which it does not see.

    Attributes
    ----------
    training, held_out
        Positions of the rows, one array for each replica.
    unseen
        All rows of the fold that it leaves out, of which ``held_out`` may be a part.
    """

    training: list[np.ndarray]
    held_out: list[np.ndarray]
    unseen: list[np.ndarray]


@dataclass(frozen=True)
class TrainingLines:
    """Bulk lines of one drug, made ready for training; a function of lines, split and seed alone.

    Attributes
    ----------
    x
        Standardised expression of the training and validation lines, float32 [n, n_genes]; the scaling has seen
        no test line.
    labels, response
        Class and response (higher = more sensitive), [n].
    denoised_response
        The response of the lines outside a replica's fold, denoised with the panel's other drugs
        (:mod:`pharmacell.linear.denoised_responses`); as measured for the lines of the fold, [n_replicas, n].
    training_set
        Rows of each replica.
    validation
        Decides when to stop.
    held_out
        Lines that each replica did not learn from, int64 [n_replicas, n_held_out].
    strata
        Lines of one stratum may exchange their responses in a permutation test: they stand in one fold, database and
        tissue, int64 [n].
    """

    x: np.ndarray
    labels: np.ndarray
    response: np.ndarray
    denoised_response: np.ndarray
    training_set: TrainingSet
    validation: PlainValidation | ShiftedValidation
    held_out: np.ndarray
    strata: np.ndarray

    @property
    def shifted_validation(self) -> ShiftedValidation:
        """The validation of a run with shifted validation.

        Raises
        ------
        TypeError
            If the run has plain validation.
        """
        if not isinstance(self.validation, ShiftedValidation):
            raise TypeError("linear members and their checks need shifted validation")
        return self.validation

    def training_rows(self, replica: int) -> np.ndarray:
        """Return the lines that a replica learns from, before resampling, int64 [n_rows].

        Parameters
        ----------
        replica
            Its number.
        """
        return self.training_set.plain_rows[replica].cpu().numpy()


def replica_seeds(seed: int, purpose: str, n_replicas: int) -> list[int]:
    """Return one seed for each replica; a replica's seed does not depend on how many there are.

    Parameters
    ----------
    seed
        The user's seed.
    purpose
        What the seeds are for; another purpose gives other seeds.
    n_replicas
        How many.
    """
    children = seed_sequence(seed, purpose).spawn(n_replicas)
    return [int(child.generate_state(1, np.uint64)[0] >> 1) for child in children]


def prepare_training_lines(
    bulk: SplitLines,
    scaler: Standardiser,
    training: TrainingConfig,
    n_replicas: int,
    seed: int,
    device: torch.device,
) -> TrainingLines:
    """Lay out rows, noise and validation for a stack; test lines are dropped first.

    With plain validation every replica learns from the lines marked ``train`` and stops on those marked ``validation``,
    from which it learns as well without ``inner_validation``. With shifted validation both are cut into five folds, and
    replica r learns from all but fold r, whose lines, as simulated cells, decide when it stops.

    Parameters
    ----------
    bulk
        All lines of the drug and the part of each.
    scaler
        Fitted to lines that are not test lines.
    training
        Noise, sampling and validation.
    n_replicas
        Replicas of the stack.
    seed
        The user's seed.
    device
        Where to train.
    """
    used = ~bulk.in_part("test")
    check_held_out(bulk.lines.labels.index[used], bulk.split.index[bulk.split == "test"])
    if training.validation == "shifted" or training.noise == "thinning":
        require_levels(bulk.lines.scale)
    lines = bulk.lines.take(used)
    x, profiles = scaler.apply(lines.x), line_profiles(lines.x)
    labels, response = lines.labels.to_numpy(), lines.response.to_numpy()
    shifted = training.validation == "shifted"
    folds = np.zeros(len(labels), np.int64)
    if shifted:
        folds = assign_folds(labels, lines.origin, FOLDS, seed)
        rows = rows_of_folds(folds, n_replicas, generator(seed, "rows of folds"))
    else:
        held_out = bulk.in_part("validation")[used]
        learnt = np.flatnonzero(~held_out) if training.inner_validation else np.arange(len(labels))
        unseen = np.setdiff1d(np.arange(len(labels)), learnt)
        rows = ReplicaRows(*([part] * n_replicas for part in (learnt, np.flatnonzero(held_out), unseen)))
    training_set = build_training_set(x, profiles, np.tile(labels, (n_replicas, 1)), rows, training, seed, device)
    held_out = equal_rows(rows.held_out, "cpu").numpy()
    validation: PlainValidation | ShiftedValidation
    if shifted:
        validation = shifted_validation(
            profiles, labels, comparison_groups(lines.origin), held_out, generator(seed, "shifted cells"), device
        )
    else:
        held_x, held_labels = x[rows.held_out[0]], labels[rows.held_out[0]]
        validation = PlainValidation(
            torch.as_tensor(held_x, device=device), torch.as_tensor(held_labels, device=device).long()
        )
    return TrainingLines(
        x=x,
        labels=labels,
        response=response,
        denoised_response=denoised_of_replicas(lines.panel, response, rows.unseen),
        training_set=training_set,
        validation=validation,
        held_out=held_out,
        strata=np.unique(np.stack([folds, comparison_groups(lines.origin)]), axis=1, return_inverse=True)[1].ravel(),
    )


def rows_of_folds(folds: np.ndarray, n_replicas: int, rng: np.random.Generator) -> ReplicaRows:
    """Let replica r learn from all folds but r modulo 5; rows are drawn so that all replicas have equally many.

    Folds that keep tissues together are of unequal size.

    Parameters
    ----------
    folds
        Fold of each line, 0 to 4, [n].
    n_replicas
        Replicas of the stack.
    rng
        Draws the rows.
    """
    sizes = np.bincount(folds)  # all five count, so that a replica's rows do not depend on how many there are

    def draw(rows: np.ndarray, wanted: int) -> np.ndarray:
        return np.sort(rng.permutation(rows)[:wanted])

    of_fold = [
        (
            draw(np.flatnonzero(folds != fold), len(folds) - sizes.max()),
            draw(np.flatnonzero(folds == fold), sizes.min()),
        )
        for fold in range(FOLDS)
    ]
    left_out = [replica % FOLDS for replica in range(n_replicas)]
    return ReplicaRows(
        training=[of_fold[fold][0] for fold in left_out],
        held_out=[of_fold[fold][1] for fold in left_out],
        unseen=[np.flatnonzero(folds == fold) for fold in left_out],
    )


def denoised_of_replicas(panel: np.ndarray | None, response: np.ndarray, unseen: list[np.ndarray]) -> np.ndarray:
    """Denoise the responses of the lines outside a replica's fold with those lines alone; see :class:`TrainingLines`.

    Parameters
    ----------
    panel
        Responses to all drugs, [n, n_drugs]; None without other drugs.
    response
        Responses to the drug, [n].
    unseen
        Lines that each replica does not see.
    """
    denoised, known = np.tile(response, (len(unseen), 1)), {}
    for replica, left_out in enumerate(unseen):
        rows = np.setdiff1d(np.arange(len(response)), left_out)
        key = rows.tobytes()
        if key not in known:
            known[key] = denoised_response(None if panel is None else panel[rows], response[rows])
        denoised[replica, rows] = known[key]
    return denoised


def build_training_set(
    x: np.ndarray,
    profiles: np.ndarray,
    labels: np.ndarray,
    rows: ReplicaRows,
    training: TrainingConfig,
    seed: int,
    device: torch.device,
) -> TrainingSet:
    """Resample and thin the rows that each replica learns from; see :class:`TrainingSet`.

    Parameters
    ----------
    x, profiles
        Standardised rows, and the same rows standardised within themselves, [n, n_genes].
    labels
        Class of each row for each replica, [n_replicas, n].
    rows
        Which of them each replica learns from and stops by.
    training
        Noise and sampling.
    seed
        The user's seed.
    device
        Where to train.
    """
    sampling = training.sampling if training.resample == "lines" else "none"
    longer, classes, resampled = resampled_rows(x, labels, rows.training, sampling, integer(seed, "resampling"))
    thinned = None
    if training.noise == "thinning":
        rng = generator(seed, "thinned cells")
        added = longer[len(x) :]
        everything = np.concatenate([profiles, line_profiles(added) if len(added) else added])
        kinds = [*(shifted_cells(everything, 1, severity, rng) for severity in SEVERITIES), longer]
        thinned = torch.as_tensor(np.stack(kinds), device=device)
    return TrainingSet(
        clean=torch.as_tensor(longer, device=device) if thinned is None else thinned[-1],
        thinned=thinned,
        rows=equal_rows(resampled, device),
        plain_rows=equal_rows(rows.training, device),
        labels=torch.as_tensor(classes, device=device).long(),
        validation=equal_rows(rows.held_out, device),
    )
