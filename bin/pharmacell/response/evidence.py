"""What speaks for or against a sample's predictions and needs training: shifted scores and the permuted null."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from pharmacell.core.seeds import generator
from pharmacell.data.shifts import SEVERITIES
from pharmacell.evaluate.bootstrap import bootstrap
from pharmacell.linear.fits import LinearFits
from pharmacell.response.ensemble import MEMBERS
from pharmacell.response.joint_training import Target, train_jointly
from pharmacell.response.linear_members import LinearChoice, permuted_members
from pharmacell.response.network import ATSDP
from pharmacell.response.partial_stacks import halved
from pharmacell.response.pretraining import train_predictor
from pharmacell.response.settings import TransferConfig
from pharmacell.training.loop import History
from pharmacell.training.settings import TrainingConfig

if TYPE_CHECKING:
    from pharmacell.data.cells import CellMatrix
    from pharmacell.response.store import Bundle
    from pharmacell.response.training_lines import Source

PERMUTATIONS = 20
NETWORKS_AT_ONCE = 5  # of the null; a stack of all twenty takes most of the memory of the step
LEAST_WEIGHT = 0.01  # of the network in the ensemble, below which the null does without it
CALIBRATION_BINS = 10
HALVES = 10  # random halves of genes, and of lines
RANGE_COMPONENTS = 20
RANGE_QUANTILE = 0.99


def source_evidence(bundle: "Bundle", source: "Source") -> dict:
    """Score the adapted model on held-out lines as simulated cells.

    Returns
    -------
    dict
        ``shifted_auroc`` (value, low, high; whole lines are drawn in the bootstrap), ``shifted_auroc_members`` (mean
        over folds and severities), ``ensemble_weights``, ``reliability`` (bins of ``predicted, observed, n``) and
        ``calibration_error`` (expected calibration error, classes weighted equally).
    """
    validation = source.validation
    network = validation.network_scores(bundle.model, "target")
    members = bundle.ensemble.members(network, validation.pooled.cpu().numpy())  # [R, 4, n]
    combined = np.einsum("k,rkn->rn", bundle.ensemble.weights, members)
    probability = bundle.ensemble.probability(combined)
    truth = validation.labels
    lines = np.tile(source.held, (1, len(SEVERITIES)))
    interval = bootstrap(truth.ravel(), probability.ravel(), n=200, groups=lines.ravel()).set_index("metric")
    found = interval.loc["auroc", ["low", "high"]].to_dict()
    bins, error = reliability(truth.ravel(), probability.ravel())
    return {
        "shifted_auroc": {"value": float(validation.auroc(combined).mean()), **found},
        "shifted_auroc_members": {
            name: float(validation.auroc(members[:, k]).mean()) for k, name in enumerate(MEMBERS)
        },
        "ensemble_weights": bundle.ensemble.named_weights(),
        "reliability": bins,
        "calibration_error": error,
    }


def reliability(truth: np.ndarray, probability: np.ndarray) -> tuple[list[dict], float]:
    """Return reliability bins and the expected calibration error, both classes weighted equally.

    Parameters
    ----------
    truth, probability
        [n].
    """
    weight = np.where(truth == 1, 0.5 / max(truth.mean(), 1e-9), 0.5 / max(1 - truth.mean(), 1e-9)) / len(truth)
    edges = np.minimum((probability * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    bins, error = [], 0.0
    for number in np.unique(edges):
        rows = edges == number
        total = weight[rows].sum()
        predicted, observed = (float(np.average(v[rows], weights=weight[rows])) for v in (probability, truth))
        bins.append({"predicted": predicted, "observed": observed, "n": int(rows.sum())})
        error += total * abs(predicted - observed)
    return bins, float(error)


def null_scores(
    bundle: "Bundle",
    source: "Source",
    target: Target,
    cells: "CellMatrix",
    choice: LinearChoice,
    training: TrainingConfig,
    transfer: TransferConfig,
    joint_epochs: torch.Tensor,
    seed: int,
    device: torch.device,
    halvings: int = 0,
) -> np.ndarray:
    """Score all cells with the same model trained on permuted responses.

    For each permutation the lines swap their responses; linear members are refitted for every fold, and one network
    is trained from the unlabelled autoencoder for as many epochs as the real ones took (their median), then adapted to
    the cells. Weights, scales and penalties stay those of the real model.

    Returns
    -------
    numpy.ndarray
        Combined scores, float32 [20, n_cells].
    """
    rng = generator(seed, "null")
    orders = np.stack([rng.permutation(len(source.labels)) for _ in range(PERMUTATIONS)])
    ensemble, n_replicas = bundle.ensemble, bundle.model.n_replicas
    share = ensemble.weights[None, 1:] / ensemble.scale[:, 1:]  # [R, 3]
    members = permuted_members(source, choice, orders)
    linear = np.einsum("rm,prmg->pg", share, members) / n_replicas  # one weight vector for each permutation
    offset = (ensemble.weights[1:] * ensemble.centre[:, 1:] / ensemble.scale[:, 1:]).sum(1).mean()

    found, start = np.empty((PERMUTATIONS, len(cells)), np.float32), 0
    for block in cells.chunks(bundle.genes):
        found[:, start : start + len(block)] = linear @ bundle.target.apply(block).T - offset
        start += len(block)
    if ensemble.weights[0] > LEAST_WEIGHT:  # or twenty networks would be trained for nothing
        for some in torch.arange(PERMUTATIONS).split(halved(NETWORKS_AT_ONCE, halvings)):
            network = null_networks(
                bundle, source, target, orders, some, training, transfer, joint_epochs, seed, device
            )
            centre, scale = (values[some % n_replicas, 0][:, None] for values in (ensemble.centre, ensemble.scale))
            start = 0
            for block in cells.chunks(bundle.genes):
                with torch.no_grad():
                    logits = network.logits(torch.as_tensor(bundle.target.apply(block), device=device), "target")
                difference = (logits[..., 1] - logits[..., 0]).cpu().numpy()
                found[some, start : start + len(block)] += ensemble.weights[0] * (difference - centre) / scale
                start += len(block)
    return found


def null_networks(
    bundle, source, target, orders, some, training: TrainingConfig, transfer: TransferConfig, joint_epochs, seed, device
) -> ATSDP:
    """Train one network for each of some permutations as one stack; see :func:`null_scores`."""
    from pharmacell.response.training_lines import replica_seeds

    seeds, of_replica = replica_seeds(seed, "null", len(orders)), some % bundle.model.n_replicas
    null = ATSDP(bundle.model.config, len(bundle.genes), [seeds[i] for i in some], device)
    null.source.encoder.load_state_dict(
        {name: value[of_replica].to(device) for name, value in bundle.autoencoder.items()}
    )
    labels = torch.as_tensor(source.labels[orders[some]], device=device).long()
    # rows that resampling made belong to the real labels: the null learns from the lines as they are
    data = replace(
        source.data,
        rows=source.data.plain_rows[of_replica],
        plain_rows=source.data.plain_rows[of_replica],
        labels=labels,
        validation=source.data.validation[of_replica],
    )

    def median(epochs) -> int:
        return max(1, int(np.median(np.asarray(epochs))))

    history = History()
    train_predictor(
        "null predictor", null, data, None, replace(training, epochs=median(bundle.card["predictor_epochs"])), history
    )
    null.target.load_state_dict(null.source.state_dict())
    if max(joint_epochs) > 0:
        train_jointly(
            "null joint", null, data, None, target, replace(training, epochs=median(joint_epochs)), transfer, history
        )
    return null.eval()


def target_evidence(bundle: "Bundle", source: "Source", target: Target, choice: LinearChoice, seed: int) -> dict:
    """Check direction, stability and range of the adapted model on the cells; no cell label is read.

    Returns
    -------
    dict
        ``sign_agreement`` (mean over replicas of the cosine between the score's mean gene gradient and the bulk
        signature), ``replicas_reversed`` (replicas for which it is negative), ``stability_half_genes`` and
        ``stability_half_lines`` (mean Spearman correlation of ridge scores with those of ridge on everything), and
        ``share_beyond_range``.
    """
    cells = target.x.cpu().numpy()
    cosines = sign_cosines(bundle, target)
    genes, lines = stability(source, cells, choice, generator(seed, "halves"))
    return {
        "sign_agreement": float(cosines.mean()),
        "replicas_reversed": int((cosines < 0).sum()),
        "stability_half_genes": genes,
        "stability_half_lines": lines,
        "share_beyond_range": share_beyond_range(source, cells),
    }


def sign_cosines(bundle: "Bundle", target: Target, most: int = 256) -> np.ndarray:
    """Return, for each replica, the cosine between the mean gradient of its score over cells and the signature."""
    x = target.x[:most].clone().requires_grad_(True)
    logits = bundle.model.logits(x.expand(bundle.model.n_replicas, -1, -1), "target")
    difference = (logits[..., 1] - logits[..., 0]).sum(1)  # [R]
    ensemble = bundle.ensemble
    gradients = np.stack(
        [torch.autograd.grad(value, x, retain_graph=True)[0].mean(0).cpu().numpy() for value in difference]
    )  # [R, n_genes]
    share = ensemble.weights / ensemble.scale  # [R, 4]
    gradients = share[:, :1] * gradients + np.einsum("rm,rmg->rg", share[:, 1:], ensemble.linear)
    signature = bundle.baselines.weights[0]
    lengths = np.linalg.norm(gradients, axis=1) * np.linalg.norm(signature)
    return gradients @ signature / np.maximum(lengths, 1e-12)


def stability(source: "Source", cells: np.ndarray, choice: LinearChoice, rng: np.random.Generator) -> tuple:
    """Return the stability under half of the genes and half of the lines; see :func:`target_evidence`."""
    from scipy.stats import spearmanr

    n_lines, n_genes = source.x.shape

    def scores(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        fits = LinearFits(np.ascontiguousarray(source.x[rows][:, columns]))
        # the penalty acts on as many squared genes as there are: halve it with them
        weights = fits.ridge(source.response[rows, None], choice.alpha * len(columns) / n_genes)[0]
        return cells[:, columns] @ weights

    everything = scores(np.arange(n_lines), np.arange(n_genes))

    def mean_agreement(halves) -> float:
        return float(np.nanmean([spearmanr(everything, scores(*half)).statistic for half in halves]))

    by_genes = mean_agreement(
        (np.arange(n_lines), np.sort(rng.permutation(n_genes)[: n_genes // 2])) for _ in range(HALVES)
    )
    by_lines = mean_agreement(
        (np.sort(rng.permutation(n_lines)[: n_lines // 2]), np.arange(n_genes)) for _ in range(HALVES)
    )
    return by_genes, by_lines


def share_beyond_range(source: "Source", cells: np.ndarray) -> float:
    """Return the share of cells further out than 99 % of the simulated cells of bulk lines.

    Distance is Mahalanobis's on the first 20 principal components of the lines, so that it is about programmes that
    the lines have, and the simulated cells carry the noise that single cells add.
    """
    from sklearn.decomposition import PCA

    components = min(RANGE_COMPONENTS, len(source.x) - 1, source.x.shape[1])
    pca = PCA(components, svd_solver="randomized", random_state=0).fit(source.x)

    def distance(rows: np.ndarray) -> np.ndarray:
        return (pca.transform(rows) ** 2 / pca.explained_variance_).sum(1)

    reference = np.quantile(distance(source.validation.x[0].cpu().numpy()), RANGE_QUANTILE)
    return float((distance(cells) > reference).mean())
