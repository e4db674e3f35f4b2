"""Recurrent layers of a stack of replicas, each step one batched matrix product over the replicas."""

import torch
from torch import Tensor, nn

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear


class StackedRecurrent(nn.Module):
    """What the recurrent layers share: the products of the inputs of all steps at once, and the walk over the steps.

    Parameters
    ----------
    n_in
        Width of a token.
    units
        Width of the state.
    gates
        Affine maps in a step.
    random
        Draws initial weights.
    """

    def __init__(self, n_in: int, units: int, gates: int, random: ReplicaRandom) -> None:
        super().__init__()
        self.units = units
        self.input = StackedLinear(n_in, gates * units, random)
        self.recurrent = StackedLinear(units, gates * units, random)
        for layer in (self.input, self.recurrent):  # torch bounds both by the width of the state
            for value in layer.parameters():
                value.data *= (len(layer.weight[0]) / units) ** 0.5

    def start(self, x: Tensor) -> tuple[Tensor, ...]:
        """Return the state before the first token; its first part is what the layer gives out.

        Parameters
        ----------
        x
            Tokens, [n_replicas, n, n_tokens, n_in].
        """
        raise NotImplementedError

    def step(self, given: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the next state from the products of one token, [n_replicas, n, gates * units].

        Parameters
        ----------
        given
            Products of one token, [n_replicas, n, gates * units].
        state
            What the step before left; its first part is what the layer gives out.
        """
        raise NotImplementedError

    def forward(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Map tokens to the state after each of them.

        Parameters
        ----------
        x
            [n_replicas, n, n_tokens, n_in].
        keep
            bool, [n_replicas, n, n_tokens]; a token that is not kept leaves the state as it is. None keeps all.

        Returns
        -------
        Tensor
            [n_replicas, n, n_tokens, units].
        """
        given = self.input(x.flatten(1, 2)).view(*x.shape[:3], -1)
        kept = None if keep is None else keep.unsqueeze(-1).unbind(2)
        state, outputs = self.start(x), []
        for token, products in enumerate(given.unbind(2)):
            new = self.step(products, state)
            state = (
                new
                if kept is None
                else tuple(torch.where(kept[token], after, before) for after, before in zip(new, state, strict=True))
            )
            outputs.append(state[0])
        return torch.stack(outputs, 2)


class StackedGRU(StackedRecurrent):
    """Gated recurrent units (Cho et al. 2014), in the form of ``torch.nn.GRU``.

    With reset gate r, update gate z and candidate c of state h and token x::

        r = sigmoid(W_r x + U_r h),  z = sigmoid(W_z x + U_z h),  c = tanh(W_c x + r * (U_c h)),  h' = (1 - z) c + z h

    Parameters
    ----------
    n_in
        Width of a token.
    units
        Width of the state.
    random
        Draws initial weights.
    """

    def __init__(self, n_in: int, units: int, random: ReplicaRandom) -> None:
        super().__init__(n_in, units, 3, random)

    def start(self, x: Tensor) -> tuple[Tensor, ...]:
        """See :class:`StackedRecurrent`.

        Parameters
        ----------
        x
            Tokens, [n_replicas, n, n_tokens, n_in].
        """
        return (x.new_zeros(*x.shape[:2], self.units),)

    def step(self, given: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """See :class:`StackedRecurrent`.

        Parameters
        ----------
        given
            Products of one token, [n_replicas, n, gates * units].
        state
            What the step before left; its first part is what the layer gives out.
        """
        (h,) = state
        recurrent = self.recurrent(h)
        both = 2 * self.units
        reset, update = torch.sigmoid(given[..., :both] + recurrent[..., :both]).chunk(2, -1)
        candidate = torch.tanh(torch.addcmul(given[..., both:], reset, recurrent[..., both:]))
        return (torch.lerp(candidate, h, update),)


class StackedLSTM(StackedRecurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with a forget gate), in the form of ``torch.nn.LSTM``.

    With input gate i, forget gate f, candidate g and output gate o::

        m' = f m + i g,  h' = o tanh(m');  i, f, o = sigmoid(W x + U h),  g = tanh(W_g x + U_g h)

    Parameters
    ----------
    n_in
        Width of a token.
    units
        Width of the state.
    random
        Draws initial weights.
    """

    def __init__(self, n_in: int, units: int, random: ReplicaRandom) -> None:
        super().__init__(n_in, units, 4, random)

    def start(self, x: Tensor) -> tuple[Tensor, ...]:
        """See :class:`StackedRecurrent`.

        Parameters
        ----------
        x
            Tokens, [n_replicas, n, n_tokens, n_in].
        """
        zeros = x.new_zeros(*x.shape[:2], self.units)
        return zeros, zeros

    def step(self, given: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """See :class:`StackedRecurrent`.

        Parameters
        ----------
        given
            Products of one token, [n_replicas, n, gates * units].
        state
            What the step before left; its first part is what the layer gives out.
        """
        h, memory = state
        enter, forget, candidate, leave = (given + self.recurrent(h)).chunk(4, -1)
        memory = torch.sigmoid(forget) * memory + torch.sigmoid(enter) * torch.tanh(candidate)
        return torch.sigmoid(leave) * torch.tanh(memory), memory
