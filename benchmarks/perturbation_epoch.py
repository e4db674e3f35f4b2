"""A full-size epoch of the perturbation networks: against its bare matrix products, and five seeds at once."""

from statistics import median

import numpy as np
import torch
from machine import Row, ratio_in_turns, seconds

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear
from pharmacell.perturbation.encodings.base import Encoded, InputShape
from pharmacell.perturbation.models.network import Network, configure
from pharmacell.perturbation.models.stacked_network import on_device
from pharmacell.perturbation.models.training import Rows, train
from pharmacell.perturbation.settings import FitOptions
from pharmacell.training.settings import TrainingConfig

MODEL, N_ROWS, N_GENES, SEEDS, REPEATS = "gru3_attn", 614, 18_211, 5, 3
SHAPE = InputShape(5000, 5, 0, ())
CONFIG = configure(MODEL, FitOptions())
RNG = np.random.default_rng(0)
TOKENS = RNG.integers(0, 1000, (N_ROWS, 5)) + 1000 * np.arange(5)
TARGET = RNG.normal(size=(N_ROWS, N_GENES)).astype(np.float32)


def prepare(seeds) -> tuple[Network, ReplicaRandom, Rows]:
    """Return a stack at its beginning and the rows that it learns."""
    random = ReplicaRandom(seeds)
    tokens, vector = on_device(Encoded(TOKENS), torch.device("cpu"))
    rows = Rows(tokens, vector, torch.from_numpy(TARGET), torch.arange(N_ROWS).expand(len(random), -1), None)
    return Network(MODEL, CONFIG, SHAPE, N_GENES, random), random, rows


def epoch(network: Network, random: ReplicaRandom, rows: Rows) -> float:
    """Return the seconds of one epoch."""
    config = TrainingConfig(epochs=1, batch_size=CONFIG.batch_size, learning_rate=CONFIG.learning_rate)
    return seconds(lambda: train(network, random, rows, "mae", config, "benchmark"))


def products(network: Network, random: ReplicaRandom, rows: Rows) -> float:
    """Return the seconds of an epoch's matrix products alone: output, weight gradient and input gradient of each layer.

    They write to memory that is there already, and the products of the attention are left out: a hard bar.
    """
    calls = []

    def record(layer: StackedLinear, inputs: tuple[torch.Tensor]) -> None:
        x, weight = torch.randn_like(inputs[0]), layer.weight.detach()
        gradient = torch.randn(*x.shape[:2], weight.shape[2])
        calls.append((x, weight, gradient, [torch.empty_like(value) for value in (gradient, weight, x)]))

    hooks = [layer.register_forward_pre_hook(record) for layer in network.modules() if isinstance(layer, StackedLinear)]
    with torch.no_grad():
        network(*rows.of(rows.fit[:, : CONFIG.batch_size]))
    for hook in hooks:
        hook.remove()

    def compute() -> None:
        for _ in range(N_ROWS // CONFIG.batch_size):
            for x, weight, gradient, (output, of_weight, of_x) in calls:
                torch.bmm(x, weight, out=output)
                torch.bmm(x.transpose(1, 2), gradient, out=of_weight)
                torch.bmm(gradient, weight.transpose(1, 2), out=of_x)

    return seconds(compute)


def measure():
    """Yield an epoch's seconds, its ratio to the bare products, and five seeds stacked to one after another."""
    one, five = prepare([0]), prepare(range(SEEDS))
    singles = [one, *(prepare([seed]) for seed in range(1, SEEDS))]
    for stack in (one, five):  # the first epoch also pays for memory and code that later ones find ready
        epoch(*stack)
    size = f"{MODEL} epoch, {N_ROWS} x {N_GENES}"
    for name, stack in (("1 seed", one), (f"{SEEDS} seeds", five)):
        yield Row(f"{size}, {name}", median(epoch(*stack) for _ in range(REPEATS)), "s")
        ratio = ratio_in_turns(REPEATS, lambda stack=stack: epoch(*stack), lambda stack=stack: products(*stack))
        yield Row(f"{size}, {name} / its matrix products alone", ratio, "x", 2)
    ratio = ratio_in_turns(REPEATS, lambda: epoch(*five), lambda: sum(epoch(*single) for single in singles))
    yield Row(f"{size}: {SEEDS} seeds stacked / one after another", ratio, "x", 0.7)
