"""A full-size epoch of the perturbation networks: patterns against a head of all genes, and five seeds at once."""

from functools import partial
from statistics import median

import numpy as np
import torch
from machine import Row, ratio_in_turns, seconds

from pharmacell.nn.random import ReplicaRandom
from pharmacell.perturbation.encodings.base import Encoded, InputShape
from pharmacell.perturbation.losses import LayerLosses
from pharmacell.perturbation.models.network import Network, configure
from pharmacell.perturbation.models.stacked_network import on_device
from pharmacell.perturbation.models.training import Rows, train
from pharmacell.perturbation.outputs import LayerOutputs, Outputs
from pharmacell.perturbation.settings import FitOptions
from pharmacell.training.settings import TrainingConfig

MODEL, N_ROWS, N_GENES, SEEDS, REPEATS, N_PATTERNS = "gru3_attn", 614, 18_211, 5, 3, 64
SHAPE = InputShape(5000, 5, 0, ())
CONFIG = configure(MODEL, FitOptions(config="study").complete())  # the same batches for every head
RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 1000, (N_ROWS, 5)) + 1000 * np.arange(5)
TARGET = RNG.normal(size=(N_ROWS, N_GENES)).astype(np.float32)
CELL_TYPES = np.array(["any"] * N_ROWS)
CPU = torch.device("cpu")
GENES = Outputs([], np.zeros((1, N_GENES), np.float32), np.ones((1, N_GENES), np.float32))
DIRECTIONS = np.linalg.qr(RNG.normal(size=(N_GENES, N_PATTERNS)))[0].T.astype(np.float32)
PATTERNS = Outputs(GENES.cell_types, GENES.centre, GENES.scale, DIRECTIONS)


def prepare(outputs: Outputs, loss: str, seeds) -> tuple[Network, ReplicaRandom, Rows, LayerLosses]:
    """Return a stack at its beginning, the rows that it learns and their loss."""
    random = ReplicaRandom(seeds)
    tokens, vector = on_device(Encoded(TOKENS), CPU)
    rows = Rows(tokens, vector, torch.arange(N_ROWS).expand(len(random), -1), None)
    network = Network(MODEL, CONFIG, SHAPE, outputs.n_outputs, random)
    return network, random, rows, LayerLosses(loss, LayerOutputs((outputs,)), TARGET, CELL_TYPES, CPU)


def epoch(network: Network, random: ReplicaRandom, rows: Rows, losses: LayerLosses) -> float:
    """Return the seconds of one epoch."""
    config = TrainingConfig(epochs=1, batch_size=CONFIG.batch_size, learning_rate=CONFIG.learning_rate)
    return seconds(lambda: train(network, random, rows, losses, config, "benchmark"))


def measure():
    """Yield the seconds of an epoch with each head, and the ratios that have a bar."""
    every, few = partial(prepare, GENES, "mae"), partial(prepare, PATTERNS, "mrrmse")
    heads = {
        "all genes, mae": every(range(SEEDS)),
        f"{N_PATTERNS} patterns, mae": prepare(PATTERNS, "mae", range(SEEDS)),
        f"{N_PATTERNS} patterns, mrrmse": few(range(SEEDS)),
    }
    singles = [few([seed]) for seed in range(SEEDS)]
    size = f"{MODEL} epoch, {N_ROWS} x {N_GENES}, {SEEDS} seeds"
    for name, stack in heads.items():
        epoch(*stack)  # the first epoch also pays for memory and code that later ones find ready
        yield Row(f"{size}, {name}", median(epoch(*stack) for _ in range(REPEATS)), "s")
    first, *others = heads.values()
    for name, stack in zip(list(heads)[1:], others, strict=True):
        ratio = ratio_in_turns(REPEATS, lambda stack=stack: epoch(*stack), lambda: epoch(*first))
        yield Row(f"{size}: {name} / all genes", ratio, "x", 0.3)
    for single in singles:
        epoch(*single)
    ratio = ratio_in_turns(REPEATS, lambda: epoch(*others[-1]), lambda: sum(epoch(*single) for single in singles))
    yield Row(f"{size}: stacked / one after another", ratio, "x", 0.7)
