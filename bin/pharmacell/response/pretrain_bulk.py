"""PRETRAIN_BULK: split, standardise, train the stack and the linear models on bulk lines, score the held-out lines."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from torch import Tensor

from pharmacell.core.progress import say
from pharmacell.core.seeds import integer
from pharmacell.data.lines import Lines
from pharmacell.data.splits import split_lines
from pharmacell.evaluate.bootstrap import score_models
from pharmacell.linear.denoised_responses import denoised_response
from pharmacell.response.baselines import LinearBaselines, baseline_weights, with_links
from pharmacell.response.columns import ALONE, ENSEMBLE
from pharmacell.response.ensemble import Ensemble, fit_ensemble
from pharmacell.response.linear_members import choose_penalties, linear_members
from pharmacell.response.model_card import Interval, ModelCard, Penalties, Pretraining
from pharmacell.response.network import ATSDP
from pharmacell.response.partial_stacks import train_in_turns
from pharmacell.response.predictability import predictability
from pharmacell.response.pretraining import train_autoencoder, train_predictor
from pharmacell.response.settings import Configuration
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import SplitLines, TrainingLines, prepare_training_lines, replica_seeds
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.loop import History
from pharmacell.training.settings import TrainingConfig


@dataclass(frozen=True)
class Pretrained:
    """What pretraining leaves.

    Attributes
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


def pretrain(
    lines: Lines,
    settings: Configuration,
    n_replicas: int,
    run: TrainingRun,
    autoencoder: dict[str, Tensor] | None = None,
) -> Pretrained:
    """Train on bulk lines.

    A fifth of the lines is held out and scored once, at the end; scaling, resampling, early stopping and every choice
    see the others only.

    Parameters
    ----------
    lines
        Lines of one drug on the shared genes.
    settings
        Shape of the network and its training.
    n_replicas
        Independently seeded replicas, trained as one stack.
    run
        Seed, device and attempt.
    autoencoder
        Weights of source autoencoders that are trained already, one for each replica; None trains them.
    """
    split = split_lines(lines.labels, run.seed)
    bulk = SplitLines(lines, split)
    bundle, history = pretrain_on_split(bulk, settings, n_replicas, run, autoencoder)
    metrics = score_test_lines(bundle, bulk, run)
    return Pretrained(bundle, split, metrics, history.table())


def score_test_lines(bundle: Bundle, bulk: SplitLines, run: TrainingRun) -> pd.DataFrame:
    """Score model and baselines on the lines that nothing learnt from, and write it on the bundle's card.

    Parameters
    ----------
    bundle
        Networks and linear models.
    bulk
        All lines of the drug and the part of each.
    run
        Seed and device.

    Returns
    -------
    pandas.DataFrame
        ``model, metric, value, low, high``.
    """
    lines, test = bulk.lines, bulk.in_part("test")
    x_test, truth = bundle.source_scaler.apply(lines.x[test]), lines.labels.to_numpy()[test]
    network = bundle.network_scores(x_test, "source", run.device)
    predictions = dict(zip(ALONE, bundle.link_alone(bundle.alone(network, x_test)), strict=True))
    if bundle.ensemble is not None:
        predictions = {ENSEMBLE: bundle.link(bundle.ensemble.score(network, x_test)).mean(0)} | predictions
    metrics = score_models(truth, predictions, integer(run.seed, "bootstrap"))
    source_auroc = {name: auroc_of(metrics, name) for name in predictions}
    facts = replace(
        bundle.card.pretraining,
        source_auroc=source_auroc,
        predictability=predictability(lines),
        response_reliability=lines.reliability,
    )
    bundle.card = replace(bundle.card, pretraining=facts)
    return metrics


def pretrain_on_split(
    bulk: SplitLines,
    settings: Configuration,
    n_replicas: int,
    run: TrainingRun,
    autoencoder: dict[str, Tensor] | None = None,
) -> tuple[Bundle, History]:
    """Train stack and linear models on the lines that are not marked ``test``.

    Parameters
    ----------
    bulk
        All lines of the drug and the part of each.
    settings, n_replicas, run, autoencoder
        As in :func:`pretrain`.
    """
    training, n_genes = settings.training, len(bulk.lines.genes)
    plain = training.validation == "plain"
    kept_apart = plain and training.inner_validation
    scaler, _ = bulk.lines.standardised(bulk.in_part("train") if kept_apart else ~bulk.in_part("test"))
    lines = prepare_training_lines(bulk, scaler, training, n_replicas, run.seed, run.device)
    model = ATSDP(settings.network, n_genes, replica_seeds(run.seed, "pretraining", n_replicas), run.device)
    history, at_once = History(), run.replicas_at_once(n_replicas)
    if autoencoder is None:
        train_in_turns(
            model,
            at_once,
            history,
            lambda stack, replicas, own_history: train_autoencoder(
                "autoencoder",
                stack.source,
                stack.random,
                lines.training_set.of_replicas(replicas),
                training,
                own_history,
            ),
        )
    else:
        model.source.load_state_dict(autoencoder)
    unlabelled = {name: value.clone() for name, value in model.source.encoder.state_dict().items()}
    epochs = train_in_turns(
        model,
        at_once,
        history,
        lambda stack, replicas, own_history: train_predictor(
            "predictor",
            stack,
            lines.training_set.of_replicas(replicas),
            lines.validation.of_replicas(replicas),
            training,
            own_history,
        ),
    )
    fitted = fit_linear_models(model, bulk, lines, training)
    card = ModelCard(
        Pretraining(
            seed=run.seed,
            n_replicas=n_replicas,
            training=training,
            genes_bulk=bulk.lines.n_genes_bulk,
            genes_shared=n_genes,
            lines=bulk.split.value_counts().to_dict(),
            predictor_epochs=epochs.tolist(),
            penalties=fitted.penalties,
        )
    )
    return Bundle(model, bulk.lines.genes, scaler, None, fitted.baselines, card, fitted.ensemble, unlabelled), history


