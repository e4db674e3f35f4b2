"""ATSDP-NET: attention and transfer from bulk lines to single cells (Front. Med. 2025, 10.3389/fmed.2025.1631898)."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from pharmacell.core.errors import InputError
from pharmacell.nn.attention import TokenAttention
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedMLP

LARGEST_TOKEN_COUNT = 16


@dataclass(frozen=True)
class ATSDPConfig:
    """Shape of the network.

    Parameters
    ----------
    bottleneck
        Width of the latent vector.
    encoder
        Hidden widths of an encoder, from the genes inwards; the decoder mirrors them.
    predictor
        Hidden widths of the predictor behind the attention.
    dropout
        Rate after each hidden layer.
    heads
        Attention heads; 0 leaves attention out.
    attention_tokens
        Tokens that the latent vector is cut into; None takes the most, up to 16, whose width the heads divide.
    """

    bottleneck: int = 512
    encoder: tuple[int, ...] = (256, 128)
    predictor: tuple[int, ...] = (128, 64)
    dropout: float = 0.3
    heads: int = 8
    attention_tokens: int | None = None

    def tokens(self) -> int:
        """Return the number of attention tokens.

        Raises
        ------
        InputError
            If no number of tokens above one fits the bottleneck and the heads.
        """
        wanted = [self.attention_tokens] if self.attention_tokens else range(LARGEST_TOKEN_COUNT, 1, -1)
        for tokens in wanted:
            if tokens > 1 and self.bottleneck % tokens == 0 and self.bottleneck // tokens % self.heads == 0:
                return tokens
        raise InputError(
            f"--heads {self.heads}: a bottleneck of {self.bottleneck} cannot be cut into "
            f"{self.attention_tokens or 'two or more'} tokens whose width {self.heads} heads divide; "
            "choose fewer heads, a wider bottleneck or other attention tokens"
        )


# Table 2 of the paper
PRESETS = {
    "data1": ATSDPConfig(512, (256, 128), (128, 64), 0.3, heads=8),
    "data2": ATSDPConfig(32, (512, 256), (256, 128), 0.3, heads=8),
    "data3": ATSDPConfig(512, (256, 128), (256, 128), 0.2, heads=4),
    "data4": ATSDPConfig(512, (256, 128), (128, 64), 0.3, heads=8),
}
PRESET_SAMPLING = {"data1": "smote", "data2": "over", "data3": "over", "data4": "over"}
PRESET_EPOCHS = 500


class Autoencoder(nn.Module):
    """Encoder and mirrored decoder over the shared genes, for every replica."""

    def __init__(self, config: ATSDPConfig, n_genes: int, random: ReplicaRandom) -> None:
        super().__init__()
        widths = (n_genes, *config.encoder, config.bottleneck)
        self.encoder = StackedMLP(widths, config.dropout, random)
        self.decoder = StackedMLP(widths[::-1], config.dropout, random)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct [n_replicas, n, n_genes]."""
        return self.decoder(self.encoder(x))


class Predictor(nn.Module):
    """Attention over latent tokens, then a perceptron with two outputs: resistant (0) and sensitive (1)."""

    def __init__(self, config: ATSDPConfig, random: ReplicaRandom) -> None:
        super().__init__()
        self.attention = (
            TokenAttention(config.bottleneck, config.tokens(), config.heads, random) if config.heads else nn.Identity()
        )
        self.classifier = StackedMLP((config.bottleneck, *config.predictor, 2), config.dropout, random)

    def forward(self, z: Tensor) -> Tensor:
        """Map the latent [n_replicas, n, bottleneck] to logits [n_replicas, n, 2]."""
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

    def __init__(self, config: ATSDPConfig, n_genes: int, seeds: Sequence[int], device="cpu") -> None:
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
        """Return logits [n_replicas, n, 2] of standardised expression [n, n_genes] of ``source`` or ``target``."""
        return self.predictor(getattr(self, domain).encoder(x))

    def probability(self, x: Tensor, domain: str) -> Tensor:
        """Return the probability of being sensitive, [n_replicas, n]."""
        return self.logits(x, domain).softmax(-1)[..., 1]
