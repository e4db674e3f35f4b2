"""What the attention block looks at: maps of each head, their entropy, and the genes behind each token."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from pharmacell.explanation.class_means import CLASSES, StandardisedCells, chunks
from pharmacell.explanation.replicas import Replicas
from pharmacell.nn.attention import TokenAttention
from pharmacell.response.store import Bundle

GENES_OF_A_TOKEN = 20
CELLS_FOR_GRADIENTS = 256


@dataclass(frozen=True)
class AttentionTables:
    """Attention of a sample's cells; heads and tokens of one replica have no counterpart in another.

    Parameters
    ----------
    maps
        ``replica, head, class, query, key, weight``: mean over the cells of a class; each query's weights sum to 1.
    entropy
        ``replica, head, class, entropy, std``: of a query's weights, mean over queries and cells, between 0 (one token
        takes all) and 1 (all alike), and its standard deviation over cells.
    token_genes
        ``replica, token, rank, gene, gradient``: the genes to which each token answers most.
    """

    maps: pd.DataFrame
    entropy: pd.DataFrame
    token_genes: pd.DataFrame


@torch.no_grad()
def attention_tables(
    bundle: Bundle,
    x: np.ndarray | StandardisedCells,
    labels: np.ndarray,
    rng: np.random.Generator,
    device: torch.device,
) -> AttentionTables:
    """Return attention maps, entropies and token genes of all replicas.

    Parameters
    ----------
    bundle
        The model; it must have an attention block.
    x
        Standardised expression, [n_cells, n_genes].
    labels
        Predicted labels, 1 or 0, [n_cells].
    rng
        Draws the cells whose gradients are averaged.
    device
        Where to compute.
    """
    replicas = Replicas(bundle.model)
    block = attention_of(replicas)
    shape = (replicas.n_replicas, block.heads, 2)
    maps = np.zeros((*shape, block.n_tokens, block.n_tokens))
    sums, squares = np.zeros(shape), np.zeros(shape)
    for rows in chunks(len(x), "attention of the cells"):
        hidden = replicas.hidden(torch.as_tensor(x[rows], device=device))
        weights = block.weights(replicas.latent(hidden))  # [R, n, heads, T, T]
        entropy = relative_entropy(weights)
        for label in (0, 1):
            own = torch.as_tensor(labels[rows] == label, device=device)
            maps[:, :, label] += weights[:, own].sum(1, dtype=torch.float64).cpu().numpy()
            sums[:, :, label] += entropy[:, own].sum(1, dtype=torch.float64).cpu().numpy()
            squares[:, :, label] += (entropy[:, own] ** 2).sum(1, dtype=torch.float64).cpu().numpy()
    counts = np.bincount(labels, minlength=2)
    n_cells = np.maximum(counts, 1)
    means = sums / n_cells
    spread = np.sqrt(np.maximum(squares / n_cells - means**2, 0))
    drawn = np.sort(rng.choice(len(x), min(len(x), CELLS_FOR_GRADIENTS), replace=False))
    return AttentionTables(
        map_table(maps / n_cells[:, None, None], counts),
        entropy_table(means, spread, counts),
        token_table(bundle.genes, token_gradients(replicas, torch.as_tensor(x[drawn], device=device))),
    )


def attention_of(replicas: Replicas) -> TokenAttention:
    """Return the attention block.

    Parameters
    ----------
    replicas
        The networks; without a block there is nothing to look at.
    """
    if replicas.attention is None:
        raise ValueError("the network has no attention block")
    return replicas.attention


def relative_entropy(weights: torch.Tensor) -> torch.Tensor:
    """Return the entropy of attention weights as a share of the largest possible one, mean over queries, [..., heads].

    Parameters
    ----------
    weights
        [..., heads, T, T].
    """
    entropy = -(weights * weights.clamp_min(1e-12).log()).sum(-1)
    return entropy.mean(-1) / np.log(weights.shape[-1])


def map_table(maps: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    """Return maps as long rows, of the classes that have cells.

    Parameters
    ----------
    maps
        [n_replicas, heads, 2, T, T].
    counts
        Cells of each class, [2].
    """
    names = ("replica", "head", "class", "query", "key")
    axes = np.indices(maps.shape).reshape(len(names), -1)
    table = pd.DataFrame(dict(zip(names, axes, strict=True)) | {"weight": maps.ravel().astype(np.float32)})
    return named_classes(table, counts)


def entropy_table(means: np.ndarray, spread: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    """Return entropies and their spread over cells as long rows.

    Parameters
    ----------
    means, spread
        [n_replicas, heads, 2].
    counts
        Cells of each class, [2].
    """
    axes = dict(zip(("replica", "head", "class"), np.indices(means.shape).reshape(3, -1), strict=True))
    return named_classes(pd.DataFrame(axes | {"entropy": means.ravel(), "std": spread.ravel()}), counts)


def named_classes(table: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """Keep the classes that have cells, by name.

    Parameters
    ----------
    table
        Rows with ``class``, 0 or 1.
    counts
        Cells of each class, [2].
    """
    table = table[table["class"].isin(np.flatnonzero(counts))]
    return table.assign(**{"class": np.array(CLASSES)[table["class"]]}).reset_index(drop=True)


def token_table(genes: list[str], gradients: np.ndarray) -> pd.DataFrame:
    """Return the genes to which each token answers most, the first first, as long rows.

    Parameters
    ----------
    genes
        The model's genes.
    gradients
        From :func:`token_gradients`, [n_replicas, n_tokens, n_genes].
    """
    top = np.argsort(-gradients, axis=-1, kind="stable")[..., :GENES_OF_A_TOKEN]
    replica, token, rank = np.indices(top.shape).reshape(3, -1)
    return pd.DataFrame(
        {
            "replica": replica,
            "token": token,
            "rank": rank + 1,
            "gene": np.asarray(genes)[top].ravel(),
            "gradient": np.take_along_axis(gradients, top, -1).ravel(),
        }
    )


def token_gradients(replicas: Replicas, x: torch.Tensor) -> np.ndarray:
    """Return the mean absolute gradient of each token's length, [n_replicas, n_tokens, n_genes].

    For token t with latent values ``z_t``, a gene's value is ``mean over cells of |d ||z_t|| / d x_g|``.

    Parameters
    ----------
    replicas
        The networks.
    x
        Standardised expression, [n, n_genes].
    """
    found = []
    with torch.enable_grad():
        hidden = replicas.hidden(x).requires_grad_()
        tokens = replicas.latent(hidden).unflatten(-1, (attention_of(replicas).n_tokens, -1))
        lengths = tokens.norm(dim=-1)  # [R, n, T]
        for token in range(lengths.shape[-1]):
            gradient = torch.autograd.grad(lengths[..., token].sum(), hidden, retain_graph=True)[0]
            found.append(
                torch.stack([replicas.to_genes(gradient, number).abs().mean(0) for number in range(len(gradient))])
            )
    return torch.stack(found, 1).cpu().numpy()