@dataclass(frozen=True)
class LinearModels:
    """Everything linear that is learnt from bulk lines.

    Attributes
    ----------
    penalties
        Of ridge and logistic regression.
    baselines
        The linear baselines.
    ensemble
        Linear members, with the network under one score; None when the network stands alone.
    """

    penalties: Penalties
    baselines: LinearBaselines
    ensemble: Ensemble | None


def fit_linear_models(model: ATSDP, bulk: SplitLines, lines: TrainingLines, training: TrainingConfig) -> LinearModels:
    """Choose penalties and fit baselines and members.

    Parameters
    ----------
    model
        The stack, whose score the ensemble weighs.
    bulk, lines
        All lines of the drug, and those that are learnt from, ready for training.
    training
        Validation, and whether there is an ensemble.
    """
    if training.validation == "plain":
        return LinearModels(Penalties(), plain_baselines(lines, Penalties()), None)
    penalties = choose_penalties(lines)
    members = linear_members(lines, penalties)
    return LinearModels(
        penalties,
        shifted_baselines(bulk, lines, penalties, members),
        stacked_ensemble(model, lines, members, "source") if training.ensemble else None,
    )


def plain_baselines(lines: TrainingLines, penalties: Penalties) -> LinearBaselines:
    """Fit signature, ridge and logistic regression on the training lines of plain validation.

    Parameters
    ----------
    lines
        Lines and validation.
    penalties
        Of ridge and logistic regression.
    """
    held_out = lines.held_out[0]
    rows = np.setdiff1d(lines.training_rows(0), held_out)  # the network may learn from both, a link may not
    weights = baseline_weights(lines.x[rows], lines.response[rows], lines.labels[rows], penalties)
    return with_links(weights, weights @ lines.x[held_out].T, lines.labels[held_out])


def shifted_baselines(
    bulk: SplitLines, lines: TrainingLines, penalties: Penalties, members: np.ndarray
) -> LinearBaselines:
    """Fit signature, ridge and logistic regression as the ensemble's members are fitted: the comparison is level.

    They learn from all lines but the test lines, which the replicas see between them, from the denoised responses and
    with the penalties of shifted validation; their links come from simulated cells of lines that a fit did not see.
    PREDICT averages their scores over the same neighbours.

    Parameters
    ----------
    bulk
        Lines, with the panel's responses.
    lines
        The same lines, ready for training.
    penalties
        Of ridge and logistic regression.
    members
        The linear members with these penalties, [n_replicas, 3, n_genes].
    """
    validation = lines.shifted_validation
    response = denoised_response(bulk.learnt_from().panel, lines.response)
    unseen = members @ validation.pooled.cpu().numpy().swapaxes(1, 2)  # [R, 3, n]
    weights = baseline_weights(lines.x, response, lines.labels, penalties)
    return with_links(weights, np.concatenate(list(unseen), axis=1), validation.labels.ravel())


def stacked_ensemble(model: ATSDP, lines: TrainingLines, members: np.ndarray, domain: str) -> Ensemble:
    """Put network and linear members under one score; weights and calibration come from shifted validation.

    Parameters
    ----------
    model
        The trained stack.
    lines
        Lines and validation.
    members
        The linear members, [n_replicas, 3, n_genes].
    domain
        ``source`` or ``target``: whose encoder the simulated cells pass through.
    """
    validation = lines.shifted_validation
    ensemble = fit_ensemble(
        members,
        validation.network_scores(model, domain),
        validation.pooled.cpu().numpy(),
        validation.labels,
    )
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in ensemble.named_weights().items())
    say(f"ensemble on the {domain} encoder: {weights}")
    return ensemble


def auroc_of(metrics: pd.DataFrame, model: str) -> Interval:
    """Return a model's AUROC with its interval.

    Parameters
    ----------
    metrics
        From :func:`pharmacell.evaluate.bootstrap.score_models`.
    model
        Its name.
    """
    row = metrics[(metrics["model"] == model) & (metrics["metric"] == "auroc")].iloc[0]
    return Interval(float(row["value"]), float(row["low"]), float(row["high"]))
