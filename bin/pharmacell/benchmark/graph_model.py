"""Graph of lines and cells, and the training of a graph network on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from typing_extensions import override

from pharmacell.benchmark.base import BULK_LINES, ComparedModel
from pharmacell.benchmark.fold import Fold
from pharmacell.nn.random import ReplicaRandom
from pharmacell.training.loop import History, Stage, run_stage
from pharmacell.training.settings import TrainingConfig
from pharmacell.training.stacked_fit import stop_rows

ROWS_AT_ONCE = 1000  # of the similarity matrix
MOST_NEIGHBOURS = 50  # of a node; where more are above the threshold, the most similar ones count


@dataclass(frozen=True)
class GraphConfig:
    """Graph and training.

    Attributes
    ----------
    similarity
        Pearson correlation above which two nodes are joined.
    neighbours
        Nearest nodes that a node is joined to which the threshold leaves alone.
    hidden
        Width of the hidden layer.
    epochs, patience
        Most steps on the whole graph, and steps without improvement after which training stops.
    learning_rate, weight_decay
        Of AdamW.
    dropout
        Rate after the hidden layer.
    """

    similarity: float = 0.8
    neighbours: int = 5
    hidden: int = 32
    epochs: int = 60
    patience: int = 10
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3

    def training(self) -> TrainingConfig:
        """Return the part that :func:`pharmacell.training.loop.run_stage` reads."""
        return TrainingConfig(
            epochs=self.epochs,
            patience=self.patience,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
        )


Config = TypeVar("Config", bound=GraphConfig)


def similarity_edges(x: np.ndarray, n_senders: int, threshold: float, neighbours: int) -> np.ndarray:
    """Join nodes whose expression correlates.

    Nodes i and j are joined where their Pearson correlation exceeds the threshold. Standardised values rarely
    correlate that much, so a node that this leaves without a neighbour is joined to the nodes it correlates with most.

    Parameters
    ----------
    x
        Standardised expression of the nodes, float32 [n, n_genes].
    n_senders
        The first so many nodes send to each other and to the rest; the rest receive only.
    threshold, neighbours
        See :class:`GraphConfig`.

    Returns
    -------
    numpy.ndarray
        Sender and receiver of each edge, no node with itself, sorted, int64 [2, n_edges].
    """
    unit = x - x.mean(1, keepdims=True)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
    most = min(MOST_NEIGHBOURS, n_senders - 1)
    codes = []
    for start in range(0, len(x), ROWS_AT_ONCE):
        similarity = unit[start : start + ROWS_AT_ONCE] @ unit[:n_senders].T
        own = np.arange(start, min(start + len(similarity), n_senders))
        similarity[own - start, own] = -np.inf
        nearest = np.argpartition(-similarity, most - 1, axis=1)[:, :most]
        values = np.take_along_axis(similarity, nearest, 1)
        order = np.argsort(-values, axis=1, kind="stable")
        nearest, values = np.take_along_axis(nearest, order, 1), np.take_along_axis(values, order, 1)
        joined = values > threshold
        joined[~joined.any(1), :neighbours] = True
        rows, columns = np.nonzero(joined)
        receivers, senders = rows + start, nearest[rows, columns]
        both = receivers < n_senders
        codes += [senders * len(x) + receivers, receivers[both] * len(x) + senders[both]]
    return np.stack(np.divmod(np.unique(np.concatenate(codes)), len(x)))


class GraphModel(ComparedModel, Generic[Config]):
    """Fits a graph network to each fold by itself: full-batch steps on a graph of the lines and cells of the fold.

    Nodes are all cells of the fold, and the bulk lines where too few cells are labelled. The labels of test cells, of
    cells that the protocol keeps unlabelled, and of the tenth that decides when to stop are masked in the loss. Test
    cells receive from the others and send nothing, so that neither the fit nor another test cell depends on them.

    Parameters
    ----------
    config
        Graph and training; the class's own configuration by default.
    """

    config_class: type[Config]

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or self.config_class()

    def network(self, n_genes: int) -> nn.Module:
        """Return an untrained network: ``forward(x, edges)`` gives logits [n_nodes, 2].

        Parameters
        ----------
        n_genes
            Genes of a node.
        """
        raise NotImplementedError

    @override
    def fit_predict(self, folds: Sequence[Fold], device: torch.device) -> list[np.ndarray]:
        return [self.fit_fold(fold, device) for fold in folds]

    def fit_fold(self, fold: Fold, device: torch.device) -> np.ndarray:
        """Fit and predict one fold.

        Parameters
        ----------
        fold
            What the fit may see.
        device
            Where to train.
        """
        lines = () if fold.enough_labels() else (fold.bulk,)
        x = np.concatenate([*lines, fold.train, fold.test])
        known = np.concatenate([fold.train_labels, np.full(len(fold.test), -1)])
        labels = np.concatenate([fold.bulk_labels, known]) if lines else known
        n_senders = len(x) - len(fold.test)
        edges = similarity_edges(x, n_senders, self.config.similarity, self.config.neighbours)
        labelled = np.flatnonzero(labels >= 0)
        learn, held = (
            torch.as_tensor(labelled[rows], device=device) for rows in stop_rows(labels[labelled], fold.seed)
        )
        nodes, links = torch.as_tensor(x, device=device), torch.as_tensor(edges, device=device)
        classes = torch.as_tensor(labels, device=device)
        share = classes[learn].float().mean().clamp(1e-6, 1 - 1e-6)
        weight = torch.stack([0.5 / (1 - share), 0.5 / share])  # so that 0.5 is where the evidence is even
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(fold.seed)
            network = self.network(x.shape[1]).to(device)

            def terms(rows: Tensor) -> dict[str, Tensor]:
                logits = network(nodes[:n_senders], links[:, links[1] < n_senders])
                return {"total": cross_entropy(logits[rows[0]], classes[rows[0]], weight)[None]}

            random = ReplicaRandom([fold.seed], device)
            stage = Stage("graph", network, random, lambda: [learn[None]], terms, lambda: terms(held[None]))
            run_stage(stage, self.config.training(), History())
        with torch.no_grad():
            probability = network(nodes, links).softmax(1)[:, 1]
        return probability[n_senders:].cpu().numpy()

    @override
    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        # folds follow each other: one fold's rows, twice, and its block of similarities with their order
        nodes = BULK_LINES + n_train + n_test
        return 4 * (3 * nodes * n_genes + 5 * ROWS_AT_ONCE * nodes + 5 * n_genes * self.config.hidden)
