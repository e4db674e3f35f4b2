"""An affine map to very many outputs, whose weight gradient always lies in the same memory."""

from typing import Any

import torch
from torch import Tensor

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear


class WideOutput(StackedLinear):
    """A stacked affine map that writes the gradient of its weight into one buffer.

    With 18,000 outputs and five replicas that gradient has 93 MB. Asking the system for as much anew in every step, and
    giving it back, takes a quarter of the time of an epoch. The layer may be used once between two steps of an
    optimiser, because the buffer is overwritten, not added to.

    Parameters
    ----------
    n_in, n_out, random
        See :class:`pharmacell.nn.stacked.StackedLinear`.
    """

    def __init__(self, n_in: int, n_out: int, random: ReplicaRandom) -> None:
        super().__init__(n_in, n_out, random)
        self.buffer: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Map [n_replicas, n, n_in] to [n_replicas, n, n_out].

        Parameters
        ----------
        x
            [n_replicas, n, n_in].
        """
        if self.rounded or not (torch.is_grad_enabled() and self.weight.requires_grad):
            return super().forward(x)
        return _Affine.apply(x, self.bias, self)


class _Affine(torch.autograd.Function):
    """``x W + b`` for each replica; the gradient of W goes to the layer's buffer, past autograd."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bias: Tensor, layer: WideOutput) -> Tensor:
        ctx.save_for_backward(x)
        ctx.layer = layer
        return torch.baddbmm(bias, x, layer.weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        (x,), layer = ctx.saved_tensors, ctx.layer
        if layer.buffer is None:
            layer.buffer = torch.empty_like(layer.weight)
        torch.bmm(x.transpose(1, 2), gradient, out=layer.buffer)
        layer.weight.grad = layer.buffer
        return torch.bmm(gradient, layer.weight.detach().transpose(1, 2)), gradient.sum(1, keepdim=True), None
