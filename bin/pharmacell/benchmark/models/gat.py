"""Graph attention network over similar cells."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import dropout, elu
from typing_extensions import override

from pharmacell.benchmark.graph_model import GraphConfig, GraphModel


@dataclass(frozen=True)
class GATConfig(GraphConfig):
    """See :class:`pharmacell.benchmark.graph_model.GraphConfig`.

    Attributes
    ----------
    attention_heads
        Heads of the first layer, each of width ``hidden / attention_heads``.
    """

    attention_heads: int = 4


class GAT(nn.Module):
    """Two graph attention layers (Velickovic et al. 2018, arXiv:1710.10903, Eq. 3 and 5)::

        alpha_ij = softmax over neighbours j of  LeakyReLU(a . [W h_i | W h_j])
        h'_i = concatenation over heads of  ELU(sum over j of  alpha_ij W h_j)

    each node being its own neighbour too; the last layer has one head and gives the logits.

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: GATConfig, n_genes: int) -> None:
        from torch_geometric.nn import GATConv

        super().__init__()
        self.rate = config.dropout
        width = config.hidden // config.attention_heads
        self.first = GATConv(n_genes, width, config.attention_heads, dropout=config.dropout)
        self.second = GATConv(width * config.attention_heads, 2, 1, dropout=config.dropout)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Map nodes [n, n_genes] and edges [2, n_edges] to logits [n, 2].

        Parameters
        ----------
        x
            Nodes, [n, n_genes].
        edges
            Sender and receiver of each edge, int64 [2, n_edges].
        """
        return self.second(dropout(elu(self.first(x, edges)), self.rate, self.training), edges)


class GATModel(GraphModel[GATConfig]):
    """:class:`GAT` on the graph of each fold."""

    config_class = GATConfig

    @override
    def network(self, n_genes: int) -> GAT:
        return GAT(self.config, n_genes)
