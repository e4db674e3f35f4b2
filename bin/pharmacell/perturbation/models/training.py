"""Training of the networks of the perturbation task: all seeds as one stack."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from pharmacell.core.progress import track
from pharmacell.nn.precision import products
from pharmacell.nn.random import ReplicaRandom
from pharmacell.perturbation.losses import LOSSES
from pharmacell.perturbation.models.network import Network
from pharmacell.training.early_stopping import BestWeights

ROWS_AT_ONCE = 128  # when nothing is learned; bounds memory


@dataclass(frozen=True)
class Rows:
    """Training rows on the device.

    Parameters
    ----------
    tokens, vector
        Encoded rows, [n_rows, n_tokens] and [n_rows, n_features] or None.
    target
        float32, [n_rows, n_outputs].
    fit, validation
        Rows of each replica, int64 [n_replicas, n]; ``validation`` may be None.
    """

    tokens: Tensor
    vector: Tensor | None
    target: Tensor
    fit: Tensor
    validation: Tensor | None

    def of(self, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the inputs of some rows of each replica, int64 [n_replicas, n]."""
        return self.tokens[rows], None if self.vector is None else self.vector[rows]


@dataclass(frozen=True)
class TrainingSettings:
    """How the networks are trained.

    Parameters
    ----------
    epochs
        Most epochs.
    batch_size
        Rows of a batch.
    learning_rate
        Of Adam.
    loss
        Name in :data:`pharmacell.perturbation.losses.LOSSES`.
    patience
        Epochs without improvement before a replica stops.
    precision
        Of matrix products.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    loss: str
    patience: int
    precision: str = "float32"


def train(network: Network, random: ReplicaRandom, data: Rows, settings: TrainingSettings, name: str) -> list[tuple]:
    """Train a stack of networks; leaves each at its best validation loss, or at its last epoch without validation.

    The losses of the replicas are summed, which keeps their gradients apart because they share no weight. Each replica
    draws its own batches.

    Returns
    -------
    list of tuple
        ``(replica, epoch, part, loss)``.
    """
    loss, history = LOSSES[settings.loss], []
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
    best = BestWeights(network, settings.patience) if data.validation is not None else None
    replicas = torch.arange(len(data.fit), device=data.fit.device)[:, None]
    random.restart("training")
    epochs = track(range(1, settings.epochs + 1), name, settings.epochs)
    for epoch in epochs:
        network.train()
        total = torch.zeros(len(data.fit), device=data.fit.device)
        drawn = data.fit[replicas, random.permutations(data.fit.shape[1])]
        with products(network, settings.precision):
            for rows in drawn.split(settings.batch_size, dim=1):
                optimiser.zero_grad()
                each = loss(network(*data.of(rows)), data.target[rows])
                each.sum().backward()
                optimiser.step()
                total += each.detach() * rows.shape[1]
        note(history, epoch, "train", total / data.fit.shape[1])
        if best:
            found = validation_loss(network, data, loss)
            note(history, epoch, "validation", found)
            if best.update(found, epoch):
                break
    epochs.close()
    if best:
        best.restore()
    network.eval()
    network.inputs.settle()
    return history


def note(history: list[tuple], epoch: int, part: str, values: Tensor) -> None:
    """Add one row for each replica."""
    history += [(replica, epoch, part, value) for replica, value in enumerate(values.tolist())]


@torch.no_grad()
def validation_loss(network: Network, data: Rows, loss: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return the loss of each replica on its validation rows, [n_replicas]."""
    network.eval()
    total = 0
    for rows in data.validation.split(ROWS_AT_ONCE, dim=1):
        total = total + loss(network(*data.of(rows)), data.target[rows]) * rows.shape[1]
    return total / data.validation.shape[1]
