"""One network for all drugs: each drug is a query that attends over the tokens of a line's latent vector."""

import torch
from torch import Tensor, nn

from pharmacell.drug_panel.settings import PanelNetworkConfig
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedDropout, StackedLinear

RIDGE = 0.3  # penalty of the vectors' regression on structures, as a share of a drug's squared length


class DrugEmbedding(nn.Module):
    """The vector of each drug: learned, or made from its structure where that is known.

    Parameters
    ----------
    width
        Of a vector.
    structures
        Features of each drug's structure, [n_drugs, n_features]; a row of zeros where none is known.
    random
        Draws initial weights.
    from_structure
        Whether a drug of known structure has no vector of its own.
    """

    structures: Tensor

    def __init__(self, width: int, structures: Tensor, random: ReplicaRandom, from_structure: bool) -> None:
        super().__init__()
        self.register_buffer("structures", structures.to(random.device))
        self.own = nn.Parameter(random.normal((len(structures), width)))  # [R, n_drugs, width]
        self.of_structure = StackedLinear(structures.shape[1], width, random) if from_structure else None

    def forward(self, drugs: Tensor) -> Tensor:
        """Return vectors of measured drugs, [n_replicas, n_asked, width].

        Parameters
        ----------
        drugs
            Their positions, int64 [n_asked].
        """
        own = self.own[:, drugs]
        if self.of_structure is None:
            return own
        structures = self.structures[drugs]
        return torch.where(structures.any(1)[:, None], self.of_structure(structures), own)

    @torch.no_grad()
    def begin_at(self, vectors: Tensor) -> None:
        """Let training begin at given vectors; where they come from structures, at the ridge regression's.

        Parameters
        ----------
        vectors
            Of the drugs, [n_replicas, n_drugs, width].
        """
        self.own.copy_(vectors)
        if self.of_structure is None:
            return
        known = self.structures.any(1)
        x = self.structures[known]
        kernel = x @ x.T  # as many rows as drugs
        kernel.diagonal().add_(RIDGE * kernel.diagonal().mean())
        centre = vectors[:, known].mean(1, keepdim=True)
        self.of_structure.weight.copy_(x.T @ torch.linalg.solve(kernel, vectors[:, known] - centre))
        self.of_structure.bias.copy_(centre)

    def of_molecules(self, structures: Tensor) -> Tensor:
        """Return vectors of any molecules, [n_replicas, n, width].

        Parameters
        ----------
        structures
            Their features, [n, n_features].

        Raises
        ------
        ValueError
            If the vectors are learned, one for each measured drug.
        """
        if self.of_structure is None:
            raise ValueError("learned vectors know no molecule but those that were measured")
        return self.of_structure(structures)


