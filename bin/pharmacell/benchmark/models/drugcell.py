"""DrugCell: a network with the shape of the Gene Ontology, and a branch for the drug's structure."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from typing_extensions import override

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.network_model import Classifier, NetworkModel, perceptron
from pharmacell.data.gene_ontology import TABLE, Hierarchy, hierarchy
from pharmacell.training.settings import FitConfig

RADIUS = 2  # of Morgan fingerprints
BITS = 2048


@dataclass(frozen=True)
class DrugCellConfig(FitConfig):
    """Shape and training.

    Attributes
    ----------
    fewest_genes
        Genes that a term must have to be part of the network.
    neurons
        Of each term.
    drug
        Widths of the drug branch.
    hidden
        Width of the layer that joins cell and drug.
    auxiliary
        Weight ``alpha`` of the terms' own predictions.
    """

    fewest_genes: int = 50
    neurons: int = 4
    drug: tuple[int, ...] = (32, 6)
    hidden: int = 16
    auxiliary: float = 0.2


class MaskedLinear(nn.Module):
    """Affine map with the weights that a mask keeps; the start is that of ``torch.nn.Linear`` for the kept inputs.

    Parameters
    ----------
    mask
        True for the weights that are kept, bool [n_out, n_in].
    """

    mask: Tensor

    def __init__(self, mask: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mask", torch.as_tensor(mask.astype(np.float32)))  # [n_out, n_in]
        bound = torch.as_tensor(1 / np.sqrt(np.maximum(mask.sum(1), 1)), dtype=torch.float32)
        self.weight = nn.Parameter((2 * torch.rand(mask.shape) - 1) * bound[:, None])
        self.bias = nn.Parameter((2 * torch.rand(len(mask)) - 1) * bound)

    def forward(self, x: Tensor) -> Tensor:
        """Map [n, n_in] to [n, n_out].

        Parameters
        ----------
        x
            [n, n_in].
        """
        return linear(x, self.weight * self.mask, self.bias)


class DrugCell(Classifier):
    """Visible network of biological processes (Kuenzi et al. 2020, 10.1016/j.ccell.2020.09.014; Ma et al. 2018).

    Each term t of the ontology has a few neurons, fed by the neurons of its children and by its own genes::

        O_t = norm_l(tanh(W_t [O_children, x_genes(t)] + b_t)),    l the level of t
        L = cross-entropy(predictor([O_root, drug]), y) + alpha * mean over terms of cross-entropy(V_t O_t, y)

    LayerNorm over all neurons of a level, with a scale and a shift of each, stands in for BatchNorm, because running
    statistics would mix the folds of a stack; over the neurons of one term it would leave nothing of how active the
    term is. The root, alone in its level, is not normalised. The published input
    is mutations; here it is expression. The drug branch is a perceptron on the Morgan fingerprint: within a data set
    of one drug it is the same for all rows and adds no more than a bias. An unknown structure is all zeros.

    Parameters
    ----------
    config
        Widths and training.
    shape
        Terms, their genes and children.
    fingerprint
        Of the drug, float32 [BITS].
    """

    used: Tensor
    fingerprint: Tensor

    def __init__(self, config: DrugCellConfig, shape: Hierarchy, fingerprint: np.ndarray) -> None:
        super().__init__()
        self.neurons, self.alpha = config.neurons, config.auxiliary
        level = np.array(shape.level)
        self.by_level = [np.flatnonzero(level == number) for number in range(level.max() + 1)]
        order = np.concatenate(self.by_level)  # neurons are laid out level by level; the root is alone in the last
        place = np.empty(len(order), int)
        place[order] = np.arange(len(order))
        used = sorted({gene for genes in shape.genes for gene in genes})
        self.register_buffer("used", torch.as_tensor(used))
        column = {gene: number for number, gene in enumerate(used)}
        of_genes, of_terms = np.zeros((len(order), len(used)), bool), np.zeros((len(order), len(order)), bool)
        for term, (genes, children) in enumerate(zip(shape.genes, shape.children, strict=True)):
            of_genes[place[term], [column[gene] for gene in genes]] = True
            of_terms[place[term], place[list(children)]] = True
        k = config.neurons
        self.genes = MaskedLinear(of_genes.repeat(k, 0))
        ends = np.cumsum([len(terms) for terms in self.by_level])
        self.of_children = nn.ModuleList(
            MaskedLinear(of_terms[start:end, :start].repeat(k, 0).repeat(k, 1)) for start, end in pairwise(ends)
        )
        self.widths = [k * len(terms) for terms in self.by_level]
        self.norms = nn.ModuleList(
            nn.LayerNorm(k * len(terms)) if len(terms) > 1 else nn.Identity() for terms in self.by_level
        )
        self.terms = nn.Parameter((torch.rand(len(order), k, 2) - 0.5) / k**0.5)
        self.register_buffer("fingerprint", torch.as_tensor(fingerprint))
        self.drug = perceptron((BITS, *config.drug), config.dropout)
        self.predictor = perceptron((k + config.drug[-1], config.hidden, 2), config.dropout)

    def states(self, x: Tensor) -> Tensor:
        """Map [n, n_genes] to the states of all terms, root last, [n, n_terms, neurons].

        Parameters
        ----------
        x
            Rows, [n, n_genes].
        """
        inputs = self.genes(x[:, self.used]).split(self.widths, 1)
        found = [self.norms[0](torch.tanh(inputs[0]))]
        for norm, mine, children in zip(self.norms[1:], inputs[1:], self.of_children, strict=True):
            found.append(norm(torch.tanh(mine + children(torch.cat(found, 1)))))
        return torch.cat(found, 1).unflatten(1, (-1, self.neurons))

    def logits(self, states: Tensor) -> Tensor:
        """Map states [n, n_terms, neurons] to logits [n, 2].

        Parameters
        ----------
        states
            Of all terms, root last, [n, n_terms, neurons].
        """
        drug = self.drug(self.fingerprint[None]).expand(len(states), -1)
        return self.predictor(torch.cat([states[:, -1], drug], 1))

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.logits(self.states(x))

    @override
    def loss(self, x: Tensor, labels: Tensor, weights: Tensor, *target: Tensor) -> Tensor:
        states = self.states(x)
        of_terms = torch.einsum("ntk,tkc->ntc", states, self.terms)
        n_terms = of_terms.shape[1]
        auxiliary = self.cross_entropy(
            of_terms.flatten(0, 1), labels.repeat_interleave(n_terms), weights.repeat_interleave(n_terms)
        )
        return self.cross_entropy(self.logits(states), labels, weights) + self.alpha * auxiliary


def morgan_fingerprint(smiles: str | None) -> np.ndarray:
    """Return the Morgan fingerprint of a structure (Rogers and Hahn 2010), float32 [2048]; zeros for none.

    Parameters
    ----------
    smiles
        Structure; None where it is not known.
    """
    from rdkit import Chem
    from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

    molecule = Chem.MolFromSmiles(smiles) if smiles else None
    if molecule is None:
        return np.zeros(BITS, np.float32)
    return GetMorganGenerator(radius=RADIUS, fpSize=BITS).GetFingerprintAsNumPy(molecule).astype(np.float32)


def genes_of_terms() -> list[str]:
    """Return all genes of the ontology."""
    import pandas as pd

    table = pd.read_parquet(TABLE)
    return table.loc[table["is_gene"], "member"].unique().tolist()


class DrugCellModel(NetworkModel[DrugCellConfig]):
    """:class:`DrugCell` on the supervised rows of each fold.

    Raises
    ------
    InputError
        If none of the shared genes is in the ontology.
    """

    config_class = DrugCellConfig

    @override
    def network(self, fold: Fold) -> DrugCell:
        shape = hierarchy(tuple(fold.genes), self.config.fewest_genes)
        return DrugCell(self.config, shape, morgan_fingerprint(fold.smiles))

    def network_bytes(self, fold: Fold) -> int:
        """Return what the training of the largest network takes: of as many genes as the ontology has.

        Parameters
        ----------
        fold
            How many genes there are.
        """
        return super().network_bytes(replace(fold, genes=genes_of_terms()[: len(fold.genes)]))
