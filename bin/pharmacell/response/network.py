"""ATSDP-NET: attention and transfer from bulk lines to single cells (Front. Med. 2025, 10.3389/fmed.2025.1631898)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pharmacell.nn.attention import TokenAttention
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedMLP
from pharmacell.response.settings import ATSDPConfig


class Autoencoder(nn.Module):
    """Encoder and mirrored decoder over the shared genes, for every replica.

    Parameters
    ----------
    config
        Shape of the network.
    n_genes
        Number of shared genes.
    random
        Draws initial weights and dropout keys.
    """

    def __init__(self, config: ATSDPConfig, n_genes: int, random: ReplicaRandom) -> None:
        super().__init__()
        widths = (n_genes, *config.encoder, config.bottleneck)
        self.encoder = StackedMLP(widths, config.dropout, random, config.relu_latent)
        self.decoder = StackedMLP(widths[::-1], config.dropout, random)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct [n_replicas, n, n_genes].

        Parameters
        ----------
        x
            Standardised expression, [n, n_genes] or [n_replicas, n, n_genes].
        """
        return self.decoder(self.encoder(x))


class Predictor(nn.Module):
    """Attention over latent tokens, then a perceptron with two outputs: resistant (0) and sensitive (1).

    Parameters
    ----------
    config
        Shape of the network.
    random
        Draws initial weights and dropout keys.
    """

    def __init__(self, config: ATSDPConfig, random: ReplicaRandom) -> None:
        super().__init__()
        self.attention = (
            TokenAttention(config.bottleneck, config.tokens(), config.heads, random, config.plain_attention)
            if config.heads
            else nn.Identity()
        )
        self.classifier = StackedMLP((config.bottleneck, *config.predictor, 2), config.dropout, random)

    def forward(self, z: Tensor) -> Tensor:
        """Map the latent [n_replicas, n, bottleneck] to logits [n_replicas, n, 2].

        Parameters
        ----------
        z
            Latent, [n_replicas, n, bottleneck].
        """
        return self.classifier(self.attention(z))


class ATSDP(nn.Module):
    """A stack of independently seeded ATSDP-NETs.

    Bulk lines pass through the source autoencoder's encoder, cells through the target's, and both through one
    predictor. ``n_genes`` are the genes that bulk and cells share.

    Parameters
    ----------
    config
        Shape of the network.
    n_genes
        Number of shared genes.
    seeds
        One seed for each replica.
    device
        Where the weights live.
    """

    def __init__(
        self, config: ATSDPConfig, n_genes: int, seeds: Sequence[int], device: torch.device | str = "cpu"
    ) -> None:
        super().__init__()
        self.config, self.n_genes = config, n_genes
        self.random = ReplicaRandom(seeds, device)
        self.source = Autoencoder(config, n_genes, self.random)
        self.target = Autoencoder(config, n_genes, self.random)
        self.predictor = Predictor(config, self.random)

    @property
    def n_replicas(self) -> int:
        """Number of replicas in the stack."""
        return len(self.random)

    def logits(self, x: Tensor, domain: str) -> Tensor:
        """Return logits [n_replicas, n, 2] of standardised expression [n, n_genes] of ``source`` or ``target``.

        Parameters
        ----------
        x
            Standardised expression, [n, n_genes] or [n_replicas, n, n_genes].
        domain
            ``source`` or ``target``.
        """
        return self.predictor(getattr(self, domain).encoder(x))

    def probability(self, x: Tensor, domain: str) -> Tensor:
        """Return the probability of being sensitive, [n_replicas, n].

        Parameters
        ----------
        x
            Standardised expression, [n, n_genes] or [n_replicas, n, n_genes].
        domain
            ``source`` or ``target``.
        """
        return self.logits(x, domain).softmax(-1)[..., 1]
