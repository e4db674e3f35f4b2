"""Multi-head attention over the tokens of a latent vector."""

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear


class TokenAttention(nn.Module):
    """Multi-head self-attention over the latent vector cut into tokens, with a residual path.

    A latent vector as a sequence of length one would make every attention weight 1. It is therefore cut into
    ``n_tokens`` pieces, each with a learned position embedding, and for each head (Vaswani et al. 2017, Eq. 1)::

        Attention(Q, K, V) = softmax(Q K^T / sqrt(d)) V,    d = n_latent / n_tokens / heads

    Parameters
    ----------
    n_latent
        Width of the latent vector; a multiple of ``n_tokens``.
    n_tokens
        How many tokens a latent vector is cut into, at least 2.
    heads
        Attention heads; must divide ``n_latent / n_tokens``.
    random
        Draws initial weights.
    """

    def __init__(self, n_latent: int, n_tokens: int, heads: int, random: ReplicaRandom) -> None:
        super().__init__()
        width = n_latent // n_tokens
        self.n_tokens, self.heads = n_tokens, heads
        self.position = nn.Parameter(0.02 * random.normal((1, n_tokens, width)))
        self.query_key_value = StackedLinear(width, 3 * width, random)
        self.output = StackedLinear(width, width, random)

    def heads_of(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return tokens [n_replicas, n, T, d_token] and Q, K, V, each [n_replicas, n, heads, T, d].

        Parameters
        ----------
        z
            Latent, [n_replicas, n, n_latent].
        """
        replicas, n, _ = z.shape
        tokens = z.view(replicas, n, self.n_tokens, -1) + self.position
        mixed = self.query_key_value(tokens.flatten(1, 2))  # [R, n * T, 3 * d_token]
        mixed = mixed.view(replicas, n, self.n_tokens, 3, self.heads, -1)
        query, key, value = mixed.permute(3, 0, 1, 4, 2, 5)
        return tokens, query, key, value

    def weights(self, z: Tensor) -> Tensor:
        """Return the attention weights, [n_replicas, n, heads, T, T]; each row sums to 1.

        Parameters
        ----------
        z
            Latent, [n_replicas, n, n_latent].
        """
        _, query, key, _ = self.heads_of(z)
        return torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5, dim=-1)

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
            mixed = torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5, -1) @ value
        else:
            mixed = scaled_dot_product_attention(query, key, value)  # [R * n, heads, T, d]
        mixed = mixed.transpose(1, 2).reshape(*tokens.shape)  # [R, n, T, d_token]
        update = self.output(mixed.flatten(1, 2)).view_as(tokens)
        return (tokens + update).flatten(2)
