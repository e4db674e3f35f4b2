"""Fits any network to many folds at once, each fold as if it stood alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pharmacell.core.seeds import integer
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.vmapped import VmappedStack
from pharmacell.training.loop import History, Stage, run_stage
from pharmacell.training.settings import FitConfig
from pharmacell.training.training_set import batches

STOP_SHARE = 0.1  # of the rows that may be learnt from; they decide when to stop
ROWS_AT_ONCE = 512  # in a prediction
TARGET_SAMPLE = 200  # unlabelled cells that help to decide when to stop


@dataclass(frozen=True)
class StackedRows:
    """Rows of several folds that have equally many of them.

    Parameters
    ----------
    x
        float32 [n_folds, n, n_genes].
    labels
        int64 [n_folds, n].
    learn, held
        Rows to learn from, and to stop by, int64 [n_folds, n_learn] and [n_folds, n_held].
    target
        What a transfer model knows of the unlabelled cells: their values, float32 [n_folds, m, n_genes], and perhaps
        more about each, [n_folds, m]; empty for a model without transfer.
    """

    x: Tensor
    labels: Tensor
    learn: Tensor
    held: Tensor
    target: tuple[Tensor, ...] = ()

    def batch(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return values, labels and weights of rows [n_folds, b].

        A row weighs inversely to the size of its class in the fold, so that 0.5 is where the evidence is even.

        Parameters
        ----------
        rows
            int64 [n_folds, b].
        """
        folds = torch.arange(len(self.x), device=self.x.device)[:, None]
        labels = self.labels[folds, rows]
        share = self.labels.float().mean(1, keepdim=True).clamp(1e-6, 1 - 1e-6)
        return self.x[folds, rows], labels, torch.where(labels == 1, 0.5 / share, 0.5 / (1 - share))

    def epoch(self, random: ReplicaRandom, size: int) -> list[Tensor]:
        """Return the batches of one epoch, rows in each fold's own random order, [n_folds, <= size] each.

        Parameters
        ----------
        random
            The folds' streams.
        size
            Rows of a batch.
        """
        return batches(self.learn.gather(1, random.permutations(self.learn.shape[1])), size)

    def target_batch(self, random: ReplicaRandom, size: int) -> list[Tensor]:
        """Draw ``size`` unlabelled cells of each fold, [n_folds, size, ...].

        Parameters
        ----------
        random
            The folds' streams.
        size
            Rows of a batch.
        """
        if not self.target:
            return []
        folds = torch.arange(len(self.x), device=self.x.device)[:, None]
        rows = random.choices(self.target[0].shape[1], size)
        return [values[folds, rows] for values in self.target]

    def target_sample(self) -> list[Tensor]:
        """Return the unlabelled cells that help to decide when to stop, the same in every epoch."""
        return [values[:, :TARGET_SAMPLE] for values in self.target]


def stop_rows(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into those to learn from and the tenth to stop by, stratified by class; sorted row numbers.

    Parameters
    ----------
    labels
        1 or 0, [n].
    seed
        Of the split.
    """
    from sklearn.model_selection import train_test_split

    n_held = max(2, round(STOP_SHARE * len(labels)))
    smallest = int(np.bincount(labels, minlength=2).min())
    learn, held = train_test_split(
        np.arange(len(labels)),
        test_size=n_held,
        random_state=integer(seed, "stop rows"),
        stratify=labels if smallest > 1 else None,
    )
    return np.sort(learn), np.sort(held)


def stacked_rows(
    rows: Sequence[tuple[np.ndarray, np.ndarray]],
    seeds: Sequence[int],
    device: torch.device,
    target: Sequence[tuple[np.ndarray, ...]] = (),
) -> StackedRows:
    """Put the rows and labels of several folds side by side, and what is known of the unlabelled cells of each.

    Parameters
    ----------
    rows
        Values [n, n_genes] and labels [n] of each fold.
    seeds
        One for each fold.
    device
        Where the rows go.
    target
        What is known of the unlabelled cells of each fold.
    """
    parts = [stop_rows(labels, seed) for (_, labels), seed in zip(rows, seeds, strict=True)]

    def stacked(arrays: Sequence[np.ndarray]) -> Tensor:
        return torch.as_tensor(np.stack(arrays), device=device)

    return StackedRows(
        stacked([x for x, _ in rows]),
        stacked([labels for _, labels in rows]).long(),
        stacked([learn for learn, _ in parts]),
        stacked([held for _, held in parts]),
        tuple(stacked(values) for values in zip(*target, strict=True)),
    )


def fit_classes(
    stack: VmappedStack,
    data: StackedRows,
    config: FitConfig,
    stage: str,
    loss: str = "loss",
    stop: str = "stop_value",
    trained: Sequence[str] = (),
) -> Tensor:
    """Train until every fold has stopped improving on its held-out rows, and leave the best weights.

    Parameters
    ----------
    stack
        Replica i belongs to fold i.
    data
        Rows of each fold.
    config
        Epochs and the like.
    stage
        Names the stage; its random streams depend on it.
    loss
        Name of the network's method ``(x, labels, weights, *target)`` that is minimised.
    stop
        Name of its method with the same arguments that decides when to stop.
    trained
        Names of the submodules that learn; all by default.

    Returns
    -------
    Tensor
        Best epoch of each fold, int64 [n_folds].
    """
    random = stack.random

    def train_terms(rows: Tensor) -> dict[str, Tensor]:
        return {"total": stack.call(loss, *data.batch(rows), *data.target_batch(random, rows.shape[1]))}

    def validation_terms() -> dict[str, Tensor]:
        return {"total": stack.call(stop, *data.batch(data.held), *data.target_sample())}

    return run_stage(
        Stage(
            stage,
            stack.part(*trained) if trained else stack,
            random,
            lambda: data.epoch(random, config.batch_size),
            train_terms,
            validation_terms,
        ),
        config.training(),
        History(),
    )


@torch.no_grad()
def predict(stack: VmappedStack, test: Sequence[np.ndarray], device: torch.device) -> list[np.ndarray]:
    """Return each fold's probabilities of being sensitive, float32 [n_test], for its cells [n_test, n_genes].

    Parameters
    ----------
    stack
        The trained stack.
    test
        Cells of each fold, [n_test, n_genes].
    device
        Where the stack lives.
    """
    stack.eval()
    longest = max(len(x) for x in test)
    found = [np.empty(len(x), np.float32) for x in test]
    for start in range(0, longest, ROWS_AT_ONCE):
        blocks = [x[start : start + ROWS_AT_ONCE] for x in test]
        size = max(len(block) for block in blocks)
        x = np.zeros((len(test), size, test[0].shape[1]), np.float32)  # shorter folds are filled up with zeros
        for place, block in enumerate(blocks):
            x[place, : len(block)] = block
        probability = stack.call("forward", torch.as_tensor(x, device=device)).softmax(-1)[..., 1].cpu().numpy()
        for place, block in enumerate(blocks):
            found[place][start : start + len(block)] = probability[place, : len(block)]
    return found
