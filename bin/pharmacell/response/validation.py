"""What decides when to stop, and how strongly to regularise: plain or shifted validation."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pharmacell.data.shifts import SEVERITIES, shifted_cells
from pharmacell.evaluate.within_groups import auroc_within
from pharmacell.response.network import ATSDP
from pharmacell.training.losses import class_cross_entropy

CELLS_PER_LINE = 4  # of each severity; what a few like cells say together is what a prediction rests on


@dataclass(frozen=True)
class PlainValidation:
    """Cross-entropy on validation lines as they are.

    Parameters
    ----------
    x
        float32 [n, n_genes].
    labels
        int64 [n].
    """

    x: Tensor
    labels: Tensor

    def of_replicas(self, _replicas: Tensor | None) -> "PlainValidation":
        """Return what some replicas stop by: the lines are the same for all.

        Parameters
        ----------
        _replicas
            Not used.
        """
        return self

    def terms(self, model: ATSDP, _domain: str) -> dict[str, Tensor]:
        """Return ``class`` and ``total`` of each replica; the lines pass through the source encoder.

        Parameters
        ----------
        model
            The stack.
        _domain
            Not used: lines pass through the source encoder.
        """
        loss = class_cross_entropy(model.logits(self.x, "source"), self.labels.expand(model.n_replicas, -1))
        return {"class": loss, "total": loss}


@dataclass(frozen=True)
class ShiftedValidation:
    """How well lines that a replica never saw are told apart once they are simulated cells.

    The score of a replica is the mean over severities of the AUROC within groups (database and tissue), so that
    telling tissues from each other earns nothing. The cells of a line of one severity are averaged first, as a
    prediction averages over cells that are alike (:mod:`pharmacell.response.neighbours`).

    Parameters
    ----------
    x
        Simulated cells, severity by severity and line by line, float32 [n_replicas, n_severities * n * 4, n_genes].
    labels
        Classes of their lines, [n_replicas, n_severities * n].
    groups
        Group of their lines, [n_replicas, n_severities * n].
    pooled
        The mean cell of each line and severity, float32 [n_replicas, n_severities * n, n_genes].
    """

    x: Tensor
    labels: np.ndarray
    groups: np.ndarray
    pooled: Tensor

    def of_replicas(self, replicas: Tensor | None) -> "ShiftedValidation":
        """Return what some replicas stop by; None: all.

        Parameters
        ----------
        replicas
            int64 [n]; None: all.
        """
        if replicas is None:
            return self
        return ShiftedValidation(
            self.x[replicas], self.labels[replicas.numpy()], self.groups[replicas.numpy()], self.pooled[replicas]
        )

    def network_scores(self, model: ATSDP, domain: str) -> np.ndarray:
        """Return each replica's logit differences on its own mean cells, [n_replicas, n_severities * n].

        Parameters
        ----------
        model
            The stack.
        domain
            ``source`` or ``target``.
        """
        with torch.no_grad():
            logits = model.logits(self.pooled, domain)
        return (logits[..., 1] - logits[..., 0]).cpu().numpy()

    def auroc(self, scores: np.ndarray) -> np.ndarray:
        """Return the AUROC within groups of each replica and severity, [n_replicas, n_severities].

        Parameters
        ----------
        scores
            Of each replica, [n_replicas, n].
        """
        return np.stack([self.auroc_of_replica(replica, values) for replica, values in enumerate(scores)])

    def auroc_of_replica(self, replica: int, scores: np.ndarray) -> np.ndarray:
        """Return the AUROC within groups of one replica for each severity, [n_severities].

        ``scores`` are those of the lines, or of the single cells.

        Parameters
        ----------
        replica
            Its number.
        scores
            Of the lines or of the single cells, [n].
        """
        labels, groups = (
            np.repeat(values[replica], len(scores) // len(values[replica])) for values in (self.labels, self.groups)
        )
        by_severity = [np.split(values, len(SEVERITIES)) for values in (labels, scores, groups)]
        return np.array([auroc_within(*values) for values in zip(*by_severity, strict=True)])

    def terms(self, model: ATSDP, domain: str) -> dict[str, Tensor]:
        """Return 1 - AUROC of each severity, and their mean as ``total``.

        Parameters
        ----------
        model
            The stack.
        domain
            ``source`` or ``target``.
        """
        loss = torch.as_tensor(1 - self.auroc(self.network_scores(model, domain)), dtype=torch.float32)
        each = {f"one_minus_auroc_{severity.name}": loss[:, i] for i, severity in enumerate(SEVERITIES)}
        return each | {"total": loss.mean(1)}


def shifted_validation(
    profiles: np.ndarray,
    labels: np.ndarray,
    groups: np.ndarray,
    held_out: np.ndarray,
    rng: np.random.Generator,
    device: torch.device | str,
) -> ShiftedValidation:
    """Turn each replica's held-out lines into simulated cells.

    Parameters
    ----------
    profiles
        Lines standardised within themselves, [n_lines, n_genes].
    labels, groups
        Class and group of each line, [n_lines].
    held_out
        Lines that each replica does not learn from, int64 [n_replicas, n].
    rng
        Source of randomness.
    device
        Where the cells go.
    """
    cells = [
        np.concatenate([shifted_cells(profiles[rows], CELLS_PER_LINE, severity, rng) for severity in SEVERITIES])
        for rows in held_out
    ]

    def of_lines(values: np.ndarray) -> np.ndarray:
        return np.tile(values[held_out], (1, len(SEVERITIES)))

    x = torch.as_tensor(np.stack(cells), device=device)
    pooled = x.unflatten(1, (-1, CELLS_PER_LINE)).mean(2)
    return ShiftedValidation(x, of_lines(labels), of_lines(groups), pooled)
