"""A replica's result depends on its own seed only: alone, in a stack, and with more replicas beside it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file
from synthetic_cells import (
    DRUG,
    SHIFTED,
    TRAINING,
    equal,
    make_lines,
    pretrain_small,
    weights_of,
    write_bulk,
    write_cells,
)

from pharmacell.cli.finetune_sc import finetune_sc
from pharmacell.cli.predict import predict
from pharmacell.cli.pretrain_bulk import pretrain_bulk
from pharmacell.response import pretrain_bulk as training
from pharmacell.response import training_lines
from pharmacell.response.training_lines import replica_seeds

REPLICAS = 5
EPOCHS, PATIENCE = 25, 2
EARLY = replace(TRAINING, epochs=EPOCHS, patience=PATIENCE, learning_rate=0.02)


def fit(
    files, folder, n_replicas: int, heads: int, config: str
) -> tuple[dict[str, np.ndarray], dict[str, int], np.ndarray]:
    """Pretrain, fine-tune and predict; returns all weights, the epochs of each stage and the probabilities."""
    data = ["--bulk", files / "bulk.h5ad", "--response", files / "response.parquet", "--drug", DRUG]
    shared = ["--sample", "s", "--target", files / "s.h5ad", "--outdir", folder, "--threads", 1, "--device", "cpu"]
    settings = [
        "--epochs",
        EPOCHS,
        "--patience",
        PATIENCE,
        "--learning_rate",
        0.02,
        "--batch_size",
        32,
        "--sampling",
        "over",
        "--config",
        config,
    ]
    network = ["--bottleneck", 16, "--encoder", 24, "--predictor", 12, "--heads", heads, "--n_replicas", n_replicas]
    for command, arguments in (
        (pretrain_bulk, [*data, *shared, *settings, *network]),
        (
            finetune_sc,
            [
                *data,
                *shared,
                *settings,
                "--pretrained",
                folder / "s.pretrained.safetensors",
                "--split",
                folder / "s.split.csv",
            ],
        ),
        (predict, ["--model", folder / "s.model.safetensors", *shared]),
    ):
        result = CliRunner().invoke(command, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.stderr
    weights = load_file(folder / "s.model.safetensors")
    history = pd.concat(pd.read_csv(folder / f"s.{name}.csv") for name in ("source_history", "history"))
    probability = pd.read_csv(folder / "s.predictions.csv")["probability"].to_numpy()
    return (
        {name: value for name, value in weights.items() if name.startswith("model.")},
        history.groupby("stage")["epoch"].max().to_dict(),
        probability,
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replicas")
    write_bulk(folder)
    write_cells(folder / "s.h5ad")
    return folder


def distance(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> float:
    """Return the relative distance of two sets of weights.

    Without the bias of the keys, to which a softmax is blind: its gradient is 0 but for rounding, and Adam makes full
    steps of it.
    """

    def counted(weights: dict[str, np.ndarray], name: str) -> np.ndarray:
        if not name.endswith("query_key_value.bias"):
            return weights[name].ravel()
        queries, _, values = np.split(weights[name], 3, axis=-1)
        return np.concatenate([queries, values], axis=-1).ravel()

    differences = np.concatenate([counted(first, name) - counted(second, name) for name in first])
    return np.linalg.norm(differences) / np.linalg.norm(np.concatenate([counted(second, name) for name in first]))


@pytest.mark.parametrize("heads", [0, 4])
def test_a_replica_of_a_stack_equals_the_same_replica_trained_alone(heads, files, tmp_path, monkeypatch):
    stack, longest, mean = fit(files, tmp_path / "stack", REPLICAS, heads, "published")
    lengths, probabilities = [], []
    for replica in range(REPLICAS):

        def of_this_replica(seed, purpose, _, r=replica):
            return replica_seeds(seed, purpose, REPLICAS)[r : r + 1]

        for module in (training, training_lines):
            monkeypatch.setattr(module, "replica_seeds", of_this_replica)
        alone, length, probability = fit(files, tmp_path / f"{replica}", 1, heads, "published")
        own = {name: values[replica : replica + 1] for name, values in stack.items()}
        other = {name: values[replica - 1 : replica or None] for name, values in stack.items()}
        assert distance(own, alone) < 1e-3, f"replica {replica}"
        assert distance(other, alone) > 0.3
        lengths.append(length)
        probabilities.append(probability)
    np.testing.assert_allclose(mean, np.mean(probabilities, axis=0), atol=1e-3)
    assert np.std(probabilities, axis=0).mean() > 1e-3
    for stage, epochs in longest.items():
        assert epochs == max(length[stage] for length in lengths)
    stopped = {tuple(length.values()) for length in lengths}
    assert len(stopped) > 1, "all replicas stopped at the same epochs: early stopping was not put to the test"
    assert min(min(counts) for counts in stopped) < EPOCHS


@pytest.mark.parametrize("settings", [{}, SHIFTED], ids=["plain", "shifted"])
def test_more_replicas_leave_the_first_ones_as_they_were(settings):
    lines = make_lines()
    two, four = (pretrain_small(lines, replace(EARLY, **settings), n).bundle.model for n in (2, 4))
    for replica in range(2):
        assert distance(weights_of(two, replica), weights_of(four, replica)) < 0.01


def test_seeds_of_replicas_differ_by_replica_and_purpose_and_not_by_count():
    assert replica_seeds(7, "a", 5)[:2] == replica_seeds(7, "a", 2)
    every = replica_seeds(7, "a", 5) + replica_seeds(7, "b", 5) + replica_seeds(8, "a", 5)
    assert len(set(every)) == 15


def test_same_seed_same_numbers_and_another_seed_other_numbers():
    lines = make_lines()
    first, again, other = (pretrain_small(lines, seed=seed) for seed in (7, 7, 8))
    assert equal(weights_of(first.bundle.model), weights_of(again.bundle.model))
    assert first.metrics.equals(again.metrics)
    assert first.history.equals(again.history)
    assert not np.allclose(
        first.bundle.model.predictor.classifier[0].weight.detach(),
        other.bundle.model.predictor.classifier[0].weight.detach(),
    )
    assert not first.split.equals(other.split)
