"""Predict all cells of a sample in chunks."""

from dataclasses import dataclass

import numpy as np
import torch

from pharmacell.core.progress import track
from pharmacell.data.cells import CHUNK_CELLS, CellMatrix
from pharmacell.response.columns import ALONE, BASELINE_NAMES, NETWORK
from pharmacell.response.neighbours import smooth
from pharmacell.response.store import Bundle

THRESHOLD = 0.5  # a probability of at least this is called sensitive


@dataclass(frozen=True)
class CellPredictions:
    """Predictions of a sample.

    Attributes
    ----------
    replicas
        Probability of being sensitive of each replica, float32 [n_replicas, n_cells].
    alone
        Probabilities of the network and of signature, ridge and logistic regression by themselves, in the order of
        :data:`pharmacell.response.columns.ALONE`, float32 [4, n_cells].
    scores, scores_alone
        Combined scores behind ``replicas``, float32 [n_replicas, n_cells], and the scores behind ``alone``.
    """

    replicas: np.ndarray
    alone: np.ndarray
    scores: np.ndarray
    scores_alone: np.ndarray

    @classmethod
    def of_scores(cls, bundle: Bundle, scores: np.ndarray, scores_alone: np.ndarray) -> "CellPredictions":
        """Return predictions with the probabilities that belong to scores.

        Parameters
        ----------
        bundle
            The stack that the scores come from.
        scores, scores_alone
            See :class:`CellPredictions`.
        """
        replicas, alone = bundle.link(scores), bundle.link_alone(scores_alone)
        if bundle.ensemble is None:
            alone[ALONE.index(NETWORK)] = replicas.mean(0)
        return cls(replicas, alone, scores, scores_alone)

    @property
    def baselines(self) -> np.ndarray:
        """Probabilities of signature, ridge and logistic regression, [n_cells, 3]."""
        return self.alone[[ALONE.index(name) for name in BASELINE_NAMES]].T

    @property
    def probability(self) -> np.ndarray:
        """Mean over replicas, [n_cells]."""
        return self.replicas.mean(0)

    @property
    def std(self) -> np.ndarray:
        """Standard deviation over replicas, [n_cells]; 0 with one replica."""
        return self.replicas.std(0, ddof=1) if len(self.replicas) > 1 else np.zeros(self.replicas.shape[1], np.float32)

    @property
    def labels(self) -> np.ndarray:
        """1 where the probability is at least 0.5, else 0; int8 [n_cells]."""
        return (self.probability >= THRESHOLD).astype(np.int8)

    def agreement(self) -> tuple[float, int]:
        """Compare the replicas' rankings of the cells.

        Returns
        -------
        mean
            Mean Spearman correlation between pairs of replicas; NaN with one replica.
        opposed
            Replicas whose mean correlation with the others is negative.
        """
        from scipy.stats import rankdata

        n_replicas = len(self.scores)
        if n_replicas < 2:
            return float("nan"), 0
        with np.errstate(invalid="ignore"):  # a replica that gives every cell the same score has no ranking
            correlation = np.nan_to_num(np.corrcoef(rankdata(self.scores, axis=1)))
        with_others = (correlation.sum(1) - correlation.diagonal()) / (n_replicas - 1)
        return float(with_others.mean()), int((with_others < 0).sum())


@torch.no_grad()
def predict_cells(bundle: Bundle, cells: CellMatrix, device: torch.device, chunk: int = CHUNK_CELLS) -> CellPredictions:
    """Predict every cell; at most ``chunk`` cells are dense at a time.

    Parameters
    ----------
    bundle
        Adapted stack.
    cells
        The prepared sample.
    device
        Where to predict.
    chunk
        Cells read and predicted at once.

    Raises
    ------
    InputError
        If the stack was not adapted to cells, or the sample lacks some of its genes.
    """
    model = bundle.model.eval()
    scores = np.empty((model.n_replicas, len(cells)), np.float32)
    alone = np.empty((len(ALONE), len(cells)), np.float32)
    n_chunks = -(-len(cells) // chunk)
    for rows, x in track(
        bundle.standardised_chunks(cells, chunk), "predicting", n_chunks, f"groups of {chunk:,} cells"
    ):
        network = bundle.network_scores(x, "target", device)
        scores[:, rows] = network if bundle.ensemble is None else bundle.ensemble.score(network, x)
        alone[:, rows] = bundle.alone(network, x)
    return CellPredictions.of_scores(bundle, scores, alone)


def smoothed(predictions: CellPredictions, bundle: Bundle, nearest: np.ndarray) -> CellPredictions:
    """Return predictions whose scores are averaged over neighbouring cells, those of the baselines too.

    Parameters
    ----------
    predictions
        Of all cells.
    bundle
        The stack that made them.
    nearest
        From :func:`pharmacell.response.neighbours.nearest_cells`.
    """
    scores, alone = (smooth(part, nearest) for part in (predictions.scores, predictions.scores_alone))
    return CellPredictions.of_scores(bundle, scores, alone)
