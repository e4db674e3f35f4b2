"""All replicas of a stack as the attribution methods need them: cut behind the first affine map."""

import torch
from torch import Tensor, nn

from pharmacell.nn.attention import TokenAttention
from pharmacell.nn.stacked import StackedLinear, StackedMLP
from pharmacell.response.network import ATSDP


class Replicas:
    """The path from a cell's genes to each replica's logit difference (sensitive minus resistant).

    A path between two cells stays straight through an affine map, so what happens behind the first one can be
    attributed to its output, the hidden numbers of a cell, and be carried to the genes by its weights: the same
    attributions at a fraction of the cost.

    Parameters
    ----------
    model
        The stack; its weights are shared, not copied.
    """

    def __init__(self, model: ATSDP) -> None:
        first, *encoder = layers(model.target.encoder)
        attention = model.predictor.attention
        if not isinstance(first, StackedLinear):
            raise TypeError("an encoder begins with an affine map")
        self.n_replicas = model.n_replicas
        self.affine = first
        self.attention = attention if isinstance(attention, TokenAttention) else None
        self.encoder = encoder
        between = [self.attention] if self.attention is not None else []
        self.behind = [*encoder, *between, *layers(model.predictor.classifier)]

    @torch.no_grad()
    def hidden(self, x: Tensor) -> Tensor:
        """Return the hidden numbers of cells.

        Parameters
        ----------
        x
            Standardised expression, [n, n_genes].

        Returns
        -------
        Tensor
            [n_replicas, n, width].
        """
        return self.affine(x)

    def difference(self, hidden: Tensor) -> Tensor:
        """Return the logit differences, [n_replicas, n].

        Parameters
        ----------
        hidden
            [n_replicas, n, width].
        """
        return logit_difference(through(self.behind, hidden))

    def latent(self, hidden: Tensor) -> Tensor:
        """Return the latent vectors, [n_replicas, n, n_latent].

        Parameters
        ----------
        hidden
            [n_replicas, n, width].
        """
        return through(self.encoder, hidden)

    @torch.no_grad()
    def to_genes(self, multipliers: Tensor, number: int) -> Tensor:
        """Carry one replica's multipliers of the hidden numbers to the genes, [n, n_genes].

        Parameters
        ----------
        multipliers
            Of all replicas, [n_replicas, n, width].
        number
            Which replica.
        """
        return multipliers[number] @ self.affine.weight[number].T


def layers(stacked: StackedMLP) -> list[nn.Module]:
    """Return the layers of a perceptron without its dropout.

    Parameters
    ----------
    stacked
        The perceptron.
    """
    return [layer for layer in stacked if isinstance(layer, StackedLinear | nn.ReLU)]


def through(modules: list[nn.Module], z: Tensor) -> Tensor:
    """Return what comes out of modules, one behind the other.

    Parameters
    ----------
    modules
        In their order.
    z
        What goes in, [n_replicas, n, width].
    """
    for module in modules:
        z = attend(module, z) if isinstance(module, TokenAttention) else module(z)
    return z


def attend(layer: TokenAttention, z: Tensor) -> Tensor:
    """Return what the attention block makes of latent vectors, [n_replicas, n, n_latent].

    The fused kernel of :meth:`pharmacell.nn.attention.TokenAttention.forward` takes longer for heads this narrow.

    Parameters
    ----------
    layer
        The attention block.
    z
        Latent vectors, [n_replicas, n, n_latent].
    """
    tokens, query, key, value = layer.heads_of(z)
    scores = (query / query.shape[-1] ** 0.5) @ key.transpose(-1, -2)
    weights = torch.softmax(scores, dim=-1)
    return layer.latent(tokens, layer.update(weights @ value))


def logit_difference(logits: Tensor) -> Tensor:
    """Return sensitive minus resistant, [n_replicas, n].

    Parameters
    ----------
    logits
        [n_replicas, n, 2].
    """
    return logits[..., 1] - logits[..., 0]
