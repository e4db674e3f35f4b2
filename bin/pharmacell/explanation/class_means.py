"""Attributions of a sample's cells: means over each class and what label permutations give."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pharmacell.core.progress import track
from pharmacell.data.matrices import Rows
from pharmacell.explanation.attribution import (
    METHODS,
    complete_gradients,
    deep_lift,
    in_pieces,
    member_weights,
    relevance,
)
from pharmacell.explanation.replicas import Replicas
from pharmacell.response.columns import CLASS_NAMES as CLASSES  # in the order of their label
from pharmacell.response.store import Bundle

CHUNK_CELLS = 512  # whose attributions are carried to all genes at once
PERMUTATIONS = 200


@dataclass
class ClassAttributions:
    """Attributions towards one class, against one baseline.

    Attributes
    ----------
    score
        Mean attribution of the score over the cells of the class, [n_replicas, n_genes].
    methods
        The same of the network's logit difference alone, by each method, [n_methods, n_replicas, n_genes].
    p, fdr
        Of the difference between the classes under permuted labels, [n_genes].
    gap
        Name to number: ``mean`` and ``worst_tenth`` of the completeness gap, relative to the mean logit difference.
    """

    score: np.ndarray
    methods: np.ndarray
    p: np.ndarray
    fdr: np.ndarray
    gap: dict[str, float]


@dataclass(frozen=True)
class StandardisedCells:
    """Cells as they were read, standardised a slice of rows at a time: sparse ones are never dense as a whole.

    Attributes
    ----------
    bundle
        Knows the standardisation.
    rows
        Expression as quality control left it, csr or dense, float32 [n_cells, n_genes].
    """

    bundle: Bundle
    rows: Rows

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of cells and genes."""
        return self.rows.shape

    def __len__(self) -> int:
        return self.rows.shape[0]

    def __getitem__(self, chosen: slice | np.ndarray) -> np.ndarray:
        return self.bundle.standardise_cells(self.rows[chosen])


@dataclass(frozen=True)
class Attributor:
    """Attributes the scores of cells to genes.

    Attributes
    ----------
    bundle
        The model.
    x
        Standardised expression of the cells that are attributed, float32 [n_cells, n_genes]; read in slices of rows.
    labels
        Their predicted labels, 1 or 0, [n_cells]; both must occur.
    steps
        Of integrated gradients, to begin with.
    device
        Where to compute.
    """

    bundle: Bundle
    x: "np.ndarray | StandardisedCells"
    labels: np.ndarray
    steps: int
    device: torch.device

    def towards(self, label: int, baseline: np.ndarray, rng: np.random.Generator) -> ClassAttributions:
        """Attribute every cell's score towards one class.

        Parameters
        ----------
        label
            1: towards sensitive; 0: towards resistant.
        baseline
            The cell to compare with, standardised, [n_genes].
        rng
            Draws the permutations of the labels.
        """
        replicas, sign = Replicas(self.bundle.model), 1.0 if label else -1.0
        start = self._hidden(replicas, baseline[None])
        end = start.new_empty(replicas.n_replicas, len(self.x), start.shape[-1])
        for rows in chunks(len(self.x), "hidden numbers of the cells"):
            end[:, rows] = self._hidden(replicas, self.x[rows])
        gradients, gap, difference = complete_gradients(
            replicas, end, start, self.steps, f"integrated gradients towards {CLASSES[label]}"
        )
        share, linear = member_weights(self.bundle.ensemble, replicas.n_replicas)
        of_replica = torch.as_tensor(sign / replicas.n_replicas * share, device=self.device)[:, None, None]
        test = LabelTest(self.labels, label, self.x.shape[1], rng)
        methods = np.zeros((len(METHODS), *replicas.affine.weight.shape[:2]))
        moved = np.zeros(self.x.shape[1])  # sum of the differences from the baseline
        for rows in chunks(len(self.x), f"genes behind the predictions towards {CLASSES[label]}"):
            x = self.x[rows]
            change = torch.as_tensor(x - baseline, device=self.device)
            whole = change * over_replicas(replicas, of_replica * gradients[:, rows])
            if linear is not None:
                whole += change * torch.as_tensor(sign * linear.mean(0), device=self.device)
            test.add(rows, whole.cpu().numpy())
            own = torch.as_tensor(self.labels[rows] == label, device=self.device)
            if not own.any():
                continue
            of_own = end[:, rows][:, own]
            from_zero = torch.as_tensor(x, device=self.device)[own]  # relevance has no baseline
            parts = (
                (change[own], gradients[:, rows][:, own]),
                (change[own], in_pieces(lambda end: deep_lift(replicas, end, start), of_own)),
                (from_zero, in_pieces(lambda end: relevance(replicas, end), of_own)),
            )
            methods += sign * np.stack([summed(replicas, *part) for part in parts])
            moved += sign * change[own].sum(0, dtype=torch.float64).cpu().numpy()
        score = share[:, None] * methods[0] + (0 if linear is None else linear * moved)
        n_own = int((self.labels == label).sum())
        return ClassAttributions(score / n_own, methods / n_own, *test.result(), relative(gap, difference))

    def _hidden(self, replicas: Replicas, x: np.ndarray) -> Tensor:
        return replicas.hidden(torch.as_tensor(x, device=self.device))


