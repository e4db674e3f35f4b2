"""How finely the matrix products of a network round while it trains."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from pharmacell.core.errors import InputError
from pharmacell.nn.stacked import StackedLinear


@contextmanager
def products(network: nn.Module, precision: str) -> Iterator[None]:
    """Let the affine maps of a network take their products in a lower precision; on leaving, all is as before.

    Weights, optimiser, losses and everything between two products stay float32, and so does every prediction after
    training.

    Parameters
    ----------
    network
        What is trained.
    precision
        ``float32``; ``tf32``: a GPU rounds what enters a product to 10 bits behind the leading one (float32 has 23);
        ``bf16``: what enters a product, and its result, are rounded to 7 bits.

    Raises
    ------
    InputError
        If ``tf32`` is asked for where the network is not on a GPU.
    """
    if precision == "tf32" and not next(network.parameters()).is_cuda:
        raise InputError("--precision tf32: only a GPU has it, and this network trains on the CPU; leave it out")
    layers = [layer for layer in network.modules() if isinstance(layer, StackedLinear)]
    allowed = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    for layer in layers:
        layer.rounded = precision == "bf16"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed
        for layer in layers:
            layer.rounded = False
