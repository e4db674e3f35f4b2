"""Training of the networks of the perturbation task: all seeds as one stack."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from pharmacell.nn.random import ReplicaRandom
from pharmacell.perturbation.losses import LayerLosses
from pharmacell.perturbation.models.network import Network
from pharmacell.training.loop import History, Stage, run_stage
from pharmacell.training.settings import TrainingConfig

ROWS_AT_ONCE = 128  # when nothing is learned; bounds memory


@dataclass(frozen=True)
class Rows:
    """Training rows on the device.

    Attributes
    ----------
    tokens, vector
        Encoded rows, [n_rows, n_tokens] and [n_rows, n_features] or None.
    fit, validation
        Rows of each replica, int64 [n_replicas, n]; ``validation`` may be None.
    """

    tokens: Tensor
    vector: Tensor | None
    fit: Tensor
    validation: Tensor | None

    def of(self, rows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the inputs of some rows.

        Parameters
        ----------
        rows
            Of each replica, int64 [n_replicas, n].
        """
        return self.tokens[rows], None if self.vector is None else self.vector[rows]


def train(
    network: Network,
    random: ReplicaRandom,
    data: Rows,
    losses: LayerLosses,
    config: TrainingConfig,
    name: str,
    shares: Sequence[float] = (1.0,),
) -> History:
    """Train a stack of networks; leaves each at its best validation loss, or at its last epoch without validation.

    A network may overshoot long before it has learned its patterns. The validation loss is therefore that of the best
    of some shares of what it puts out, chosen for each layer by itself.

    Parameters
    ----------
    network, random
        The stack and its replicas' streams; each replica draws its own batches.
    data
        Rows to learn from.
    losses
        Of the rows; what is learned from is their mean over the layers.
    config
        Epochs, batch size, learning rate, patience and precision.
    name
        Of the stage.
    shares
        Of what the network puts out, each from 0 to 1.
    """
    history = History()

    def batches() -> tuple[Tensor, ...]:
        return data.fit.gather(1, random.permutations(data.fit.shape[1])).split(config.batch_size, 1)

    def train_terms(rows: Tensor) -> dict[str, Tensor]:
        return {"total": losses(network(*data.of(rows)), rows).mean(0)}

    def validation_terms(held: Tensor) -> dict[str, Tensor]:
        total = torch.zeros(len(shares), len(losses.widths), len(random), device=held.device)
        for rows in held.split(ROWS_AT_ONCE, dim=1):
            put_out = network(*data.of(rows))
            total += torch.stack([losses(share * put_out, rows) for share in shares]) * rows.shape[1]
        return {"total": total.amin(0).mean(0) / held.shape[1]}

    stops = partial(validation_terms, data.validation) if data.validation is not None else None
    stage = Stage(name, network, random, batches, train_terms, stops)
    run_stage(stage, config, history)
    network.inputs.settle()
    return history
