"""The rows that each replica of a stack learns from."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding

from pharmacell.nn.random import ReplicaRandom
from pharmacell.training.noise import corrupt_
from pharmacell.training.sampling import resample


@dataclass(frozen=True)
class TrainingSet:
    """Rows, their classes, and which of them a replica may see.

    Parameters
    ----------
    clean
        Standardised expression, float32 [n, n_genes].
    thinned
        Simulated cells of the same rows at several severities, then the rows themselves, float32
        [n_severities + 1, n, n_genes]; None without count thinning.
    rows
        Rows of each replica's classes after resampling, int64 [n_replicas, n_rows].
    plain_rows
        The same without resampling, for the autoencoder.
    labels
        Class of each row for each replica, int64 [n_replicas, n].
    validation
        Rows that decide when a replica's autoencoder stops, int64 [n_replicas, n_validation].
    """

    clean: Tensor
    thinned: Tensor | None
    rows: Tensor
    plain_rows: Tensor
    labels: Tensor
    validation: Tensor

    def of_replicas(self, replicas: Tensor | None) -> "TrainingSet":
        """Return the same rows for some replicas; None: for all.

        Parameters
        ----------
        replicas
            int64 [n]; None: all.
        """
        if replicas is None:
            return self
        return replace(
            self,
            rows=self.rows[replicas],
            plain_rows=self.plain_rows[replicas],
            labels=self.labels[replicas],
            validation=self.validation[replicas],
        )

    def epoch(self, rows: Tensor, random: ReplicaRandom, size: int) -> list[Tensor]:
        """Return the batches of one epoch: rows in each replica's own random order, [n_replicas, <= size] each.

        Parameters
        ----------
        rows
            Rows of each replica, int64 [n_replicas, n].
        random
            The replicas' streams.
        size
            Rows of a batch.
        """
        return batches(rows.gather(1, random.permutations(rows.shape[1])), size)

    def noisy(self, rows: Tensor, kind: str, rate: float, random: ReplicaRandom) -> Tensor:
        """Return noisy copies [n_replicas, b, n_genes] of the rows [n_replicas, b].

        ``thinning`` takes, for each row, one of its simulated cells or the row itself, and masks a share ``rate`` of
        it; the other kinds are those of :func:`pharmacell.training.noise.corrupt`.

        Parameters
        ----------
        rows
            int64 [n_replicas, b].
        kind
            Of the noise.
        rate
            Share that is masked, or standard deviation.
        random
            The replicas' streams.
        """
        if kind != "thinning" or self.thinned is None:
            return corrupt_(gathered(self.clean, rows), "binomial" if kind == "thinning" else kind, rate, random)
        kinds, n_rows, _ = self.thinned.shape
        pick = random.choices(kinds, rows.shape[1])  # [R, b]
        return corrupt_(gathered(self.thinned.flatten(0, 1), pick * n_rows + rows), "dropout", rate, random)


def gathered(x: Tensor, rows: Tensor) -> Tensor:
    """Return a copy of some rows for each replica, [n_replicas, b, n_genes]; several times as fast as ``x[rows]``.

    Parameters
    ----------
    x
        [n, n_genes].
    rows
        int64 [n_replicas, b].
    """
    return embedding(rows, x)


def batches(rows: Tensor, size: int) -> list[Tensor]:
    """Cut rows in random order into batches, [n_replicas, <= size] each.

    A last batch of less than half the size is left out unless it is the only one; each epoch leaves other rows out.
    The loss of a few rows is mostly noise, and the (biased) discrepancy of four rows is far above that of 200.

    Parameters
    ----------
    rows
        In random order, int64 [n_replicas, n].
    size
        Rows of a batch.
    """
    *whole, last = rows.split(size, dim=1)
    return whole if whole and 2 * last.shape[1] < size else [*whole, last]


def equal_rows(lists: list[np.ndarray], device: torch.device | str) -> Tensor:
    """Stack row lists, cut to the shortest (folds differ by a line or two), int64 [n_replicas, n].

    Parameters
    ----------
    lists
        Rows of each replica.
    device
        Where the rows go.
    """
    shortest = min(len(rows) for rows in lists)
    return torch.as_tensor(np.stack([rows[:shortest] for rows in lists]), device=device)


def resampled_rows(
    x: np.ndarray, labels: np.ndarray, lists: list[np.ndarray], kind: str, seed: int
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Resample each replica's training rows; what the sampler makes is appended to the matrix.

    Parameters
    ----------
    x
        All rows, [n, n_genes].
    labels
        Classes for each replica, [n_replicas, n].
    lists
        Training rows of each replica.
    kind, seed
        See :func:`pharmacell.training.sampling.resample`.

    Returns
    -------
    x, labels, lists
        The longer matrix, its classes [n_replicas, n_longer] and the rows to train on.
    """
    if kind == "none":
        return x, labels, lists
    blocks, classes, found, made = [x], [labels], [], {}
    length = len(x)
    for replica, rows in enumerate(lists):
        key = (rows.tobytes(), labels[replica, rows].tobytes())
        if key not in made:  # replicas that share rows and labels share the resampled rows
            block, block_labels = resample(x[rows], labels[replica, rows], kind, seed)
            made[key] = np.arange(length, length + len(block))
            blocks.append(block)
            classes.append(np.broadcast_to(block_labels, (len(labels), len(block))))
            length += len(block)
        found.append(made[key])
    return np.concatenate(blocks), np.concatenate(classes, 1), found
