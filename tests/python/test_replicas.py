"""A replica's result depends on its own seed only: alone, in a stack, and with more replicas beside it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from synthetic_cells import CONFIG, GENES, TRAINING, equal, expression, make_lines, weights_of

from pharmacell.models.atsdp import ATSDP
from pharmacell.train.finetune import Target, TransferConfig, finetune
from pharmacell.train.loop import History
from pharmacell.train.pretrain import pretrain
from pharmacell.train.source_stage import replica_seeds, train_source

SEEDS = (11, 22, 33, 44, 55)
EARLY = replace(TRAINING, epochs=25, patience=2, learning_rate=0.02)
CPU = torch.device("cpu")


def fit(seeds, heads: int) -> tuple[ATSDP, History, np.ndarray]:
    """Pretrain and fine-tune a stack; return it, its history and the probabilities of the cells."""
    lines = make_lines()
    parts = {"train": slice(0, 64), "validation": slice(64, 90)}
    x = {part: lines.x[rows] for part, rows in parts.items()}
    labels = {part: lines.labels.to_numpy()[rows] for part, rows in parts.items()}
    model, history = ATSDP(replace(CONFIG, heads=heads), len(GENES), seeds), History()
    pretrain(model, x, labels, replace(EARLY, sampling="over"), history, 0)
    cells, sensitivity = expression(70, np.random.default_rng(5))
    target = Target(torch.from_numpy(cells), torch.from_numpy((sensitivity > 0).astype(np.int64)),
                    torch.arange(70) % 10 == 0, torch.full((70,), -1))
    finetune(model, {part: torch.from_numpy(rows) for part, rows in x.items()},
             {part: torch.from_numpy(y) for part, y in labels.items()}, target, EARLY, TransferConfig(), history)
    with torch.no_grad():
        return model, history, model.probability(target.x, "target").numpy()


def epochs_run(history: History) -> dict[str, int]:
    return history.table().groupby("stage")["epoch"].max().to_dict()


def distance(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> float:
    """Return the relative distance of two sets of weights.

    All weights together, because the gradient of some is 0 but for rounding (the bias of the keys, to which a softmax
    is blind), and Adam makes full steps of it.
    """
    difference = np.concatenate([(first[name] - second[name]).ravel() for name in first])
    return np.linalg.norm(difference) / np.linalg.norm(np.concatenate([second[name].ravel() for name in first]))


@pytest.mark.parametrize("heads", [0, 4])
def test_a_replica_of_a_stack_equals_the_same_replica_trained_alone(heads):
    stack, history, probability = fit(SEEDS, heads)
    lengths = []
    for replica, seed in enumerate(SEEDS):
        single, own_history, own = fit([seed], heads)
        lengths.append(epochs_run(own_history))
        assert distance(weights_of(stack, replica), weights_of(single)) < 1e-3, f"replica {replica}"
        np.testing.assert_allclose(probability[replica], own[0], atol=1e-3)
    longest = epochs_run(history)
    for stage, epochs in longest.items():
        assert epochs == max(length[stage] for length in lengths)
    stopped = [tuple(length.values()) for length in lengths]
    assert len(set(stopped)) > 1, "all replicas stopped at the same epochs: early stopping was not put to the test"
    assert min(min(counts) for counts in stopped) < EARLY.epochs
    assert probability.std(0).mean() > 1e-3


def test_more_replicas_leave_the_first_ones_as_they_were():
    lines = make_lines()
    two, four = (train_source(lines, CONFIG, EARLY, n, 7, CPU).bundle.model for n in (2, 4))
    for replica in range(2):
        assert distance(weights_of(two, replica), weights_of(four, replica)) < 1e-3


def test_seeds_of_replicas_differ_by_replica_and_purpose_and_not_by_count():
    assert replica_seeds(7, "a", 5)[:2] == replica_seeds(7, "a", 2)
    every = replica_seeds(7, "a", 5) + replica_seeds(7, "b", 5) + replica_seeds(8, "a", 5)
    assert len(set(every)) == 15


def test_same_seed_same_numbers_and_another_seed_other_numbers():
    lines = make_lines()
    first, again, other = (train_source(lines, CONFIG, TRAINING, 2, seed, CPU) for seed in (7, 7, 8))
    assert equal(weights_of(first.bundle.model), weights_of(again.bundle.model))
    assert first.metrics.equals(again.metrics)
    assert first.history.equals(again.history)
    assert not np.allclose(first.bundle.model.predictor.classifier[0].weight.detach(),
                           other.bundle.model.predictor.classifier[0].weight.detach())
    assert not first.split.equals(other.split)
