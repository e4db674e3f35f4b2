"""One replica of a stack as ordinary torch modules, cells first, as the attribution methods need it."""

import torch
from torch import Tensor, nn

from pharmacell.nn.attention import TokenAttention
from pharmacell.nn.stacked import StackedLinear, StackedMLP
from pharmacell.response.network import ATSDP


class PlainAttention(nn.Module):
    """The attention block of one replica; the same numbers as :class:`pharmacell.nn.attention.TokenAttention`.

    Parameters
    ----------
    stacked
        The block of all replicas.
    replica
        Which one to take.
    """

    def __init__(self, stacked: TokenAttention, replica: int) -> None:
        super().__init__()
        self.n_tokens, self.heads = stacked.n_tokens, stacked.heads
        self.register_buffer("position", stacked.position[replica].detach().clone())  # [1, T, d_token]
        self.query_key_value = plain_linear(stacked.query_key_value, replica)
        self.output = plain_linear(stacked.output, replica)

    def mix(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens [n, T, d_token], attention weights [n, heads, T, T] and values [n, heads, T, d]."""
        tokens = z.unflatten(-1, (self.n_tokens, -1)) + self.position
        mixed = self.query_key_value(tokens).unflatten(-1, (3, self.heads, -1))  # [n, T, 3, heads, d]
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        weights = torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5, dim=-1)
        return tokens, weights, value

    def forward(self, z: Tensor) -> Tensor:
        """Map the latent [n, n_latent] to the same shape."""
        tokens, weights, value = self.mix(z)
        update = self.output((weights @ value).transpose(1, 2).flatten(2))
        return (tokens + update).flatten(1)


class LogitDifference(nn.Module):
    """Sensitive minus resistant logit."""

    def forward(self, logits: Tensor) -> Tensor:
        """Map [n, 2] to [n]."""
        return logits[:, 1] - logits[:, 0]


class PlainReplica(nn.Module):
    """The path from a cell's genes to the logit difference, cut behind the first affine map.

    A path between two cells stays straight through an affine map, so what happens behind it can be attributed to its
    output, and carried to the genes by its weights: the same attributions at a fraction of the cost.

    Parameters
    ----------
    model
        The stack.
    replica
        Which replica to take.
    """

    def __init__(self, model: ATSDP, replica: int) -> None:
        super().__init__()
        encoder = plain_layers(model.target.encoder, replica)
        attention = model.predictor.attention
        between = [PlainAttention(attention, replica)] if isinstance(attention, TokenAttention) else []
        self.n_encoder = len(encoder) - 1
        self.first = encoder[0]
        self.behind = nn.Sequential(
            *encoder[1:], *between, *plain_layers(model.predictor.classifier, replica), LogitDifference()
        )
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logit difference [n] of standardised expression [n, n_genes]."""
        return self.behind(self.first(x))

    def to_genes(self, multipliers: Tensor) -> Tensor:
        """Carry multipliers of the first map's output [n, width] to the genes, [n, n_genes]."""
        return multipliers @ self.first.weight

    @property
    def attention(self) -> PlainAttention | None:
        """The attention block, or None."""
        return next((layer for layer in self.behind if isinstance(layer, PlainAttention)), None)

    def latent(self, first: Tensor) -> Tensor:
        """Map the first map's output [n, width] to the latent vector [n, n_latent]."""
        return self.behind[: self.n_encoder](first)


def plain_layers(stacked: StackedMLP, replica: int) -> list[nn.Module]:
    """Return one replica of a perceptron, without its dropout; each ReLU is a module of its own."""
    layers = []
    for layer in stacked:
        if isinstance(layer, StackedLinear):
            layers.append(plain_linear(layer, replica))
        elif isinstance(layer, nn.ReLU):
            layers.append(nn.ReLU())
    return layers


def plain_linear(stacked: StackedLinear, replica: int) -> nn.Linear:
    """Return one replica of an affine map."""
    _, n_in, n_out = stacked.weight.shape
    linear = nn.Linear(n_in, n_out, device=stacked.weight.device)
    with torch.no_grad():
        linear.weight.copy_(stacked.weight[replica].T)
        linear.bias.copy_(stacked.bias[replica, 0])
    return linear
