"""What the attention block looks at: maps of each head, their entropy, and the genes behind each token."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from pharmacell.data.cells import CellMatrix
from pharmacell.explain.class_means import CLASSES, standardised_chunks
from pharmacell.explain.replica import PlainReplica
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
    bundle: Bundle, cells: CellMatrix, labels: np.ndarray, rng: np.random.Generator, device: torch.device
) -> AttentionTables:
    """Return attention maps, entropies and token genes of all replicas.

    Parameters
    ----------
    bundle
        The model; it must have an attention block.
    cells
        The sample.
    labels
        Predicted labels, 1 or 0, [n_cells].
    rng
        Draws the cells whose gradients are averaged.
    device
        Where to compute.
    """
    replicas = [PlainReplica(bundle.model, number).to(device).eval() for number in range(bundle.model.n_replicas)]
    block = replicas[0].attention
    shape = (len(replicas), block.heads, 2)
    maps = np.zeros((*shape, block.n_tokens, block.n_tokens))
    sums, squares = np.zeros(shape), np.zeros(shape)
    for rows, x in standardised_chunks(bundle, cells, "attention of the cells"):
        for number, replica in enumerate(replicas):
            first = replica.first(torch.as_tensor(x, device=device))
            _, weights, _ = replica.attention.mix(replica.latent(first))  # [n, heads, T, T]
            entropy = relative_entropy(weights).cpu().numpy()
            weights = weights.cpu().numpy()
            for label in (0, 1):
                own = labels[rows] == label
                maps[number, :, label] += weights[own].sum(0, dtype=np.float64)
                sums[number, :, label] += entropy[own].sum(0)
                squares[number, :, label] += (entropy[own] ** 2).sum(0)
    counts = np.bincount(labels, minlength=2)
    n_cells = np.maximum(counts, 1)
    means = sums / n_cells
    spread = np.sqrt(np.maximum(squares / n_cells - means**2, 0))
    return AttentionTables(
        map_table(maps / n_cells[:, None, None], counts),
        entropy_table(means, spread, counts),
        token_table(bundle, cells, replicas, rng, device),
    )


def relative_entropy(weights: torch.Tensor) -> torch.Tensor:
    """Return the entropy of attention weights [n, heads, T, T] as a share of the largest possible one, [n, heads]."""
    entropy = -(weights * weights.clamp_min(1e-12).log()).sum(-1)
    return entropy.mean(-1) / np.log(weights.shape[-1])


def map_table(maps: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    """Return maps [n_replicas, heads, 2, T, T] as long rows, of the classes that have cells."""
    names = ("replica", "head", "class", "query", "key")
    axes = np.indices(maps.shape).reshape(len(names), -1)
    table = pd.DataFrame(dict(zip(names, axes, strict=True)) | {"weight": maps.ravel().astype(np.float32)})
    return named_classes(table, counts)


def entropy_table(means: np.ndarray, spread: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    """Return entropies and their spread over cells, [n_replicas, heads, 2], as long rows."""
    axes = dict(zip(("replica", "head", "class"), np.indices(means.shape).reshape(3, -1), strict=True))
    return named_classes(pd.DataFrame(axes | {"entropy": means.ravel(), "std": spread.ravel()}), counts)


def named_classes(table: pd.DataFrame, counts: np.ndarray) -> pd.DataFrame:
    """Keep the classes that have cells, by name."""
    table = table[table["class"].isin(np.flatnonzero(counts))]
    return table.assign(**{"class": np.array(CLASSES)[table["class"]]}).reset_index(drop=True)


def token_table(
    bundle: Bundle, cells: CellMatrix, replicas: list[PlainReplica], rng: np.random.Generator, device: torch.device
) -> pd.DataFrame:
    """Return the genes to which each token answers most.

    For token t with latent values ``z_t``, a gene's value is ``mean over cells of |d ||z_t|| / d x_g|``, over up to 256
    cells drawn at random.
    """
    _, x = cells.sample(bundle.genes, CELLS_FOR_GRADIENTS, rng)
    x = torch.as_tensor(bundle.standardise_cells(x), device=device)
    genes, rows = np.asarray(bundle.genes), []
    for number, replica in enumerate(replicas):
        for token, values in enumerate(token_gradients(replica, x)):
            top = np.argsort(-values, kind="stable")[:GENES_OF_A_TOKEN]
            rows.append(
                pd.DataFrame(
                    {
                        "replica": number,
                        "token": token,
                        "rank": np.arange(1, len(top) + 1),
                        "gene": genes[top],
                        "gradient": values[top],
                    }
                )
            )
    return pd.concat(rows, ignore_index=True)


def token_gradients(replica: PlainReplica, x: torch.Tensor) -> np.ndarray:
    """Return the mean absolute gradient of each token's length, [n_tokens, n_genes], over cells [n, n_genes]."""
    found = []
    with torch.enable_grad():
        first = replica.first(x).requires_grad_()
        lengths = replica.latent(first).unflatten(-1, (replica.attention.n_tokens, -1)).norm(dim=-1)  # [n, T]
        for token in range(lengths.shape[1]):
            gradient = torch.autograd.grad(lengths[:, token].sum(), first, retain_graph=True)[0]
            found.append(replica.to_genes(gradient).abs().mean(0).cpu().numpy())
    return np.stack(found)
