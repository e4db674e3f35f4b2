"""The recurrent layers of a stack equal torch's own on the same weights and skip padding; the wide output is affine."""

import pytest
import torch

from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.recurrent import StackedGRU, StackedLSTM
from pharmacell.nn.stacked import StackedLinear
from pharmacell.nn.wide_output import WideOutput

REPLICAS, ROWS, TOKENS, N_IN, UNITS = 3, 4, 6, 5, 7
PAIRS = [(StackedGRU, torch.nn.GRU), (StackedLSTM, torch.nn.LSTM)]


def torch_layer(kind, layer, replica: int):
    """Return torch's layer with the weights of one replica."""
    other = kind(N_IN, UNITS, batch_first=True)
    with torch.no_grad():
        for name, part in (("ih", layer.input), ("hh", layer.recurrent)):
            getattr(other, f"weight_{name}_l0").copy_(part.weight[replica].T)
            getattr(other, f"bias_{name}_l0").copy_(part.bias[replica, 0])
    return other


@pytest.mark.parametrize(("ours", "kind"), PAIRS)
def test_equal_to_torch(ours, kind):
    layer = ours(N_IN, UNITS, ReplicaRandom(range(REPLICAS)))
    x = torch.randn(REPLICAS, ROWS, TOKENS, N_IN)
    found = layer(x)
    found.square().sum().backward()
    for replica in range(REPLICAS):
        other = torch_layer(kind, layer, replica)
        expected, _ = other(x[replica])
        expected.square().sum().backward()
        torch.testing.assert_close(found[replica], expected, atol=1e-6, rtol=1e-5)
        gradient = layer.recurrent.weight.grad[replica].T
        torch.testing.assert_close(gradient, other.weight_hh_l0.grad, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("ours", "kind"), PAIRS)
def test_padding_leaves_the_state_alone(ours, kind):
    layer = ours(N_IN, UNITS, ReplicaRandom(range(REPLICAS)))
    x = torch.randn(REPLICAS, ROWS, TOKENS, N_IN)
    keep = torch.ones(REPLICAS, ROWS, TOKENS, dtype=torch.bool)
    keep[:, 0, :2] = False
    padded = layer(x, keep)
    torch.testing.assert_close(padded[:, 0, 2:], layer(x[:, :1, 2:])[:, 0])
    assert torch.equal(padded[:, 0, 1], torch.zeros(REPLICAS, UNITS))
    torch.testing.assert_close(padded[:, 1:], layer(x)[:, 1:])


@pytest.mark.parametrize(("ours", "kind"), PAIRS)
def test_initial_weights_spread_as_those_of_torch(ours, kind):
    layer = ours(200, UNITS, ReplicaRandom([0]))
    largest = max(value.abs().max().item() for value in layer.parameters())
    assert 0.9 * UNITS**-0.5 < largest <= UNITS**-0.5


def test_wide_output_has_the_gradients_of_an_affine_map():
    wide, plain = (kind(N_IN, UNITS, ReplicaRandom(range(REPLICAS))) for kind in (WideOutput, StackedLinear))
    for _ in range(2):  # the second time over the same buffer
        x = torch.randn(REPLICAS, ROWS, N_IN)
        found = []
        for layer in (wide, plain):
            layer.zero_grad()
            own = x.clone().requires_grad_()
            output = layer(own)
            output.square().sum().backward()
            found.append([output, own.grad, layer.weight.grad.clone(), layer.bias.grad])
        for ours, theirs in zip(*found, strict=True):
            torch.testing.assert_close(ours, theirs)
    with torch.no_grad():
        torch.testing.assert_close(wide(x), plain(x))
