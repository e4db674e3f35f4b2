"""Train the panel's network on all measured pairs of a line and a drug."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, embedding

from pharmacell.core.seeds import generator, integer
from pharmacell.data.molecules import canonical_smiles
from pharmacell.data.shifts import pooled_profiles
from pharmacell.data.structures import smiles_of
from pharmacell.drug_panel.linear import LinearChoice
from pharmacell.drug_panel.network import DrugQueryNetwork
from pharmacell.drug_panel.profiles import BulkScale
from pharmacell.drug_panel.responses import Responses
from pharmacell.drug_panel.settings import PanelNetworkConfig
from pharmacell.drug_panel.trained_network import PanelNetwork, structure_features
from pharmacell.linear.fits import LinearFits
from pharmacell.nn.keyed_dropout import drop_
from pharmacell.nn.random import ReplicaRandom
from pharmacell.training.loop import History, Stage, Terms, run_stage
from pharmacell.training.training_set import batches

HELD_PARTS = 5  # of the lines; a replica stops by one of them
COPIES = 5  # imitated pooled profiles of each line; replicas stop by the last
DEPTHS = (100.0, 3000.0)  # counts of such a profile for every 1,000 genes, drawn evenly on a log scale
PLATFORMS = (0.1, 0.5)  # standard deviation of what a platform adds to each gene, drawn evenly
FEWEST_PRESENT = 0.3  # of the genes, in a random set


@dataclass(frozen=True)
class LinesAndDrugs:
    """What the network learns from, as tensors on the device.

    Parameters
    ----------
    profiles
        Standardised: the lines, and their imitated pooled profiles, float32 [copies, n_lines, n_genes].
    z
        What each replica learns: responses half denoised with the lines that it learns from, lower is more sensitive; 0
        where there is none, float32 [n_replicas, n_lines, n_drugs].
    measured
        Where there is one, bool [n_lines, n_drugs].
    sensitive
        1 where a line is called sensitive, float32 [n_lines, n_drugs].
    """

    profiles: Tensor
    z: Tensor
    measured: Tensor
    sensitive: Tensor

    def class_weights(self) -> Tensor:
        """Return the weight of each pair's class, 0 where not measured, [n_lines, n_drugs].

        The sensitive lines of a drug weigh as much together as the resistant ones.
        """
        n = self.measured.sum(0).clamp(min=1)
        share = ((self.sensitive * self.measured).sum(0) / n).clamp(1 / n, 1 - 1 / n)
        return torch.where(self.sensitive == 1, 0.5 / share, 0.5 / (1 - share)) * self.measured


def losses(found: Tensor, data: LinesAndDrugs, class_weights: Tensor, rows: Tensor, weight: float) -> Terms:
    """Return the loss terms of each replica: what was not measured has no part in them.

    Parameters
    ----------
    found
        Response and logit, [n_replicas, b, n_drugs, 2].
    data
        The truth.
    class_weights
        See :meth:`LinesAndDrugs.class_weights`.
    rows
        Lines, int64 [n_replicas, b].
    weight
        Of the classes beside the response.
    """
    measured = data.measured[rows]
    squares = (found[..., 0] - data.z[torch.arange(len(rows), device=rows.device)[:, None], rows]).square() * measured
    response = squares.sum((1, 2)) / measured.sum((1, 2)).clamp(min=1)
    balance = class_weights[rows]
    entropy = binary_cross_entropy_with_logits(found[..., 1], data.sensitive[rows], reduction="none") * balance
    classes = entropy.sum((1, 2)) / balance.sum((1, 2)).clamp(min=1)
    return {"response": response, "classes": classes, "total": response + weight * classes}


def imitated_profiles(lines: BulkScale, seed: int) -> np.ndarray:
    """Return the lines, then imitated pooled profiles of them, float32 [copies, n_lines, n_genes].

    Parameters
    ----------
    lines
        On their scale.
    seed
        Draws depths, platforms and counts.
    """
    own = lines.within(lines.x)
    rng = generator(seed, "panel network profiles")
    copies = [lines.x]
    for _ in range(COPIES):
        depth = float(np.exp(rng.uniform(*np.log(DEPTHS))))
        copies.append(lines.scaler.apply(pooled_profiles(own, depth, rng.uniform(*PLATFORMS), rng)))
    return np.stack(copies)


def masked(profiles: Tensor, rows: Tensor, rate: float, random: ReplicaRandom) -> Tensor:
    """Return profiles as the network meets them in training, [n_replicas, b, n_genes].

    Each row is the line or one of its imitated profiles. A random set of genes is 0 in all rows of a replica's batch,
    as where a sample lacks them, and so is a share of the rest, value by value.

    Parameters
    ----------
    profiles
        [copies, n_lines, n_genes].
    rows
        Lines, int64 [n_replicas, b].
    rate
        Share of the values that is masked.
    random
        The replicas' streams.
    """
    n_copies, n_lines, n_genes = profiles.shape
    picked = random.choices(n_copies, rows.shape[1]) * n_lines + rows
    x = embedding(picked, profiles.flatten(0, 1))
    drawn = random.choices(2**24, n_genes + 1).float() / 2**24  # [R, n_genes + 1], from 0 to 1
    share = FEWEST_PRESENT + (1 - FEWEST_PRESENT) * drawn[:, :1]
    x *= (drawn[:, 1:] < share)[:, None]
    return drop_(x, random.keys(), rate, 1.0) if rate else x


def held_lines(n_lines: int, n_replicas: int, seed: int) -> Tensor:
    """Return the lines that each replica stops by, int64 [n_replicas, n_held]; a fifth, and no line in two of five.

    Parameters
    ----------
    n_lines, n_replicas
        How many.
    seed
        Draws the order.
    """
    order = generator(seed, "panel network lines").permutation(n_lines)
    n_held = n_lines // HELD_PARTS
    parts = [order[part * n_held : (part + 1) * n_held] for part in range(HELD_PARTS)]
    return torch.as_tensor(np.stack([parts[replica % HELD_PARTS] for replica in range(n_replicas)]))


def learnt_from(n_lines: int, held: Tensor) -> list[Tensor]:
    """Return the lines that each replica learns from, int64 [n_learnt] each.

    Parameters
    ----------
    n_lines
        How many there are.
    held
        Lines that each replica stops by, int64 [n_replicas, n_held].
    """
    every = torch.arange(n_lines, device=held.device)
    return [every[~torch.isin(every, own)] for own in held]


def mean_correlation(found: Tensor, truth: Tensor, measured: Tensor) -> Tensor:
    """Return the mean over drugs of the Pearson correlation over lines, [n_replicas].

    Parameters
    ----------
    found, truth
        Predicted and measured response, [n_replicas, n, n_drugs].
    measured
        Pairs that count, bool of the same shape.
    """
    n = measured.sum(1).clamp(min=1)
    a, b = ((x - (x * measured).sum(1, keepdim=True) / n[:, None]) * measured for x in (found, truth))
    lengths = (a.square().sum(1) * b.square().sum(1)).sqrt()
    return ((a * b).sum(1) / lengths.clamp(min=1e-6)).mean(1)


def begin_at_ridge(network: DrugQueryNetwork, x: list[np.ndarray], learned: list[np.ndarray]) -> None:
    """Let training begin at ridge regression of the main directions of the responses.

    With ``Y = U S V'`` the centred responses that a replica learns, a drug's vector begins as its row of ``V``, and the
    first numbers of the latent vector as the ridge predictions of ``U S``: their product is ridge regression of rank
    ``drug_width``. From random weights a network first learns the general sensitivity alone.

    Parameters
    ----------
    network
        The stack.
    x
        Lines that each replica learns from, [n_learnt, n_genes] each.
    learned
        Their responses without gaps, [n_learnt, n_drugs] each.
    """
    width, penalty = network.config.drug_width, LinearChoice().penalty
    vectors = np.zeros((len(x), learned[0].shape[1], width), np.float32)
    weights = np.zeros((len(x), x[0].shape[1], width), np.float32)
    intercepts = np.zeros((len(x), width), np.float32)
    for own_x, y, *found in zip(x, learned, vectors, weights, intercepts, strict=True):
        directions = np.linalg.svd(y - y.mean(0), full_matrices=False)[2][:width]  # [k, n_drugs], k <= width
        k, scale = len(directions), np.sqrt(y.shape[1])  # so that a loading is about 1
        fits, asked = LinearFits(own_x), y @ directions.T / scale
        found[1][:, :k] = fits.ridge(asked, penalty * own_x.shape[1]).T
        found[0][:, :k] = directions.T * scale
        found[2][:k] = asked.mean(0) - fits.mean @ found[1][:, :k]
    device = network.random.device
    network.begin_at(*(torch.as_tensor(array, device=device) for array in (vectors, weights, intercepts)))


def training_data(profiles: np.ndarray, responses: Responses, learned: list[np.ndarray], held: Tensor) -> LinesAndDrugs:
    """Put lines and responses on the device of ``held``.

    Parameters
    ----------
    profiles
        From :func:`imitated_profiles`.
    responses
        Of the lines.
    learned
        What each replica learns of its lines, without gaps, [n_learnt, n_drugs] each.
    held
        Lines that each replica stops by, int64 [n_replicas, n_held].
    """
    measured = np.isfinite(responses.z)
    z = np.zeros((len(learned), *measured.shape), np.float32)
    for own, rows, values in zip(z, learnt_from(len(measured), held), learned, strict=True):
        own[rows.cpu().numpy()] = values
    z *= measured
    sensitive = measured & (np.where(measured, responses.z, np.inf) <= responses.cut)
    arrays = (profiles, z, measured, sensitive.astype(np.float32))
    return LinesAndDrugs(*(torch.as_tensor(array, device=held.device) for array in arrays))


@dataclass(frozen=True)
class Trained:
    """What training leaves.

    Attributes
    ----------
    network
        The trained stack.
    imitated
        Pooled profiles of the lines, imitated, that no replica learned from, float32 [n_lines, n_genes].
    parts
        Which part of the lines each belongs to: the replicas that stop by a part do not learn from it; -1 where all
        replicas learn from a line, int [n_lines].
    held_out, held_out_imitated
        Predicted z of each line, and of its imitated profile, by replicas that did not learn from the line, float32
        [n_lines, n_drugs]; NaN where all did.
    epochs
        Best epoch of each replica.
    history
        Loss terms of each epoch.
    """

    network: PanelNetwork
    imitated: np.ndarray
    parts: np.ndarray
    held_out: np.ndarray
    held_out_imitated: np.ndarray
    epochs: list[int]
    history: History


def train_network(
    lines: BulkScale, responses: Responses, config: PanelNetworkConfig, seed: int, device: torch.device | str = "cpu"
) -> Trained:
    """Train on all measured pairs of a line and a drug.

    Each replica stops by the imitated pooled profiles of a fifth of the lines, from which it does not learn: the mean
    over drugs of the correlation over lines. No cell is seen.

    Parameters
    ----------
    lines
        All bulk genes.
    responses
        Of the lines.
    config
        Shape of the network and its training.
    seed
        Seed of every random number.
    device
        Where it trains.
    """
    device = torch.device(device)
    x, profiles = lines.x, imitated_profiles(lines, seed)
    smiles = [canonical_smiles(text) or "" for text in smiles_of(responses.drugs)]
    structures = structure_features(smiles) if config.drug_features == "fingerprint" else np.zeros((len(smiles), 1))
    random = ReplicaRandom([integer(seed, f"panel network {n}") for n in range(config.replicas)], device)
    network = DrugQueryNetwork(config, x.shape[1], torch.as_tensor(structures, dtype=torch.float32), random)
    held = held_lines(len(x), config.replicas, seed).to(device)
    learned = [responses.learned(rows.cpu().numpy()) for rows in learnt_from(len(x), held)]
    begin_at_ridge(network, [x[rows.cpu().numpy()] for rows in learnt_from(len(x), held)], learned)
    data = training_data(profiles[:-1], responses, learned, held)
    pooled = torch.as_tensor(profiles[-1], device=device)
    truth = torch.as_tensor(np.nan_to_num(responses.z), dtype=torch.float32, device=device)
    history = History()
    epochs = run_stage(stage(network, data, held, pooled, truth), config.training(), history)
    level, slope = (each.astype(np.float32) for each in responses.scale)
    trained = PanelNetwork(network, lines.genes, lines.scaler, responses.drugs, smiles, level, slope)
    parts = np.full(len(x), -1)
    for part, rows in enumerate(held[:HELD_PARTS].cpu().numpy()):
        parts[rows] = part
    of_lines, of_imitated = (held_out(network, held, rows) for rows in (data.profiles[0], pooled))
    return Trained(trained, profiles[-1], parts, of_lines, of_imitated, epochs.tolist(), history)


def stage(network: DrugQueryNetwork, data: LinesAndDrugs, held: Tensor, pooled: Tensor, truth: Tensor) -> Stage:
    """Return the stage of training.

    Parameters
    ----------
    network
        The stack.
    data
        Lines and responses.
    held
        Lines that each replica stops by, int64 [n_replicas, n_held].
    pooled
        Imitated pooled profiles of all lines that no replica learns from, [n_lines, n_genes].
    truth
        Response as measured, [n_lines, n_drugs].
    """
    config, random = network.config, network.random
    rows_learnt = torch.stack(learnt_from(len(pooled), held))
    class_weights = data.class_weights()
    drugs = torch.arange(truth.shape[1], device=pooled.device)

    def epoch() -> list[Tensor]:
        return batches(rows_learnt.gather(1, random.permutations(rows_learnt.shape[1])), config.batch_size)

    def train_terms(rows: Tensor) -> Terms:
        x = masked(data.profiles, rows, config.masked, random)
        found = network(network.latent(x), network.drugs(drugs))
        return losses(found, data, class_weights, rows, config.class_weight)

    def validation_terms() -> Terms:
        vectors = network.drugs(drugs)
        found = torch.cat([network(network.latent(pooled[rows]), vectors)[..., 0] for rows in held.split(100, 1)], 1)
        correlation = mean_correlation(found, truth[held], data.measured[held])
        return {"correlation": correlation, "total": 1 - correlation}

    return Stage("panel network", network, random, epoch, train_terms, validation_terms)


@torch.no_grad()
def held_out(network: DrugQueryNetwork, held: Tensor, profiles: Tensor) -> np.ndarray:
    """Return what replicas say of lines that they did not learn from, see :class:`Trained`.

    Parameters
    ----------
    network, held
        As in :func:`stage`.
    profiles
        Of all lines, [n_lines, n_genes].
    """
    network.eval()
    drugs = torch.arange(len(network.drugs.structures), device=profiles.device)
    vectors = network.drugs(drugs)
    total = np.zeros((len(profiles), len(drugs)), np.float32)
    times = np.zeros((len(profiles), 1), np.float32)
    for rows in held.split(100, 1):
        found = network(network.latent(profiles[rows]), vectors)[..., 0].cpu().numpy()
        for own, said in zip(rows.cpu().numpy(), found, strict=True):
            total[own] += said
            times[own] += 1
    return np.where(times > 0, total / np.maximum(times, 1), np.nan).astype(np.float32)