class DrugQueryNetwork(nn.Module):
    """Encoder, attention of drugs over the latent's tokens, predictor; a stack of independently seeded replicas.

    The latent vector of a line is cut into tokens, each with a learned position embedding and a map to values of its
    own. With the query ``q`` of a
    drug, and keys ``k`` and values ``v`` of the tokens, for each head (Vaswani et al. 2017, Eq. 1)::

        a(line, drug, token) = softmax over tokens of q(drug) . k(line, token) / sqrt(d)
        h(line, drug) = sum over heads and tokens of a(line, drug, token) v(line, token)

    The predictor scales and shifts ``h`` as the drug's vector says (Perez et al. 2018), and reads from it the response
    and whether the line is sensitive. To the response it adds the product of the latent vector with a linear map of the
    drug's vector, with which training begins at ridge regression. What a drug gets does not depend on the other drugs
    that are asked.

    Parameters
    ----------
    config
        Shape of the network.
    n_genes
        Genes of the bulk lines.
    structures
        See :class:`DrugEmbedding`.
    random
        Draws initial weights and dropout keys.
    """

    def __init__(self, config: PanelNetworkConfig, n_genes: int, structures: Tensor, random: ReplicaRandom) -> None:
        super().__init__()
        self.config, self.random = config, random
        width = config.latent // config.tokens
        self.encoder = StackedLinear(n_genes, config.latent, random)
        self.position = nn.Parameter(0.02 * random.normal((1, config.tokens, width)))
        self.drugs = DrugEmbedding(
            config.drug_width, structures, random, from_structure=config.drug_features == "fingerprint"
        )
        self.query = StackedLinear(config.drug_width, config.heads * width, random)
        self.key = StackedLinear(width, config.heads * width, random)
        self.value = nn.Parameter(random.normal((config.tokens, width, config.heads * config.hidden)) / width**0.5)
        self.scale_and_shift = StackedLinear(config.drug_width, 2 * config.hidden, random)
        self.dropout = StackedDropout(config.dropout, random)
        self.output = StackedLinear(config.hidden, 2, random)
        self.linear = StackedLinear(config.drug_width, config.latent, random)

    @torch.no_grad()
    def begin_at(self, vectors: Tensor, weights: Tensor, intercepts: Tensor) -> None:
        """Let training begin at a linear prediction of the responses' main directions.

        The first numbers of the latent vector are what is predicted of each direction, and a drug reads them by its
        loadings; nothing is added to the response at first.

        Parameters
        ----------
        vectors
            Loadings of the drugs, [n_replicas, n_drugs, drug_width].
        weights, intercepts
            Of the linear predictions, [n_replicas, n_genes, drug_width] and [n_replicas, drug_width].
        """
        width = self.config.drug_width
        self.drugs.begin_at(vectors)
        self.encoder.weight[..., :width] = weights
        self.encoder.bias[..., :width] = intercepts[:, None]
        self.linear.weight.zero_()
        self.linear.bias.zero_()
        self.linear.weight[..., :width] = torch.eye(width, device=weights.device)
        self.output.weight[..., 0] = 0
        self.output.bias[..., 0] = 0

    def latent(self, x: Tensor) -> Tensor:
        """Return the latent vectors of profiles, [n_replicas, n, latent].

        A gene that a sample lacks is 0, as is one that is masked in training; the others are scaled up for it.

        Parameters
        ----------
        x
            Standardised profiles, [n, n_genes] or [n_replicas, n, n_genes].
        """
        present = (x != 0).float().mean(-1, keepdim=True)
        return self.encoder(x / present.clamp(min=1e-3))

    def attention(self, z: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return attention weights [n_replicas, n, n_drugs, heads, T] and values [n_replicas, n, heads, T, hidden].

        Parameters
        ----------
        z
            Latent vectors, [n_replicas, n, latent].
        vectors
            Of the drugs, [n_replicas, n_drugs, drug_width].
        """
        heads = self.config.heads
        tokens = z.unflatten(2, (self.config.tokens, -1)) + self.position  # [R, n, T, w]
        key = self.key(tokens.flatten(1, 2)).view(*tokens.shape[:3], heads, -1)  # [R, n, T, heads, d]
        value = torch.einsum("rntw,rtwv->rntv", tokens, self.value).unflatten(
            3, (heads, -1)
        )  # [R, n, T, heads, hidden]
        query = self.query(vectors).unflatten(2, (heads, -1))  # [R, D, heads, d]
        scores = torch.einsum("rdhk,rnthk->rndht", query, key) / key.shape[-1] ** 0.5
        return scores.softmax(-1), value.transpose(2, 3)

    def forward(self, z: Tensor, vectors: Tensor) -> Tensor:
        """Return response and logit of each line and drug, [n_replicas, n, n_drugs, 2].

        The response is ln IC50, standardised by drug: lower is more sensitive; the logit is that of being sensitive.

        Parameters
        ----------
        z
            Latent vectors, [n_replicas, n, latent].
        vectors
            Of the drugs, [n_replicas, n_drugs, drug_width].
        """
        weights, value = self.attention(z, vectors)
        mixed = weights.flatten(3) @ value.flatten(2, 3)  # [R, n, D, heads * T] @ [R, n, heads * T, hidden]
        scale, shift = self.scale_and_shift(vectors)[:, None].chunk(2, -1)  # [R, 1, D, hidden] each
        hidden = self.dropout(torch.relu(torch.addcmul(shift, mixed, 1 + scale)))  # [R, n, D, hidden]
        found = self.output(hidden.flatten(1, 2)).view(*mixed.shape[:3], 2)
        linear = z @ self.linear(vectors).transpose(1, 2)  # [R, n, latent] @ [R, latent, D]
        return torch.stack([found[..., 0] + linear, found[..., 1]], -1)