def chunks(n_cells: int, words: str) -> Iterator[slice]:
    """Yield the rows of each chunk of cells.

    Parameters
    ----------
    n_cells
        How many there are.
    words
        What is being done, for the user.
    """
    starts = range(0, n_cells, CHUNK_CELLS)
    for start in track(starts, words, n_cells, "cells", CHUNK_CELLS):
        yield slice(start, min(start + CHUNK_CELLS, n_cells))


def over_replicas(replicas: Replicas, multipliers: Tensor) -> Tensor:
    """Return the sum over replicas of multipliers carried to the genes, [n, n_genes], as one product.

    Parameters
    ----------
    replicas
        The networks.
    multipliers
        Of the hidden numbers, [n_replicas, n, width].
    """
    with torch.no_grad():
        weights = replicas.affine.weight.transpose(1, 2).flatten(0, 1)  # [n_replicas * width, n_genes]
        return multipliers.transpose(0, 1).flatten(1) @ weights


def summed(replicas: Replicas, change: Tensor, multipliers: Tensor) -> np.ndarray:
    """Return the sum of attributions over cells, float64 [n_replicas, n_genes].

    Attributions of single cells are never made::

        sum_i (x_i - b)_g sum_h m_ih w_gh = sum_h w_gh sum_i (x_i - b)_g m_ih

    Parameters
    ----------
    replicas
        The networks.
    change
        Difference of the cells from the baseline, [n, n_genes].
    multipliers
        Of the hidden numbers, [n_replicas, n, width].
    """
    with torch.no_grad():
        products = [
            ((change.T @ of_replica) * weight).sum(1, dtype=torch.float64)
            for of_replica, weight in zip(multipliers, replicas.affine.weight, strict=True)
        ]
    return torch.stack(products).cpu().numpy()


def relative(gap: Tensor, difference: Tensor) -> dict[str, float]:
    """Return the completeness gap relative to the mean logit difference.

    Parameters
    ----------
    gap, difference
        From :func:`pharmacell.explanation.attribution.complete_gradients`, [n_replicas, n].
    """
    gaps, scale = gap.cpu().numpy(), max(float(difference.abs().mean()), 1e-12)
    return {
        "mean": float(gaps.mean()) / scale,
        "worst_tenth": float(np.quantile(gaps, 0.9)) / scale,
        "logit_difference": scale,
    }


def class_profiles(x: np.ndarray | StandardisedCells, labels: np.ndarray) -> np.ndarray:
    """Return the mean cell of each class, float32 [2, n_genes]; resistant first.

    Parameters
    ----------
    x
        Standardised expression, [n_cells, n_genes].
    labels
        1 or 0, [n_cells]; both must occur.
    """
    sums = np.zeros((2, x.shape[1]))
    for start in range(0, len(x), CHUNK_CELLS):  # a class of a large sample is not copied
        values, own = x[start : start + CHUNK_CELLS], labels[start : start + CHUNK_CELLS]
        for label in (0, 1):
            sums[label] += values[own == label].sum(0, dtype=np.float64)
    return (sums / np.bincount(labels, minlength=2)[:, None]).astype(np.float32)


class LabelTest:
    """Does a gene's attribution differ between the classes more than under permuted labels?

    Parameters
    ----------
    labels
        Predicted labels, 1 or 0, [n_cells].
    label
        The class that is explained.
    n_genes
        How many genes are tested.
    rng
        Draws the permutations of the labels.
    """

    def __init__(self, labels: np.ndarray, label: int, n_genes: int, rng: np.random.Generator) -> None:
        own = labels == label
        self.n_cells, self.n_own = len(own), int(own.sum())
        self.drawn = np.stack([own, *(rng.permutation(own) for _ in range(PERMUTATIONS))])  # the real one comes first
        self.under_labels = np.zeros((len(self.drawn), n_genes))
        self.total, self.squares = np.zeros(n_genes), np.zeros(n_genes)

    def add(self, rows: slice, mean: np.ndarray) -> None:
        """Add a chunk of cells to the sums under all drawings of labels.

        Parameters
        ----------
        rows
            Which cells they are.
        mean
            Their attributions, mean over replicas, [n, n_genes].
        """
        self.under_labels += self.drawn[:, rows].astype(np.float32) @ mean
        self.total += mean.sum(0, dtype=np.float64)
        self.squares += np.einsum("ng,ng->g", mean, mean, dtype=np.float64)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Return p and FDR after Benjamini and Hochberg (1995), each [n_genes]."""
        from scipy.stats import false_discovery_control

        n, n_own = self.n_cells, self.n_own
        means = self.under_labels / n_own - (self.total - self.under_labels) / (n - n_own)  # difference of the classes
        variance = np.maximum(self.squares - self.total**2 / n, 0) / (n - 1)
        spread = np.sqrt(variance * n / (n_own * (n - n_own)))  # exact under permutation
        z = np.divide(means, spread, out=np.zeros_like(means), where=spread > 1e-9 * np.abs(means).max())
        p = pooled_p(z[0], z[1:])
        return p, false_discovery_control(p)


def pooled_p(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Return two-sided p-values against a null that all genes share, with the observed value counted in.

    Parameters
    ----------
    observed
        Standardised statistics, [n_genes].
    null
        The same under each permutation, [n_permutations, n_genes].
    """
    pool = np.sort(np.abs(null), axis=None)
    as_large = pool.size - np.searchsorted(pool, np.abs(observed), side="left")
    return (1 + as_large) / (1 + pool.size)
