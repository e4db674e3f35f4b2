"""The folds of a cross-validation as one stack of replicas, each adapted to its own cells."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pharmacell.core.seeds import generator, integer
from pharmacell.response.ensemble import Ensemble, fit_ensemble
from pharmacell.response.joint_training import TargetCells, train_jointly, train_target_autoencoder
from pharmacell.response.neighbours import CELLS_PER_NEIGHBOUR, COMPONENTS
from pharmacell.response.network import ATSDP
from pharmacell.response.settings import NEIGHBOURS, ATSDPConfig, Configuration
from pharmacell.response.training_lines import TrainingLines, replica_seeds
from pharmacell.response.validation import PlainValidation, ShiftedValidation
from pharmacell.training.clusters import cluster_cells
from pharmacell.training.loop import History
from pharmacell.training.losses import class_cross_entropy, mmd, reconstruction
from pharmacell.training.memory import training_bytes

if TYPE_CHECKING:
    from pharmacell.benchmark.fold import Fold
    from pharmacell.response.store import Bundle

VALIDATION_CELLS = 10  # one cell in so many only decides when to stop
KEPT_APART = 5  # labelled cells of each class, at least, that decide when to stop where there are ten
ROWS_AT_ONCE = 256  # cells of each replica that are scored in one pass
HELD_ROWS = 600  # of shifted validation for each replica: a fifth of some 1,000 lines at three severities


@dataclass(frozen=True)
class AdaptedFolds:
    """A stack after its joint stage.

    Attributes
    ----------
    model
        Replica k of fold i stands at ``i * n_replicas + k``.
    n_replicas
        Replicas of each fold.
    ensembles
        Linear members, weights and calibration of each fold; None where the network stands alone.
    device
        Where the stack lives.
    """

    model: ATSDP
    n_replicas: int
    ensembles: list[Ensemble] | None
    device: torch.device


def adapt_folds(
    folds: Sequence["Fold"],
    bundle: "Bundle",
    lines: TrainingLines,
    settings: Configuration,
    n_replicas: int,
    device: torch.device,
) -> AdaptedFolds:
    """Adapt copies of pretrained replicas to the training cells of each fold.

    Parameters
    ----------
    folds
        With equally many training cells, all with enough labels or none.
    bundle
        Pretrained replicas, ``n_replicas`` for each repeat.
    lines
        The bulk lines that they learned from.
    settings
        Network, training and transfer.
    n_replicas
        Replicas of each fold.
    device
        Where to train.
    """
    pretrained = [fold.key[0] * n_replicas + k for fold in folds for k in range(n_replicas)]
    of = torch.tensor(pretrained, device=device)  # the pretrained replica that each replica of the stack begins with
    seeds = [seed for fold in folds for seed in replica_seeds(fold.seed, "fine-tuning", n_replicas)]
    model = ATSDP(settings.network, len(folds[0].genes), seeds, device)
    for name in ("source", "predictor"):
        weights = getattr(bundle.model, name).state_dict()
        getattr(model, name).load_state_dict({key: value[of] for key, value in weights.items()})
    target = stacked_target(folds, settings.transfer.clustering, n_replicas, device)
    validation, data = of_replicas(lines.validation, of), lines.training_set
    data = replace(
        data, rows=data.rows[of], plain_rows=data.plain_rows[of], labels=data.labels[of], validation=data.validation[of]
    )
    history = History()
    if settings.transfer.encoder_init == "bulk":
        model.target.load_state_dict(model.source.state_dict())
    else:
        train_target_autoencoder(model, target, settings.training, history)
    train_jointly("joint", model, data, validation, target, settings, history)
    ensembles = None
    if settings.training.ensemble and not target.stops_by_labels:
        assert isinstance(validation, ShiftedValidation)  # a network beside linear members has no other
        assert bundle.ensemble is not None
        labels = np.asarray(validation.labels)
        network, pooled = validation.network_scores(model, "target"), validation.pooled.cpu().numpy()
        linear = bundle.ensemble.linear[of.cpu().numpy()]
        ensembles = [
            fit_ensemble(linear[rows], network[rows], pooled[rows], labels[rows])
            for rows in rows_of_folds(len(folds), n_replicas)
        ]
    return AdaptedFolds(model.eval(), n_replicas, ensembles, device)


def rows_of_folds(n_folds: int, n_replicas: int) -> list[slice]:
    """Return which replicas of a stack belong to each fold.

    Parameters
    ----------
    n_folds, n_replicas
        Folds of a stack, and replicas of each.
    """
    return [slice(*ends) for ends in pairwise(range(0, n_folds * n_replicas + 1, n_replicas))]


def without_single_cells(validation: PlainValidation | ShiftedValidation) -> PlainValidation | ShiftedValidation:
    """Drop the single simulated cells, which take much memory: the joint stage looks at their means only.

    Parameters
    ----------
    validation
        What replicas stop by.
    """
    return validation if isinstance(validation, PlainValidation) else replace(validation, x=validation.x[:0].clone())


def of_replicas(validation: PlainValidation | ShiftedValidation, of: Tensor) -> PlainValidation | ShiftedValidation:
    """Return the validation of chosen replicas, without single simulated cells.

    Parameters
    ----------
    validation
        What the pretrained replicas stop by.
    of
        Their numbers, int64 [n].
    """
    if isinstance(validation, PlainValidation):
        return validation
    rows = of.cpu().numpy()
    return ShiftedValidation(validation.x[:0], validation.labels[rows], validation.groups[rows], validation.pooled[of])


def stacked_target(folds: Sequence["Fold"], clustering: str, n_replicas: int, device: torch.device) -> TargetCells:
    """Lay the training cells of all folds under one another; each replica has the rows of its fold.

    Clusters are found among a fold's training cells alone.

    Parameters
    ----------
    folds
        With equally many training cells.
    clustering
        See :func:`pharmacell.training.clusters.cluster_cells`.
    n_replicas
        Of each fold.
    device
        Where the cells go.
    """
    n = len(folds[0].train)
    clusters = []
    training_rows: list[Tensor] = []
    validation_rows: list[Tensor] = []
    labelled_rows: list[Tensor] = []
    stops_by_labels = folds[0].enough_labels()
    for number, fold in enumerate(folds):
        clusters.append(cluster_cells(fold.train, clustering, integer(fold.seed, "clusters")))
        validation = stop_cells(fold.train_labels, generator(fold.seed, "validation cells"))
        known = (fold.train_labels >= 0) & ~(validation & stops_by_labels)
        for lists, chosen in ((training_rows, ~validation), (validation_rows, validation), (labelled_rows, known)):
            lists += [torch.as_tensor(number * n + np.flatnonzero(chosen), device=device)] * n_replicas
    return TargetCells(
        x=torch.as_tensor(np.concatenate([fold.train for fold in folds]), device=device),
        clusters=torch.as_tensor(np.concatenate(clusters), device=device),
        n_clusters=max(int(own.max()) for own in clusters) + 1,
        labels=torch.as_tensor(np.concatenate([fold.train_labels for fold in folds]), device=device)[None],
        training_rows=torch.stack(training_rows),
        validation_rows=torch.stack(validation_rows),
        labelled_rows=labelled_rows,
        stops_by_labels=stops_by_labels,
    )


def stop_cells(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose a tenth of the cells, at least ten where there are twenty, bool [n_cells].

    Their number depends on the number of cells alone, so that folds make one stack. Of each class it is a tenth, but
    at least five and at most half; the others, such as cells without a label where few have one, are drawn at random.

    Parameters
    ----------
    labels
        1 or 0, -1 for cells without one, int64 [n_cells].
    rng
        Draws the cells.
    """
    wanted = max(len(labels) // VALIDATION_CELLS, min(2 * KEPT_APART, len(labels) // 2), 1)
    chosen = np.zeros(len(labels), bool)
    classes = sorted((rng.permutation(np.flatnonzero(labels == label)) for label in (0, 1)), key=len)
    for cells in classes:  # the smaller class first
        size = max(len(cells) // VALIDATION_CELLS, min(KEPT_APART, len(cells) // 2))
        chosen[cells[: min(size, wanted - int(chosen.sum()))]] = True
    unlabelled = rng.permutation(np.flatnonzero(labels < 0))
    others = np.concatenate([cells[~chosen[cells]] for cells in (unlabelled, *reversed(classes))])
    chosen[others[: wanted - int(chosen.sum())]] = True
    return chosen


@torch.no_grad()
def network_scores(adapted: AdaptedFolds, blocks: list[np.ndarray]) -> list[np.ndarray]:
    """Return the logit differences of each fold's own rows, [n_replicas, n] for each block [n, n_genes].

    Parameters
    ----------
    adapted
        The stack.
    blocks
        Rows of each fold, [n, n_genes].
    """
    longest = max(len(block) for block in blocks)
    found = [np.empty((adapted.n_replicas, len(block)), np.float32) for block in blocks]
    for start in range(0, longest, ROWS_AT_ONCE):
        size = min(ROWS_AT_ONCE, longest - start)
        x = torch.zeros(len(blocks), size, blocks[0].shape[1])
        for own, block in zip(x, blocks, strict=True):
            part = block[start : start + size]
            own[: len(part)] = torch.as_tensor(part)
        logits = adapted.model.logits(x.to(adapted.device).repeat_interleave(adapted.n_replicas, 0), "target")
        difference = (logits[..., 1] - logits[..., 0]).cpu().numpy()
        for own, rows in zip(found, rows_of_folds(len(blocks), adapted.n_replicas), strict=True):
            width = max(0, min(size, own.shape[1] - start))
            own[:, start : start + width] = difference[rows, :width]
    return found


def predict_folds(folds: Sequence["Fold"], adapted: AdaptedFolds, neighbours: int | None) -> list[np.ndarray]:
    """Return the probability of each fold's test cells, float32 [n_test] each; the mean over its replicas.

    Parameters
    ----------
    folds
        Those that the stack was adapted to.
    adapted
        The stack.
    neighbours
        Training cells over which a test cell's score is averaged, 0 for none; None: 15 with linear members, else 0.
    """
    from scipy.special import expit

    if neighbours is None:
        neighbours = NEIGHBOURS if adapted.ensembles else 0
    test = network_scores(adapted, [fold.test for fold in folds])
    train = network_scores(adapted, [fold.train for fold in folds]) if neighbours else test
    found = []
    for number, fold in enumerate(folds):
        ensemble = adapted.ensembles[number] if adapted.ensembles else None

        def score(network: np.ndarray, x: np.ndarray, ensemble: Ensemble | None = ensemble) -> np.ndarray:
            return network if ensemble is None else ensemble.score(network, x)

        own = score(test[number], fold.test)
        if neighbours:
            own = among_training_cells(own, score(train[number], fold.train), fold, neighbours)
        found.append((expit(own) if ensemble is None else ensemble.probability(own)).mean(0).astype(np.float32))
    return found


def among_training_cells(own: np.ndarray, train: np.ndarray, fold: "Fold", neighbours: int) -> np.ndarray:
    """Average each test cell's score with those of the training cells most like it.

    As :func:`pharmacell.response.neighbours.smooth`, but no test cell lends its score to another: components are fitted
    to the training cells, and neighbours are sought among them.

    Parameters
    ----------
    own, train
        Scores of test and of training cells, [n_replicas, n_test] and [n_replicas, n_train].
    fold
        Their expression.
    neighbours
        Wanted for each cell; at most a tenth of the training cells.
    """
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    k = min(neighbours, len(fold.train) // CELLS_PER_NEIGHBOUR)
    if k < 1:
        return own
    components = min(COMPONENTS, *fold.train.shape)
    pca = PCA(components, svd_solver="randomized", random_state=integer(fold.seed, "components")).fit(fold.train)
    near = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(pca.transform(fold.train))
    found = near.kneighbors(pca.transform(fold.test), return_distance=False)  # [n_test, k]
    return (own + train[:, found].sum(2)) / (k + 1)


def replica_bytes(settings: Configuration, n_genes: int, n_train: int) -> int:
    """Return the memory in bytes that one replica adds to a stack.

    The training of its network, the training cells, and three copies of those that decide when to stop.

    Parameters
    ----------
    settings
        Network and training.
    n_genes, n_train
        Shared genes, and training cells of a fold.
    """
    held = HELD_ROWS if settings.training.validation == "shifted" else 0
    rows = n_train + 3 * (n_train // VALIDATION_CELLS + 1) + 2 * held
    training = stacked_network_bytes(settings.network, n_genes, settings.training.batch_size)
    return training + rows * n_genes * np.dtype(np.float32).itemsize


def stacked_network_bytes(config: ATSDPConfig, n_genes: int, batch_size: int) -> int:
    """Return what the training of one network takes, beside its rows: the larger of autoencoder and joint stage.

    Parameters
    ----------
    config
        Shape of the network.
    n_genes, batch_size
        Shape of a batch.
    """
    model = ATSDP(config, n_genes, [0], "meta")
    lines, cells = torch.empty(2, 1, batch_size, n_genes, device="meta")
    labels = torch.empty(1, batch_size, dtype=torch.long, device="meta")

    def joint() -> Tensor:
        z_source, z_target = model.source.encoder(lines), model.target.encoder(cells)
        return class_cross_entropy(model.predictor(z_source), labels) + mmd(z_source, z_target)

    return max(training_bytes(model, lambda: reconstruction(model.target(cells), cells)), training_bytes(model, joint))
