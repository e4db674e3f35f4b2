"""How much memory the training of a network takes, counted without taking it."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

COPIES = 5  # of a parameter: value, gradient, two moments of AdamW, best value so far


def training_bytes(network: nn.Module, step: Callable[[], Tensor]) -> int:
    """Predict the peak of training a network, beside the rows that it learns from.

    Counted are five copies of each parameter, what one step keeps for its backward pass, and twice the largest of that
    (a gradient and what it is made of).

    Parameters
    ----------
    network
        On the device ``meta``, where tensors have a shape and no memory.
    step
        Takes the network's loss on one batch, on the same device.

    Returns
    -------
    int
        Bytes.
    """
    parameters = {value.untyped_storage()._cdata: value.nbytes for value in network.parameters()}
    kept: dict[int, int] = {}

    def keep(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage._cdata not in parameters:
            kept[storage._cdata] = storage.nbytes()
        return value

    network.train()
    with saved_tensors_hooks(keep, lambda value: value):
        loss = step()  # the name keeps what was saved alive, so that no two storages share an address
    del loss
    return COPIES * sum(parameters.values()) + sum(kept.values()) + 2 * max(kept.values(), default=0)
