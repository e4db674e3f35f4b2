"""Lower precision rounds the products of a network in training, and nothing else."""

import pytest
import torch
from perturbation_tables import small_table
from torch import nn

from pharmacell.core.errors import InputError
from pharmacell.nn.precision import products
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear, StackedMLP
from pharmacell.nn.wide_output import WideOutput
from pharmacell.training.loop import History, Stage, run_stage
from pharmacell.training.settings import TrainingConfig

EPSILON = 2**-8  # bf16 keeps 7 bits behind the leading one


def layer_and_input(kind: type[StackedLinear]) -> tuple[StackedLinear, torch.Tensor]:
    random = ReplicaRandom((3, 5))
    return kind(40, 6, random), random.normal((11, 40)).requires_grad_()


@pytest.mark.parametrize("kind", [StackedLinear, WideOutput])
def test_bf16_rounds_both_factors_and_the_product_only_inside(kind):
    layer, x = layer_and_input(kind)
    exact = layer(x).detach()
    with products(nn.Sequential(layer), "bf16"):
        found = layer(x)
    factors = x.bfloat16().double() @ layer.weight.bfloat16().double()
    assert found.dtype == torch.float32
    assert (found - layer.bias - factors).abs().max() <= EPSILON * factors.abs().max()
    assert not torch.equal(found, exact)
    assert torch.equal(layer(x), exact), "outside, products are float32 again"


@pytest.mark.parametrize("kind", [StackedLinear, WideOutput])
def test_gradients_pass_through_rounded_products(kind):
    gradients = {}
    for precision in ("float32", "bf16"):
        layer, x = layer_and_input(kind)
        with products(layer, precision):
            layer(x).square().sum().backward()
        gradients[precision] = [x.grad, layer.weight.grad, layer.bias.grad]
    for exact, rounded in zip(gradients["float32"], gradients["bf16"], strict=True):
        assert not torch.equal(exact, rounded)
        assert (exact - rounded).norm() < 0.02 * exact.norm()


def test_tf32_is_refused_without_a_gpu_and_leaves_no_trace():
    layer, _ = layer_and_input(StackedLinear)
    with pytest.raises(InputError, match="--precision tf32: only a GPU has it"), products(layer, "tf32"):
        pass
    assert not layer.rounded
    assert not torch.backends.cuda.matmul.allow_tf32


def trained(precision: str) -> tuple[torch.Tensor, list]:
    """Train a small perceptron; return its first weights and the losses of the training part."""
    random = ReplicaRandom((1, 2))
    network = StackedMLP((20, 8, 1), 0.0, random)
    x = ReplicaRandom((7,)).normal((64, 20))[0]
    y = x[:, :1]
    history = History()

    def terms(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"total": (network(batch) - y).square().mean((1, 2))}

    run_stage(
        Stage(
            "stage", network, random, lambda: [x], lambda batch: {"total": (network(batch) - y).square().mean((1, 2))}
        ),
        TrainingConfig(epochs=30, learning_rate=0.01, precision=precision),
        history,
    )
    losses = history.table().groupby("epoch")["value"].mean().tolist()
    return network[0].weight.detach(), losses


def test_a_stage_trains_in_the_precision_of_its_settings():
    exact, exact_losses = trained("float32")
    rounded, losses = trained("bf16")
    assert not torch.equal(exact, rounded)
    assert torch.allclose(exact, rounded, atol=0.05)
    assert losses[-1] < 0.5 * losses[0]
    assert losses[-1] == pytest.approx(exact_losses[-1], rel=0.1)


def test_a_perturbation_network_trains_in_the_precision_asked_for():
    from pharmacell.perturbation.models.registry import build
    from pharmacell.perturbation.settings import FitOptions

    table = small_table()
    found = {
        precision: build("gru", FitOptions(epochs=3, patience=0, precision=precision))
        .fit_predict(table, table.keys.head(5), [0], torch.device("cpu"))
        .predictions
        for precision in ("float32", "bf16")
    }
    difference = abs(found["bf16"] - found["float32"])
    assert 0 < difference.max() < 0.2 * abs(found["float32"]).max()
