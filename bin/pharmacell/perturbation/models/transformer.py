"""One block of multi-head attention over the tokens."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm, relu, scaled_dot_product_attention
from typing_extensions import override

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear
from pharmacell.perturbation.models.body import Body
from pharmacell.perturbation.models.inputs import WIDTH


@dataclass(frozen=True)
class TransformerConfig:
    """Heads (the study's two), width, and the study's training."""

    heads: int = 2
    units: int = 64
    learning_rate: float = 0.003
    epochs: int = 400
    batch_size: int = 50


class TransformerBody(Body):
    """Multi-head self-attention and a perceptron for each token, both with a residual path and normalisation.

    Vaswani et al. 2017, Eq. 1 and section 3.2.2; positions are learned, and the mean over the tokens goes to the head.

    Parameters
    ----------
    config
        Widths.
    n_tokens
        Length of the sequence.
    random
        Draws initial weights.
    """

    def __init__(self, config: TransformerConfig, n_tokens: int, random: ReplicaRandom) -> None:
        super().__init__()
        self.heads, self.width = config.heads, config.units
        self.position = nn.Parameter(0.02 * random.normal((1, n_tokens, config.units)))
        self.token = StackedLinear(WIDTH, config.units, random)
        self.query_key_value = StackedLinear(config.units, 3 * config.units, random)
        self.mixed = StackedLinear(config.units, config.units, random)
        self.inner = StackedLinear(config.units, 2 * config.units, random)
        self.outer = StackedLinear(2 * config.units, config.units, random)

    def attend(self, x: Tensor, keep: Tensor | None, shape: tuple[int, int, int]) -> Tensor:
        """Mix the tokens [n_replicas, n * n_tokens, units] of each row.

        Parameters
        ----------
        x
            Tokens, [n_replicas, n * n_tokens, units].
        keep
            Which tokens are no padding, bool [n_replicas, n, n_tokens]; None: all.
        shape
            Replicas, rows and tokens.
        """
        replicas, n, n_tokens = shape
        parts = self.query_key_value(x).view(replicas * n, n_tokens, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # [R * n, heads, T, units / heads] each
        mask = None if keep is None else keep.reshape(replicas * n, 1, 1, n_tokens)
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.mixed(mixed.transpose(1, 2).reshape(replicas, n * n_tokens, self.width))

    @override
    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        replicas, n, n_tokens, _ = x.shape
        shape = replicas, n, n_tokens
        tokens = self.token(x.flatten(1, 2)).view(*shape, -1) + self.position
        tokens = tokens.flatten(1, 2)  # [R, n * T, units]
        tokens = layer_norm(tokens + self.attend(tokens, keep, shape), (self.width,))
        tokens = layer_norm(tokens + self.outer(relu(self.inner(tokens))), (self.width,)).view(*shape, -1)
        if keep is None:
            return tokens.mean(2)
        return (tokens * keep.unsqueeze(-1)).sum(2) / keep.sum(2, keepdim=True).to(torch.float32)
