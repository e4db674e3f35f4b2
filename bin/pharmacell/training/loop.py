"""One training stage of a stack of replicas: epochs, early stopping, history."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pharmacell.core.progress import track
from pharmacell.nn.precision import products
from pharmacell.nn.random import ReplicaRandom
from pharmacell.training.early_stopping import BestWeights
from pharmacell.training.settings import TrainingConfig

Terms = dict[str, Tensor]  # name of a loss term -> one value for each replica; "total" is what is minimised


@dataclass
class History:
    """Every loss term of every epoch, part and replica, in long form."""

    rows: list[tuple] = field(default_factory=list)

    def add(self, stage: str, epoch: int, part: str, terms: Terms) -> None:
        """Add one row for each term and replica."""
        for term, values in terms.items():
            for replica, value in enumerate(values.tolist()):
                self.rows.append((stage, epoch, term, part, replica, value))

    def table(self):
        """Return a DataFrame ``stage, epoch, term, part, replica, value``."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=["stage", "epoch", "term", "part", "replica", "value"])


def train_epoch(batches: list, train_terms: Callable[..., Terms], optimiser: torch.optim.Optimizer) -> Terms:
    """Take one step for each batch; return the mean of each loss term over the batches."""
    sums: Terms = {}
    for batch in batches:
        terms = train_terms(batch)
        optimiser.zero_grad()
        terms["total"].sum().backward()
        optimiser.step()
        for term, values in terms.items():
            sums[term] = sums.get(term, 0) + values.detach()
    return {term: value / len(batches) for term, value in sums.items()}


def run_stage(
    name: str,
    modules: nn.Module,
    random: ReplicaRandom,
    config: TrainingConfig,
    epoch_batches: Callable[[], list],
    train_terms: Callable[..., Terms],
    validation_terms: Callable[[], Terms] | None,
    history: History,
) -> Tensor:
    """Train the modules until every replica has stopped improving, and leave them at their best weights.

    The weights that a stage begins with count as epoch 0, so a stage that makes a replica worse is undone for it.

    The losses of the replicas are summed, which keeps their gradients apart because they share no weight.

    Parameters
    ----------
    name
        Of the stage, in history and progress.
    modules
        What is trained.
    random
        The replicas' streams, which the stage begins anew.
    config
        Epochs, patience, learning rate.
    epoch_batches
        Returns the batches of one epoch.
    train_terms
        Maps a batch to its loss terms.
    validation_terms
        Returns the loss terms on the validation part; ``total`` decides when to stop. None: train for all epochs.
    history
        Takes the mean terms of each epoch.

    Returns
    -------
    Tensor
        Epoch of the best weights of each replica, int64 [n_replicas].
    """
    random.restart(name)
    on_gpu = next(modules.parameters()).is_cuda
    optimiser = torch.optim.AdamW(
        modules.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    best = BestWeights(modules, config.patience)

    def finished(epoch: int) -> bool:
        modules.eval()
        with torch.no_grad():
            terms = validation_terms()
        history.add(name, epoch, "validation", terms)
        return best.update(terms["total"], epoch)

    if validation_terms:
        finished(0)
    epochs = track(range(1, config.epochs + 1), name + (" on the GPU" if on_gpu else ""), config.epochs)
    for epoch in epochs:
        modules.train()
        with products(modules, config.precision):
            means = train_epoch(epoch_batches(), train_terms, optimiser)
        history.add(name, epoch, "train", means)
        if validation_terms and finished(epoch):
            break
    epochs.close()
    modules.eval()
    if not validation_terms:
        return torch.full_like(best.epoch, config.epochs)
    best.restore()
    return best.epoch
