"""PRETRAIN_BULK: split, standardise, train the stack and the linear models on bulk lines, score the held-out lines."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch

from pharmacell.data.folds import assign_folds, comparison_groups
from pharmacell.data.lines import Lines
from pharmacell.data.shifts import SEVERITIES, line_profiles, shifted_cells
from pharmacell.data.splits import split_lines
from pharmacell.evaluate.bootstrap import bootstrap
from pharmacell.models.atsdp import ATSDP, ATSDPConfig
from pharmacell.models.ensemble import fit_ensemble
from pharmacell.models.floors import NAMES, LinearFloors, fit_floors
from pharmacell.models.store import Bundle
from pharmacell.progress import say
from pharmacell.seeds import generator, integer, seed_sequence
from pharmacell.train.linear_members import LinearChoice, choose_penalties, linear_members
from pharmacell.train.loop import History, TrainingConfig
from pharmacell.train.panel import denoised_response
from pharmacell.train.parts import in_parts
from pharmacell.train.pretrain import train_autoencoder, train_predictor
from pharmacell.train.training_set import TrainingSet, equal_rows, resampled_rows
from pharmacell.train.validation import PlainValidation, ShiftedValidation, shifted_validation

FOLDS = 5  # of shifted validation; replica r leaves out fold r modulo 5


@dataclass(frozen=True)
class Source:
    """Bulk lines of one drug, made ready for training; a function of lines, split and seed alone.

    Parameters
    ----------
    x
        Standardised expression of the training and validation lines, float32 [n, n_genes]; the scaling has seen
        no test line.
    profiles
        The same lines, each standardised within itself, for simulated cells.
    labels, response
        Class and response (higher = more sensitive), [n].
    denoised
        The response of the lines that each replica learns from, denoised with the panel's other drugs
        (:mod:`pharmacell.train.panel`); as measured for the lines that it does not learn from, [n_replicas, n].
    data
        Rows of each replica.
    validation
        Decides when to stop.
    held
        Lines that each replica did not learn from, int64 [n_replicas, n_held].
    """

    x: np.ndarray
    profiles: np.ndarray
    labels: np.ndarray
    response: np.ndarray
    denoised: np.ndarray
    data: TrainingSet
    validation: PlainValidation | ShiftedValidation
    held: np.ndarray


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


def replica_seeds(seed: int, purpose: str, n_replicas: int) -> list[int]:
    """Return one seed for each replica; a replica's seed does not depend on how many there are."""
    children = seed_sequence(seed, purpose).spawn(n_replicas)
    return [int(child.generate_state(1, np.uint64)[0] >> 1) for child in children]


def prepare_source(
    lines: Lines, split: pd.Series, scaler, training: TrainingConfig, n_replicas: int, seed: int, device: torch.device,
) -> Source:
    """Lay out rows, noise and validation for a stack; test lines are dropped first.

    With plain validation every replica learns from the lines marked ``train`` and stops on those marked
    ``validation``. With shifted validation both are cut into five folds, and replica r learns from all but fold r,
    whose lines, as simulated cells, decide when it stops.

    Parameters
    ----------
    lines, split
        All lines of the drug and the part of each.
    scaler
        Fitted by :func:`train_source`.
    training
        Noise, sampling and validation.
    n_replicas, seed, device
        As in :func:`train_source`.
    """
    inside = (split.reindex(lines.labels.index) != "test").to_numpy()
    part = split.reindex(lines.labels.index).to_numpy()[inside]
    x, profiles = scaler.apply(lines.x[inside]), line_profiles(lines.x[inside])
    labels, response = lines.labels.to_numpy()[inside], lines.response.to_numpy()[inside]
    if training.validation == "shifted":
        folds = assign_folds(labels, lines.origin[inside], FOLDS, seed)
        sizes = np.bincount(folds)  # all five count, so that a replica's rows do not depend on how many there are
        learn = [np.flatnonzero(folds != replica % FOLDS)[: len(x) - sizes.max()] for replica in range(n_replicas)]
        held = [np.flatnonzero(folds == replica % FOLDS)[: sizes.min()] for replica in range(n_replicas)]
    else:
        learn = [np.flatnonzero(part == "train")] * n_replicas
        held = [np.flatnonzero(part == "validation")] * n_replicas
    data = training_set(x, profiles, np.tile(labels, (n_replicas, 1)), learn, held, training, seed, device)
    validation_rows = equal_rows(held, "cpu").numpy()
    if training.validation == "shifted":
        groups = comparison_groups(lines.origin[inside])
        validation = shifted_validation(profiles, labels, groups, validation_rows, generator(seed, "shifted cells"),
                                        device)
    else:
        validation = PlainValidation(torch.as_tensor(x[held[0]], device=device),
                                     torch.as_tensor(labels[held[0]], device=device).long())
    panel = None if lines.panel is None else lines.panel[inside]
    return Source(x, profiles, labels, response, denoised_of_replicas(panel, response, learn), data, validation,
                  validation_rows)


