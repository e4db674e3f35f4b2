"""Multi-head attention over the tokens of a latent vector."""

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear


class TokenAttention(nn.Module):
    """Multi-head self-attention over the latent vector cut into tokens, with a residual path unless it is plain.

    A latent vector as a sequence of length one would make every attention weight 1. It is therefore cut into
    ``n_tokens`` pieces, each with a learned position embedding, and for each head (Vaswani et al. 2017, Eq. 1)::

        Attention(Q, K, V) = softmax(Q K^T / sqrt(d)) V,    d = max(1, n_latent / n_tokens / heads)

    Tokens are projected to heads x d numbers and back, so that any number of heads fits any number of tokens.

    Parameters
    ----------
    n_latent
        Width of the latent vector; a multiple of ``n_tokens``.
    n_tokens
        How many tokens a latent vector is cut into, at least 2.
    heads
        Attention heads.
    random
        Draws initial weights.
    plain
        Whether there are neither position embeddings nor a residual path, as in the paper.
    """

    def __init__(self, n_latent: int, n_tokens: int, heads: int, random: ReplicaRandom, plain: bool = False) -> None:
        super().__init__()
        width = n_latent // n_tokens
        inner = heads * max(1, width // heads)
        self.n_tokens, self.heads, self.plain = n_tokens, heads, plain
        self.position = None if plain else nn.Parameter(0.02 * random.normal((1, n_tokens, width)))
        self.query_key_value = StackedLinear(width, 3 * inner, random)
        self.output = StackedLinear(inner, width, random)

    def heads_of(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return tokens [n_replicas, n, T, d_token] and Q, K, V, each [n_replicas, n, heads, T, d].

        Parameters
        ----------
        z
            Latent, [n_replicas, n, n_latent].
        """
        replicas, n, _ = z.shape
        tokens = z.view(replicas, n, self.n_tokens, -1)
        if self.position is not None:
            tokens = tokens + self.position
        mixed = self.query_key_value(tokens.flatten(1, 2))  # [R, n * T, 3 * heads * d]
        mixed = mixed.view(replicas, n, self.n_tokens, 3, self.heads, -1)
        query, key, value = mixed.permute(3, 0, 1, 4, 2, 5)
        return tokens, query, key, value

    def update(self, mixed: Tensor) -> Tensor:
        """Return what the heads say of each token, [n_replicas, n, T, d_token].

        Parameters
        ----------
        mixed
            The values mixed by each head, [n_replicas, n, heads, T, d].
        """
        side_by_side = mixed.transpose(2, 3).flatten(3)  # [R, n, T, heads * d]
        return self.output(side_by_side.flatten(1, 2)).unflatten(1, side_by_side.shape[1:3])

    def latent(self, tokens: Tensor, update: Tensor) -> Tensor:
        """Return the latent vectors behind the block, [n_replicas, n, n_latent].

        Parameters
        ----------
        tokens, update
            What went in and what the heads say of it, [n_replicas, n, T, d_token].
        """
        return (update if self.plain else tokens + update).flatten(2)

    def weights(self, z: Tensor) -> Tensor:
        """Return the attention weights, [n_replicas, n, heads, T, T]; each row sums to 1.

        Parameters
        ----------
        z
            Latent, [n_replicas, n, n_latent].
        """
        _, query, key, _ = self.heads_of(z)
        return torch.softmax(scaled(query) @ key.transpose(-1, -2), dim=-1)

    def forward(self, z: Tensor) -> Tensor:
        """Map the latent [n_replicas, n, n_latent] to the same shape.

        Parameters
        ----------
        z
            Latent, [n_replicas, n, n_latent].
        """
        tokens, query, key, value = self.heads_of(z)
        query, key, value = (part.flatten(0, 1) for part in (query, key, value))  # the fused kernel takes four axes
        if self.training and z.device.type == "cpu":  # half the time of the fused kernel's backward pass
            mixed = torch.softmax(scaled(query) @ key.transpose(-1, -2), -1) @ value
        else:
            mixed = scaled_dot_product_attention(query, key, value)  # [R * n, heads, T, d]
        return self.latent(tokens, self.update(mixed.unflatten(0, z.shape[:2])))


def scaled(query: Tensor) -> Tensor:
    """Divide queries by the root of their width; the products with the keys are four times as many numbers.

    Parameters
    ----------
    query
        [..., T, d].
    """
    return query * query.shape[-1] ** -0.5
