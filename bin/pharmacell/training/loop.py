"""One training stage of a stack of replicas: epochs, early stopping, history."""

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from pharmacell.core.progress import track
from pharmacell.nn.precision import products
from pharmacell.nn.random import ReplicaRandom
from pharmacell.training.early_stopping import BestWeights
from pharmacell.training.optimiser import LightAdamW
from pharmacell.training.settings import TrainingConfig

if TYPE_CHECKING:
    import pandas as pd

Terms = dict[str, Tensor]  # name of a loss term -> one value for each replica; "total" is what is minimised


@dataclass
class History:
    """Every loss term of every epoch, part and replica, in long form.

    Attributes
    ----------
    rows
        ``(stage, epoch, term, part, replica, value)``.
    """

    rows: list[tuple] = field(default_factory=list)

    def add(self, stage: str, epoch: int, part: str, terms: Terms) -> None:
        """Add one row for each term and replica; the only place where an epoch's losses are read.

        Parameters
        ----------
        stage, epoch
            Name of the stage and number of the epoch, from 1; 0 is before the first.
        part
            ``train`` or ``validation``.
        terms
            The values.
        """
        for term, values in terms.items():
            for replica, value in enumerate(values.tolist()):
                self.rows.append((stage, epoch, term, part, replica, value))

    def table(self) -> "pd.DataFrame":
        """Return a table ``stage, epoch, term, part, replica, value``."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=["stage", "epoch", "term", "part", "replica", "value"])


@dataclass(frozen=True)
class Stage:
    """What is trained, and on what.

    Attributes
    ----------
    name
        In history and progress; the random streams of the stage depend on it.
    modules
        Hold the parameters that are trained; the first axis of each is the replica. One replica may be a plain network.
    random
        The replicas' streams, which the stage begins anew.
    batches
        Returns the batches of one epoch, [n_replicas, <= size, ...] each.
    train_terms
        Maps a batch to its loss terms.
    validation_terms
        Returns the loss terms on the validation part; ``total`` decides when to stop. None: train for all epochs.
    shown
        Whether its epochs show as progress; not where it is one of many.
    """

    name: str
    modules: nn.Module
    random: ReplicaRandom
    batches: Callable[[], Sequence[Tensor]]
    train_terms: Callable[[Tensor], Terms]
    validation_terms: Callable[[], Terms] | None = None
    shown: bool = True


def train_epoch(stage: Stage, optimiser: torch.optim.Optimizer) -> Terms:
    """Take one step for each batch; return the mean of each loss term over the rows.

    The losses of the replicas are summed, which keeps their gradients apart because they share no weight.

    Parameters
    ----------
    stage
        What to train.
    optimiser
        Of its parameters.
    """
    sums: Terms = {}
    n_rows = 0
    for batch in stage.batches():
        terms = stage.train_terms(batch)
        optimiser.zero_grad()
        terms["total"].sum().backward()
        optimiser.step()
        n_rows += batch.shape[1]
        for term, values in terms.items():
            sums[term] = sums.get(term, 0) + values.detach() * batch.shape[1]
    return {term: value / n_rows for term, value in sums.items()}


def run_stage(stage: Stage, config: TrainingConfig, history: History) -> Tensor:
    """Train until every replica has stopped improving, and leave each at its best weights.

    The weights that a stage begins with count as epoch 0, so a stage that makes a replica worse is undone for it.

    Parameters
    ----------
    stage
        What to train.
    config
        Epochs, patience, learning rate, weight decay and precision.
    history
        Takes the mean terms of each epoch.

    Returns
    -------
    Tensor
        Epoch of the best weights of each replica, int64 [n_replicas].
    """
    modules, validation_terms = stage.modules, stage.validation_terms
    stage.random.restart(stage.name)
    optimiser = LightAdamW(modules.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)
    best = BestWeights(modules, len(stage.random), config.patience) if validation_terms else None

    def finished(epoch: int) -> bool:
        if best is None or validation_terms is None:
            return False
        modules.eval()
        with torch.no_grad():
            terms = validation_terms()
        history.add(stage.name, epoch, "validation", terms)
        return best.update(terms["total"], epoch)

    finished(0)
    where = " on the GPU" if next(modules.parameters()).is_cuda else ""
    numbers = range(1, config.epochs + 1)
    with (
        closing(track(numbers, stage.name + where, config.epochs, "epochs")) if stage.shown else nullcontext(numbers)
    ) as epochs:
        for epoch in epochs:
            modules.train()
            with products(modules, config.precision):
                means = train_epoch(stage, optimiser)
            history.add(stage.name, epoch, "train", means)
            if finished(epoch):
                break
    modules.eval()
    if best is None:
        return torch.full((len(stage.random),), config.epochs)
    best.restore()
    return best.epoch
