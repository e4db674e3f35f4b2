"""Transformer encoder without positional encoding."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.network_model import Classifier, NetworkModel
from pharmacell.nn.keyed_dropout import KeyedDropout
from pharmacell.training.settings import FitConfig


@dataclass(frozen=True)
class TransformerConfig(FitConfig):
    """Shape and training.

    Attributes
    ----------
    tokens, width
        Tokens that the genes are projected to, and the width of one.
    layers
        Encoder layers.
    attention_heads
        Heads of a layer; must divide the width.
    """

    tokens: int = 8
    width: int = 32
    layers: int = 2
    attention_heads: int = 4


class EncoderLayer(nn.Module):
    """Self-attention and a perceptron, each on normalised input beside a shortcut (Xiong et al. 2020).

    Parameters
    ----------
    width
        Of a token.
    heads
        Attention heads; must divide the width.
    dropout
        Rate after attention and perceptron.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.query_key_value, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropouts = nn.ModuleList(KeyedDropout(dropout) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens [n, T, width] to the same shape.

        Parameters
        ----------
        x
            Tokens, [n, n_tokens, width].
        """
        mixed = self.query_key_value(self.norms[0](x)).unflatten(-1, (3, self.heads, -1))  # [n, T, 3, heads, d]
        query, key, value = mixed.permute(2, 0, 3, 1, 4)  # each [n, heads, T, d]
        weights = torch.softmax(query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5, -1)  # vmap has no fused kernel
        attended = (weights @ value).transpose(1, 2).flatten(2)
        x = x + self.dropouts[0](self.output(attended))
        return x + self.dropouts[1](self.narrow(gelu(self.widen(self.norms[1](x)))))


class Transformer(Classifier):
    """Transformer encoder over tokens of a cell (Vaswani et al. 2017, arXiv:1706.03762, Eq. 1)::

        Attention(Q, K, V) = softmax(Q K^T / sqrt(d)) V

    Each token is its own affine map of all genes, so it is known by its weights, and no positional encoding is added:
    expression has no order. The tokens' mean goes to a linear classifier.

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: TransformerConfig, n_genes: int) -> None:
        super().__init__()
        self.embed = nn.Linear(n_genes, config.tokens * config.width)
        self.dropout = KeyedDropout(config.dropout)
        self.shape = (config.tokens, config.width)
        self.layers = nn.Sequential(
            *(EncoderLayer(config.width, config.attention_heads, config.dropout) for _ in range(config.layers))
        )
        self.classifier = nn.Sequential(nn.LayerNorm(config.width), nn.Linear(config.width, 2))

    @override
    def forward(self, x: Tensor) -> Tensor:
        tokens = self.dropout(self.embed(x)).unflatten(-1, self.shape)
        return self.classifier(self.layers(tokens).mean(1))


class TransformerModel(NetworkModel[TransformerConfig]):
    """:class:`Transformer` on the supervised rows of each fold."""

    config_class = TransformerConfig

    @override
    def network(self, fold: Fold) -> Transformer:
        return Transformer(self.config, len(fold.genes))
