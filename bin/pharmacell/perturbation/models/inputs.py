"""The input block: tokens and chemistry become a sequence of vectors that every body reads."""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear
from pharmacell.perturbation.encodings.base import PAD, InputShape

WIDTH = 16  # of a token, as in the study
VECTOR_TOKENS = 4  # that a row's vector is turned into; with the cell type the sequence has five, as the ordinal one


class Inputs(nn.Module):
    """Learned embeddings of tokens, and an affine map that turns a row's vector into four more tokens.

    Parameters
    ----------
    shape
        Numbers of embeddings, tokens and features.
    random
        Draws initial weights.
    """

    def __init__(self, shape: InputShape, random: ReplicaRandom) -> None:
        super().__init__()
        self.shape = shape
        # uniform within +-0.05: where the study's library begins
        uniform = torch.empty(len(random), shape.n_embeddings, WIDTH, device=random.device)
        for row, generator in zip(uniform, random.generators, strict=True):
            row.uniform_(-0.05, 0.05, generator=generator)
        self.embedding = nn.Parameter(uniform)
        self.vector = StackedLinear(shape.n_features, VECTOR_TOKENS * WIDTH, random) if shape.n_features else None

    @property
    def n_tokens(self) -> int:
        """Length of the sequence that bodies read."""
        return self.shape.n_tokens + (VECTOR_TOKENS if self.vector else 0)

    def forward(self, tokens: Tensor, vector: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the sequence [n_replicas, n, n_tokens, 16] and which of it is no padding (None: all).

        Parameters
        ----------
        tokens
            int64, [n_replicas, n, shape.n_tokens].
        vector
            float32, [n_replicas, n, shape.n_features], or None without features.
        """
        replicas, n_embeddings, _ = self.embedding.shape
        first = torch.arange(replicas, device=tokens.device)[:, None, None] * n_embeddings
        keep = tokens != PAD
        sequence = embedding(tokens.clamp_min(0) + first, self.embedding.flatten(0, 1))  # [R, n, T, 16]
        if self.shape.padded:
            return sequence * keep.unsqueeze(-1), keep
        if self.vector:
            more = self.vector(vector).view(*tokens.shape[:2], VECTOR_TOKENS, WIDTH)
            sequence = torch.cat([sequence, more], 2)
        return sequence, None

    @torch.no_grad()
    def settle(self) -> None:
        """Let what training never showed be the mean of what it showed: the embeddings of unseen categories."""
        for index, start, stop in self.shape.unseen:
            self.embedding[:, index] = self.embedding[:, start:stop].mean(1)
