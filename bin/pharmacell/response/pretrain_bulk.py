"""PRETRAIN_BULK: split, standardise, train the stack and the linear models on bulk lines, score the held-out lines."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch

from pharmacell.core.progress import say
from pharmacell.core.seeds import integer
from pharmacell.data.lines import Lines
from pharmacell.data.splits import split_lines
from pharmacell.evaluate.bootstrap import bootstrap
from pharmacell.response.baselines import NAMES, LinearBaselines, fit_baselines
from pharmacell.response.ensemble import fit_ensemble
from pharmacell.response.linear_members import LinearChoice, choose_penalties, linear_members
from pharmacell.response.network import ATSDP
from pharmacell.response.partial_stacks import in_parts
from pharmacell.response.pretraining import train_autoencoder, train_predictor
from pharmacell.response.settings import ATSDPConfig
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import Source, prepare_source, replica_seeds
from pharmacell.training.loop import History
from pharmacell.training.settings import TrainingConfig


@dataclass(frozen=True)
class SourceResult:
    """What the source stage leaves.

    Parameters
    ----------
    bundle
        Stack and linear models.
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


def train_source(
    lines: Lines,
    config: ATSDPConfig,
    training: TrainingConfig,
    n_replicas: int,
    seed: int,
    device: torch.device,
    autoencoder: dict[str, torch.Tensor] | None = None,
    at_once: int | None = None,
) -> SourceResult:
    """Train on bulk lines.

    A fifth of the lines is held out and scored once, at the end; scaling, resampling, early stopping and every choice
    see the others only.

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
    autoencoder
        Weights of source autoencoders that are trained already, one for each replica; None trains them.
    at_once
        Most replicas that train together; None: all.
    """
    split = split_lines(lines.labels, seed)
    bundle, history = fit_source(lines, split, config, training, n_replicas, seed, device, autoencoder, at_once)
    test = (split == "test").to_numpy()
    x_test, truth = bundle.source.apply(lines.x[test]), lines.labels.to_numpy()[test]
    predictions = {"atsdp": bundle.link(bundle.score(x_test, "source", device)).mean(0)}
    predictions |= dict(zip(NAMES, bundle.baselines.probability(x_test).T, strict=True))
    metrics = score_models(truth, predictions, integer(seed, "bootstrap"))
    bundle.card["source_auroc"] = {key: auroc_of(metrics, key) for key in predictions}
    return SourceResult(bundle, split, metrics, history.table())


def fit_source(
    lines: Lines,
    split: pd.Series,
    config: ATSDPConfig,
    training: TrainingConfig,
    n_replicas: int,
    seed: int,
    device: torch.device,
    autoencoder: dict[str, torch.Tensor] | None = None,
    at_once: int | None = None,
) -> tuple[Bundle, History]:
    """Train stack and linear models on the lines that are not marked ``test``; see :func:`train_source`."""
    learnt_from = ["train"] if training.validation == "plain" else ["train", "validation"]
    scaler, _ = lines.standardised(split.isin(learnt_from).to_numpy())
    source = prepare_source(lines, split, scaler, training, n_replicas, seed, device)

    model = ATSDP(config, len(lines.genes), replica_seeds(seed, "pretraining", n_replicas), device)
    history, at_once = History(), at_once or n_replicas
    if autoencoder is None:
        in_parts(
            model,
            at_once,
            history,
            lambda part, rows, own: train_autoencoder(
                "autoencoder", part.source, part.random, source.data.part(rows), training, own
            ),
        )
    else:
        model.source.load_state_dict(autoencoder)
    unlabelled = {name: value.clone() for name, value in model.source.encoder.state_dict().items()}
    epochs = in_parts(
        model,
        at_once,
        history,
        lambda part, rows, own: train_predictor(
            "predictor", part, source.data.part(rows), source.validation.part(rows), training, own
        ),
    )

    bundle = Bundle(model, lines.genes, scaler, None, None, {}, autoencoder=unlabelled)
    plain = training.validation == "plain"
    choice, of_members = (LinearChoice(), LinearChoice()) if plain else choose_penalties(source)
    bundle.baselines = source_baselines(source, choice, training, split, lines)
    if training.ensemble:
        fit_members(bundle, source, of_members, "source")
    bundle.card = {
        "seed": seed,
        "n_replicas": n_replicas,
        "training": asdict(training),
        "genes_bulk": lines.n_genes_bulk,
        "genes_shared": len(lines.genes),
        "lines": split.value_counts().to_dict(),
        "predictor_epochs": epochs.tolist(),
        "penalties": asdict(choice),
        "member_penalties": asdict(of_members),
    }
    return bundle, history


def source_baselines(source: Source, choice: LinearChoice, training, split: pd.Series, lines: Lines) -> LinearBaselines:
    """Fit signature, ridge and logistic regression on the lines that the stack learns from.

    With shifted validation these are all lines but the test lines, with the penalties that it chose: the baselines get
    the same advantages as the model.
    """
    if training.validation == "plain":
        learn, held = source.data.plain_rows[0].cpu().numpy(), source.held[0]
        return fit_baselines(
            source.x[learn], source.response[learn], source.labels[learn], source.x[held], source.labels[held], choice
        )
    cells = source.validation.x.flatten(0, 1).cpu().numpy()
    labels = np.repeat(source.validation.labels.ravel(), len(cells) // source.validation.labels.size)
    return fit_baselines(source.x, source.response, source.labels, cells, labels, choice)


def fit_members(bundle: Bundle, source: Source, choice: LinearChoice, domain: str) -> None:
    """Put network and linear members under one score; weights and calibration come from shifted validation."""
    validation = source.validation
    linear = linear_members(source, choice)
    bundle.ensemble = fit_ensemble(
        linear, validation.network_scores(bundle.model, domain), validation.pooled.cpu().numpy(), validation.labels
    )
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in bundle.ensemble.named_weights().items())
    say(f"ensemble on the {domain} encoder: {weights}")


def score_models(truth: np.ndarray, predictions: dict[str, np.ndarray], seed: int) -> pd.DataFrame:
    """Score several predictions of the same rows; returns ``model, metric, value, low, high``."""
    tables = [bootstrap(truth, probability, seed=seed).assign(model=name) for name, probability in predictions.items()]
    return pd.concat(tables)[["model", "metric", "value", "low", "high"]].reset_index(drop=True)


def auroc_of(metrics: pd.DataFrame, model: str) -> dict[str, float]:
    """Return ``value, low, high`` of a model's AUROC."""
    row = metrics[(metrics["model"] == model) & (metrics["metric"] == "auroc")].iloc[0]
    return {key: float(row[key]) for key in ("value", "low", "high")}
