"""An epoch of the full-size bulk stage against its bare matrix products."""

from statistics import median

import torch
from machine import N_GENES, N_LINES, Row, seconds, synthetic, train
from torch import Tensor, nn

from pharmacell.data.splits import split_lines
from pharmacell.nn.stacked import StackedLinear
from pharmacell.response.network import ATSDP
from pharmacell.response.settings import ATSDPConfig
from pharmacell.training.settings import TrainingConfig

REPEATS = 5
EPOCHS = 4
REPLICAS = 5


def products(modules: nn.Module, forward, first: StackedLinear, sizes: list[int], training: bool):
    """Return a function that computes the matrix products of passes with the given batch sizes and nothing else.

    For each affine layer: output, weight gradient and input gradient; the first layer needs no input gradient. The
    small products inside the attention (query by key, weights by value) are left out, which makes the bar harder.
    """
    calls = []

    def record(layer: StackedLinear, inputs: tuple[Tensor]) -> None:
        x = inputs[0]
        x = x.expand(REPLICAS, *x.shape) if x.dim() == 2 else x
        calls.append(
            (
                torch.randn(*x.shape),
                layer.weight.detach(),
                torch.randn(*x.shape[:2], layer.weight.shape[2]),
                layer is not first,
            )
        )

    layers = [module for module in modules.modules() if isinstance(module, StackedLinear)]
    hooks = [layer.register_forward_pre_hook(record) for layer in layers]
    with torch.no_grad():
        for size in sizes:
            forward(torch.randn(REPLICAS, size, N_GENES))
    for hook in hooks:
        hook.remove()

    def compute() -> None:
        for x, weight, gradient, needs_input_gradient in calls:
            torch.bmm(x, weight)
            if training:
                torch.bmm(x.transpose(1, 2), gradient)
                if needs_input_gradient:
                    torch.bmm(gradient, weight.transpose(1, 2))

    return compute


def measure():
    """Yield seconds per epoch of both stages of PRETRAIN_BULK and their ratio to the bare products."""
    lines, model = synthetic(N_LINES, N_GENES), ATSDP(ATSDPConfig(), N_GENES, range(REPLICAS))
    parts = split_lines(lines.labels, 0).value_counts()
    sizes = [len(rows) for rows in torch.arange(parts["train"]).split(TrainingConfig().batch_size)]
    first = model.source.encoder[0]
    forwards = {
        "autoencoder": (model.source, model.source),
        "predictor": (
            nn.ModuleList([model.source.encoder, model.predictor]),
            lambda rows: model.predictor(model.source.encoder(rows)),
        ),
    }
    bare = {
        name: (
            products(modules, forward, first, sizes, True),
            products(modules, forward, first, [parts["validation"]], False),
        )
        for name, (modules, forward) in forwards.items()
    }

    def compute(name: str) -> float:
        return seconds(lambda: [part() for part in bare[name]])

    epochs = {name: [] for name in forwards}
    ratios = {name: [] for name in forwards}
    for _ in range(REPEATS):
        taken = train(lines, ATSDPConfig(), REPLICAS, EPOCHS)
        for name in forwards:
            epochs[name].append(median(taken[name]))
            ratios[name].append(epochs[name][-1] / median(compute(name) for _ in taken[name]))
    for name in forwards:
        yield Row(f"{name} epoch, {N_LINES} x {N_GENES}, {REPLICAS} replicas", median(epochs[name]), "s")
        yield Row(f"{name} epoch / its matrix products alone", median(ratios[name]), "x", 2)
