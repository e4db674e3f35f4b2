"""Graph convolutional network over similar cells."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import dropout, relu
from typing_extensions import override

from pharmacell.benchmark.graph_model import GraphConfig, GraphModel


@dataclass(frozen=True)
class GCNConfig(GraphConfig):
    """See :class:`pharmacell.benchmark.graph_model.GraphConfig`."""


class GCN(nn.Module):
    """Two graph convolutions (Kipf and Welling 2017, arXiv:1609.02907, Eq. 2 and 9)::

        H_(l+1) = max(0, D^(-1/2) (A + I) D^(-1/2) H_l W_l)

    with the adjacency A of similar cells and the degrees D at which nodes receive; the last one is affine and gives the
    logits.

    Parameters
    ----------
    config
        Widths and training.
    n_genes
        Genes of a row.
    """

    def __init__(self, config: GCNConfig, n_genes: int) -> None:
        from torch_geometric.nn import GCNConv

        super().__init__()
        self.rate = config.dropout
        self.first, self.second = GCNConv(n_genes, config.hidden), GCNConv(config.hidden, 2)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Map nodes [n, n_genes] and edges [2, n_edges] to logits [n, 2].

        Parameters
        ----------
        x
            Nodes, [n, n_genes].
        edges
            Sender and receiver of each edge, int64 [2, n_edges].
        """
        return self.second(dropout(relu(self.first(x, edges)), self.rate, self.training), edges)


class GCNModel(GraphModel[GCNConfig]):
    """:class:`GCN` on the graph of each fold."""

    config_class = GCNConfig

    @override
    def network(self, n_genes: int) -> GCN:
        return GCN(self.config, n_genes)
