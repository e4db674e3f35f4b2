"""The model's score under permuted bulk responses: what it would look like if they meant nothing."""

from dataclasses import dataclass

import numpy as np

from pharmacell.core.seeds import generator
from pharmacell.response.ensemble import Ensemble
from pharmacell.response.joint_training import TargetCells
from pharmacell.response.linear_statistic import OrderedMembers, member_weights
from pharmacell.response.network_statistic import network_scores
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import TrainingLines
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.settings import TrainingConfig

PERMUTATIONS = 1000  # of the linear members
NETWORK_PERMUTATIONS = 39  # p-values of 0.025 and more
MOST_NETWORK_CELLS = 2000  # on which networks are compared
LEAST_WEIGHT = 0.01  # of the network in the ensemble, below which it is not tested


@dataclass(frozen=True)
class AdaptationData:
    """What a model was adapted with.

    Attributes
    ----------
    lines, target
        Bulk lines and cells.
    positions
        Of these cells in the sample, int64 [n_cells].
    """

    lines: TrainingLines
    target: TargetCells
    positions: np.ndarray


@dataclass(frozen=True)
class Null:
    """Scores under the real order of the bulk responses (first) and under permutations of it.

    Attributes
    ----------
    weights
        Linear score of a cell but for a constant, by gene, float32 [1 + n_permutations, n_genes].
    network
        Score with the network of some cells, float32 [1 + n_network_permutations, n]; None if it was not tested.
    positions
        Of these cells in the sample, int64 [n].
    """

    weights: np.ndarray
    network: np.ndarray | None
    positions: np.ndarray


def permuted_null(
    bundle: Bundle, ensemble: Ensemble, data: AdaptationData, config: TrainingConfig, run: TrainingRun
) -> Null:
    """Learn from the real responses and from permutations of them, in one and the same way.

    A permutation test is exact when the real responses could as well have been any of the permuted ones, and when all
    pass through the same pipeline. Folds, splits and comparisons were made from classes and tissues, so lines change
    places within their fold, database and tissue only: this leaves every fold, and the number of sensitive lines of
    each tissue, as they are. What a tissue's lines have in common is then part of the null, and only what tells lines
    of one tissue apart counts as evidence. A line takes along its responses to the panel's other drugs, on which the
    denoised response rests. Penalties, scales, weights and epochs are chosen anew for each order, the real one among
    them.

    Linear members go through 1,000 permutations and carry the p-values of the cells (see
    :class:`pharmacell.response.linear_statistic.OrderedMembers`); linear members and network together go
    through 39 (:func:`pharmacell.response.network_statistic.network_scores`), for the sample as a whole.

    Parameters
    ----------
    bundle, ensemble
        The real model.
    data
        What it was adapted with.
    config
        Its training.
    run
        Seed, device and attempt.
    """
    rng = generator(run.seed, "null")
    orders = permutations(data.lines.strata, PERMUTATIONS, rng)
    linear = OrderedMembers(data.lines, orders)
    weights = linear.gene_weights(member_weights(linear.validation, linear.labels))
    chosen = np.sort(rng.permutation(len(data.target.x))[:MOST_NETWORK_CELLS])
    network = None
    if ensemble.weights[0] > LEAST_WEIGHT:
        few = 1 + NETWORK_PERMUTATIONS
        network = scores_with_network(bundle, data, linear.first(few), orders[:few], chosen, config, run)
    return Null(weights, network, data.positions[chosen])


def permutations(strata: np.ndarray, wanted: int, rng: np.random.Generator) -> np.ndarray:
    """Return the lines in their own order, then with lines of a stratum in random order, int64 [1 + wanted, n_lines].

    Parameters
    ----------
    strata
        Stratum of each line, [n_lines].
    wanted
        How many permutations.
    rng
        Draws them.
    """
    orders = np.tile(np.arange(len(strata)), (1 + wanted, 1))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        orders[1:, rows] = rng.permuted(np.tile(rows, (wanted, 1)), axis=1)
    return orders


def scores_with_network(
    bundle: Bundle,
    data: AdaptationData,
    members: OrderedMembers,
    orders: np.ndarray,
    chosen: np.ndarray,
    config: TrainingConfig,
    run: TrainingRun,
) -> np.ndarray:
    """Return the ensemble's score of some cells under each order, float32 [n_orders, n].

    Parameters
    ----------
    bundle, data, config, run
        As in :func:`permuted_null`.
    members
        The linear members under these orders.
    orders
        int64 [n_orders, n_lines].
    chosen
        Which of the cells that took part in training, int64 [n].
    """
    network = network_scores(bundle, data.lines, data.target, orders, chosen, config, run)
    scale = np.maximum(network.validation.std(-1, keepdims=True), 1e-6)
    standardised = (network.validation - network.validation.mean(-1, keepdims=True)) / scale
    weights = member_weights(np.concatenate([standardised[:, None], members.validation], 1), members.labels)
    of_network = weights[:, :1] * (network.cells / scale).mean(0)
    cells = data.target.x[chosen].cpu().numpy()
    return (of_network + members.gene_weights(weights[:, 1:]) @ cells.T).astype(np.float32)