def denoised_of_replicas(panel: np.ndarray | None, response: np.ndarray, learn: list[np.ndarray]) -> np.ndarray:
    """Denoise the responses of each replica's lines with those lines alone; see :class:`Source`."""
    denoised, made = np.tile(response, (len(learn), 1)), {}
    for replica, rows in enumerate(learn):
        key = rows.tobytes()
        if key not in made:
            made[key] = denoised_response(None if panel is None else panel[rows], response[rows])
        denoised[replica, rows] = made[key]
    return denoised


def training_set(x, profiles, labels, learn, held, training: TrainingConfig, seed: int, device) -> TrainingSet:
    """Resample and thin the rows that each replica learns from; see :class:`TrainingSet`.

    Parameters
    ----------
    x, profiles
        Standardised rows, and the same rows standardised within themselves, [n, n_genes].
    labels
        Class of each row for each replica, [n_replicas, n].
    learn, held
        Rows to learn from, and to stop by, of each replica.
    training, seed, device
        Settings.
    """
    longer, classes, rows = resampled_rows(x, labels, learn, training.sampling, integer(seed, "resampling"))
    thinned = None
    if training.noise == "thinning":
        rng = generator(seed, "thinned cells")
        extra = line_profiles(longer[len(x):]) if len(longer) > len(x) else longer[len(x):]
        everything = np.concatenate([profiles, extra])
        thinned = torch.as_tensor(np.stack([shifted_cells(everything, 1, severity, rng) for severity in SEVERITIES]),
                                  device=device)
    return TrainingSet(
        clean=torch.as_tensor(longer, device=device), thinned=thinned, rows=equal_rows(rows, device),
        plain_rows=equal_rows(learn, device), labels=torch.as_tensor(classes, device=device).long(),
        validation=equal_rows(held, device),
    )


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
    predictions |= dict(zip(NAMES, bundle.floors.probability(x_test).T, strict=True))
    metrics = score_models(truth, predictions, integer(seed, "bootstrap"))
    bundle.card["source_auroc"] = {key: auroc_of(metrics, key) for key in predictions}
    return SourceResult(bundle, split, metrics, history.table())


def fit_source(
    lines: Lines, split: pd.Series, config: ATSDPConfig, training: TrainingConfig, n_replicas: int, seed: int,
    device: torch.device, autoencoder: dict[str, torch.Tensor] | None = None, at_once: int | None = None,
) -> tuple[Bundle, History]:
    """Train stack and linear models on the lines that are not marked ``test``; see :func:`train_source`."""
    learnt_from = ["train"] if training.validation == "plain" else ["train", "validation"]
    scaler, _ = lines.standardised(split.isin(learnt_from).to_numpy())
    source = prepare_source(lines, split, scaler, training, n_replicas, seed, device)

    model = ATSDP(config, len(lines.genes), replica_seeds(seed, "pretraining", n_replicas), device)
    history, at_once = History(), at_once or n_replicas
    if autoencoder is None:
        in_parts(model, at_once, history, lambda part, rows, own: train_autoencoder(
            "autoencoder", part.source, part.random, source.data.part(rows), training, own))
    else:
        model.source.load_state_dict(autoencoder)
    unlabelled = {name: value.clone() for name, value in model.source.encoder.state_dict().items()}
    epochs = in_parts(model, at_once, history, lambda part, rows, own: train_predictor(
        "predictor", part, source.data.part(rows), source.validation.part(rows), training, own))

    bundle = Bundle(model, lines.genes, scaler, None, None, {}, autoencoder=unlabelled)
    plain = training.validation == "plain"
    choice, of_members = (LinearChoice(), LinearChoice()) if plain else choose_penalties(source)
    bundle.floors = source_floors(source, choice, training, split, lines)
    if training.ensemble:
        fit_members(bundle, source, of_members, "source")
    bundle.card = {
        "seed": seed, "n_replicas": n_replicas, "training": asdict(training), "genes_bulk": lines.n_genes_bulk,
        "genes_shared": len(lines.genes), "lines": split.value_counts().to_dict(),
        "predictor_epochs": epochs.tolist(), "penalties": asdict(choice), "member_penalties": asdict(of_members),
    }
    return bundle, history


def source_floors(source: Source, choice: LinearChoice, training, split: pd.Series, lines: Lines) -> LinearFloors:
    """Fit signature, ridge and logistic regression on the lines that the stack learns from.

    With shifted validation these are all lines but the test lines, with the penalties that it chose: the floors get
    the same advantages as the model.
    """
    if training.validation == "plain":
        learn, held = source.data.plain_rows[0].cpu().numpy(), source.held[0]
        return fit_floors(source.x[learn], source.response[learn], source.labels[learn],
                          source.x[held], source.labels[held], choice)
    cells = source.validation.x.flatten(0, 1).cpu().numpy()
    labels = np.repeat(source.validation.labels.ravel(), len(cells) // source.validation.labels.size)
    return fit_floors(source.x, source.response, source.labels, cells, labels, choice)


def fit_members(bundle: Bundle, source: Source, choice: LinearChoice, domain: str) -> None:
    """Put network and linear members under one score; weights and calibration come from shifted validation."""
    validation = source.validation
    linear = linear_members(source, choice)
    bundle.ensemble = fit_ensemble(linear, validation.network_scores(bundle.model, domain),
                                   validation.pooled.cpu().numpy(), validation.labels)
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
