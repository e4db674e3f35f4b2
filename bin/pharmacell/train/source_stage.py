"""PRETRAIN_BULK: split, standardise, train the stack and the floors on bulk lines, score the held-out lines."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch

from pharmacell.data.lines import Lines
from pharmacell.data.splits import split_lines
from pharmacell.evaluate.bootstrap import bootstrap
from pharmacell.models.atsdp import ATSDP, ATSDPConfig
from pharmacell.models.floors import NAMES, fit_floors
from pharmacell.models.store import Bundle
from pharmacell.seeds import integer, seed_sequence
from pharmacell.train.loop import History, TrainingConfig
from pharmacell.train.pretrain import pretrain


@dataclass(frozen=True)
class SourceResult:
    """What the source stage leaves.

    Parameters
    ----------
    bundle
        Stack and floors.
    split
        ``train``, ``validation`` or ``test`` of each line.
    metrics
        ``model, metric, value, low, high`` on the test lines.
    history
        Loss terms, long form.
    """

    bundle: Bundle
    split: pd.Series
    metrics: pd.DataFrame
    history: pd.DataFrame


def replica_seeds(seed: int, purpose: str, n_replicas: int) -> list[int]:
    """Return one seed for each replica; a replica's seed does not depend on how many there are."""
    children = seed_sequence(seed, purpose).spawn(n_replicas)
    return [int(child.generate_state(1, np.uint64)[0] >> 1) for child in children]


def train_source(
    lines: Lines, config: ATSDPConfig, training: TrainingConfig, n_replicas: int, seed: int, device: torch.device
) -> SourceResult:
    """Train on bulk lines.

    80 % of the lines are for training, a fifth of them for early stopping alone; the rest is scored once, at the end.
    Scaling and resampling see the training part only.

    Parameters
    ----------
    lines
        Lines of one drug on the shared genes.
    config, training
        Shape of the network and its training.
    n_replicas
        Independently seeded replicas, trained as one stack.
    seed
        The user's seed.
    device
        Where to train.
    """
    split = split_lines(lines.labels, seed)
    inside = {part: (split == part).to_numpy() for part in ("train", "validation", "test")}
    scaler, x = lines.standardised(inside["train"])
    parts = {part: x[rows] for part, rows in inside.items()}
    labels = {part: lines.labels.to_numpy()[rows] for part, rows in inside.items()}

    model = ATSDP(config, len(lines.genes), replica_seeds(seed, "pretraining", n_replicas), device)
    history = History()
    pretrain(model, parts, labels, training, history, integer(seed, "resampling"), device)
    floors = fit_floors(parts["train"], lines.response.to_numpy()[inside["train"]], labels["train"],
                        parts["validation"], labels["validation"])

    with torch.no_grad():
        probability = model.probability(torch.as_tensor(parts["test"], device=device), "source").mean(0).cpu().numpy()
    predictions = {"atsdp": probability} | dict(zip(NAMES, floors.probability(parts["test"]).T, strict=True))
    metrics = score_models(labels["test"], predictions, integer(seed, "bootstrap"))
    card = {
        "seed": seed, "n_replicas": n_replicas, "training": asdict(training), "genes_bulk": lines.n_genes_bulk,
        "genes_shared": len(lines.genes), "lines": {part: int(rows.sum()) for part, rows in inside.items()},
        "source_auroc": {key: auroc_of(metrics, key) for key in predictions},
    }
    bundle = Bundle(model, lines.genes, scaler, None, floors, card)
    return SourceResult(bundle, split, metrics, history.table())


def score_models(truth: np.ndarray, predictions: dict[str, np.ndarray], seed: int) -> pd.DataFrame:
    """Score several predictions of the same rows; returns ``model, metric, value, low, high``."""
    tables = [bootstrap(truth, probability, seed=seed).assign(model=name) for name, probability in predictions.items()]
    return pd.concat(tables)[["model", "metric", "value", "low", "high"]].reset_index(drop=True)


def auroc_of(metrics: pd.DataFrame, model: str) -> dict[str, float]:
    """Return ``value, low, high`` of a model's AUROC."""
    row = metrics[(metrics["model"] == model) & (metrics["metric"] == "auroc")].iloc[0]
    return {key: float(row[key]) for key in ("value", "low", "high")}
