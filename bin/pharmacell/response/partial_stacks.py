"""Train a stack some replicas at a time: less memory or time, and the same numbers up to rounding."""

from collections.abc import Callable

import torch
from torch import Tensor

from pharmacell.response.network import ATSDP
from pharmacell.training.loop import History

Stage = Callable[[ATSDP, Tensor | None, History], Tensor]
WIDE = 500_000  # weights of a replica's first layer, from which a stack gains nothing on one or two cores


def most_at_once(model: ATSDP, at_once: int) -> int:
    """Return how many replicas train together: on a processor, wide networks one after the other.

    The products of a wide network keep a core busy by themselves, and a replica that has stopped early costs nothing
    when it is alone: of five stacked ones, all go on until the last has stopped.

    Parameters
    ----------
    model
        The stack.
    at_once
        Most replicas that train together.
    """
    wide = model.n_genes * (*model.config.encoder, model.config.bottleneck)[0] >= WIDE
    return 1 if wide and model.random.device.type == "cpu" else at_once


def train_in_turns(model: ATSDP, at_once: int, history: History, stage: Stage) -> Tensor:
    """Run one stage of training on a whole stack, or on some replicas after others.

    Replicas share no weight and no random number, so it matters for memory and time only who trains beside whom.

    Parameters
    ----------
    model
        The stack; trained in place.
    at_once
        Most replicas that train together.
    history
        Takes the stage's rows, each under its replica's number in the whole stack.
    stage
        Trains a stack and returns one value for each replica. Its second argument is None, or the replicas
        (int64 [n]) whose data to use.

    Returns
    -------
    Tensor
        What ``stage`` returned, [n_replicas].
    """
    at_once = most_at_once(model, at_once)
    if at_once >= model.n_replicas:
        return stage(model, None, history)
    values = []
    for replicas in torch.arange(model.n_replicas).split(at_once):
        seeds, own = [model.random.seeds[i] for i in replicas], History()
        stack = ATSDP(model.config, model.n_genes, seeds, model.random.device)
        stack.load_state_dict({name: weights[replicas] for name, weights in model.state_dict().items()})
        values.append(stage(stack, replicas, own))
        for name, weights in model.state_dict().items():
            weights[replicas] = stack.state_dict()[name]
        history.rows += [(*row[:4], row[4] + int(replicas[0]), row[5]) for row in own.rows]
    return torch.cat(values)
