"""Attributions of all cells of a sample, in chunks: means over each class and what label permutations give."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from pharmacell.core.progress import track
from pharmacell.data.cells import CellMatrix
from pharmacell.explain.attribution import (
    METHODS,
    STEPS,
    complete_gradients,
    deep_lift,
    member_weights,
    relevance,
)
from pharmacell.explain.replica import PlainReplica
from pharmacell.response.store import Bundle

CHUNK_CELLS = 512  # a chunk is dense once for each replica and method
PERMUTATIONS = 200
CLASSES = ("resistant", "sensitive")  # in the order of their label


@dataclass
class ClassAttributions:
    """Attributions towards one class, against one baseline.

    Parameters
    ----------
    score
        Mean attribution of the score over the cells of the class, [n_replicas, n_genes].
    methods
        The same of the network's logit difference alone, by each method, [n_methods, n_replicas, n_genes].
    fdr, p
        Of the difference between the classes under permuted labels, [n_genes].
    gap
        Name to number: ``mean`` and ``worst_tenth`` of the completeness gap, relative to the mean logit difference.
    """

    score: np.ndarray
    methods: np.ndarray
    p: np.ndarray
    fdr: np.ndarray
    gap: dict[str, float] = field(default_factory=dict)


def standardised_chunks(bundle: Bundle, cells: CellMatrix, words: str) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield the positions and the standardised expression [n, n_genes] of the cells, chunk after chunk."""
    start = 0
    for block in track(cells.chunks(bundle.genes, CHUNK_CELLS), words, -(-len(cells) // CHUNK_CELLS)):
        yield slice(start, start + len(block)), bundle.standardise_cells(block)
        start += len(block)


def class_profiles(bundle: Bundle, cells: CellMatrix, labels: np.ndarray) -> np.ndarray:
    """Return the mean standardised cell of each class, float32 [2, n_genes]; resistant first.

    Parameters
    ----------
    bundle
        The model.
    cells
        The sample.
    labels
        1 or 0, [n_cells]; both must occur.
    """
    sums = np.zeros((2, len(bundle.genes)))
    for rows, x in standardised_chunks(bundle, cells, "mean cell of each class"):
        for label in (0, 1):
            sums[label] += x[labels[rows] == label].sum(0, dtype=np.float64)
    return (sums / np.bincount(labels, minlength=2)[:, None]).astype(np.float32)


class Accumulator:
    """Sums over chunks for one class.

    Parameters
    ----------
    labels
        Predicted labels, 1 or 0, [n_cells].
    label
        The class that is explained.
    shape
        Number of replicas and of genes.
    rng
        Draws the permutations of the labels.
    """

    def __init__(self, labels: np.ndarray, label: int, shape: tuple[int, int], rng: np.random.Generator) -> None:
        own = labels == label
        self.own, self.n_own = own, int(own.sum())
        self.drawn = np.stack([own, *(rng.permutation(own) for _ in range(PERMUTATIONS))])  # the real one comes first
        self.score, self.methods = np.zeros(shape), np.zeros((len(METHODS), *shape))
        self.under_labels = np.zeros((len(self.drawn), shape[1]))
        self.total, self.squares = np.zeros(shape[1]), np.zeros(shape[1])
        self.gaps, self.differences = [], []

    def add_labels(self, rows: slice, mean: np.ndarray) -> None:
        """Add the replicas' mean attributions [n, n_genes] of a chunk to the sums under all drawings of labels."""
        self.under_labels += self.drawn[:, rows].astype(np.float32) @ mean
        self.total += mean.sum(0, dtype=np.float64)
        self.squares += np.einsum("ng,ng->g", mean, mean, dtype=np.float64)

    def result(self) -> ClassAttributions:
        """Return the means and the test; FDR after Benjamini and Hochberg (1995)."""
        from scipy.stats import false_discovery_control

        n, n_own = len(self.own), self.n_own
        means = self.under_labels / n_own - (self.total - self.under_labels) / (n - n_own)  # difference of the classes
        variance = np.maximum(self.squares - self.total**2 / n, 0) / (n - 1)
        spread = np.sqrt(variance * n / (n_own * (n - n_own)))  # exact under permutation
        z = np.divide(means, spread, out=np.zeros_like(means), where=spread > 1e-9 * np.abs(means).max())
        p = pooled_p(z[0], z[1:])
        gaps, differences = np.concatenate(self.gaps, 1), np.concatenate(self.differences, 1)
        scale = max(float(np.abs(differences).mean()), 1e-12)
        gap = {
            "mean": float(gaps.mean()) / scale,
            "worst_tenth": float(np.quantile(gaps, 0.9)) / scale,
            "logit_difference": scale,
        }
        return ClassAttributions(self.score / n_own, self.methods / n_own, p, false_discovery_control(p), gap)


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


def attribute_class(
    bundle: Bundle,
    cells: CellMatrix,
    labels: np.ndarray,
    label: int,
    baseline: np.ndarray,
    rng: np.random.Generator,
    device: torch.device,
    steps: int = STEPS,
) -> ClassAttributions:
    """Attribute every cell's score towards one class.

    Parameters
    ----------
    bundle
        The model.
    cells
        The sample.
    labels
        Predicted labels, 1 or 0, [n_cells]; both must occur.
    label
        1: towards sensitive; 0: towards resistant.
    baseline
        The cell to compare with, standardised, [n_genes].
    rng
        Draws the permutations of the labels.
    device
        Where to compute.
    steps
        Of integrated gradients, to begin with.
    """
    n_replicas, sign = bundle.model.n_replicas, 1.0 if label else -1.0
    replicas = [PlainReplica(bundle.model, replica).to(device).eval() for replica in range(n_replicas)]
    network_share, linear = member_weights(bundle.ensemble, n_replicas)
    sums = Accumulator(labels, label, (n_replicas, len(bundle.genes)), rng)
    start = torch.as_tensor(baseline, device=device)
    for rows, x in standardised_chunks(bundle, cells, f"attributions towards {CLASSES[label]}"):
        inside, x_device = sums.own[rows], torch.as_tensor(x, device=device)
        mean = np.zeros_like(x)
        gaps, differences = [], []
        for number, replica in enumerate(replicas):
            found, *completeness = complete_gradients(replica, x_device, start, steps)
            gap, difference = (values.cpu().numpy() for values in completeness)
            gaps.append(gap)
            differences.append(difference)
            found = found.cpu().numpy()
            own = x_device[torch.as_tensor(inside, device=device)]
            for method, values in enumerate([found[inside], *others(replica, own, start)]):
                sums.methods[method, number] += sign * values.sum(0, dtype=np.float64)
            whole = network_share[number] * found
            if linear is not None:
                whole += linear[number] * (x - baseline)
            whole *= sign
            sums.score[number] += whole[inside].sum(0, dtype=np.float64)
            mean += whole / n_replicas
        sums.add_labels(rows, mean)
        sums.gaps.append(np.stack(gaps))
        sums.differences.append(np.stack(differences))
    return sums.result()


def others(replica: PlainReplica, own: torch.Tensor, baseline: torch.Tensor) -> list[np.ndarray]:
    """Return the attributions [n, n_genes] by the methods other than integrated gradients."""
    if not len(own):
        return [np.zeros(own.shape, np.float32)] * (len(METHODS) - 1)
    return [deep_lift(replica, own, baseline).cpu().numpy(), relevance(replica, own).cpu().numpy()]
