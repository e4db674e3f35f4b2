"""Stacked layers, attention and noise: against torch's own layers, and replica by replica."""

import numpy as np
import pytest
import torch
from torch import nn

from pharmacell.core.errors import InputError
from pharmacell.nn.attention import TokenAttention
from pharmacell.nn.keyed_dropout import keep_mask
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedDropout, StackedLinear, StackedMLP
from pharmacell.response.settings import ATSDPConfig
from pharmacell.training.noise import corrupt

SEEDS = (3, 5, 8)


@pytest.fixture(autouse=True)
def same_random_input_in_every_run():
    torch.manual_seed(0)


def stream() -> ReplicaRandom:
    return ReplicaRandom(SEEDS)


def plain(layer: StackedLinear, replica: int) -> nn.Linear:
    """Return one replica of a stacked layer as torch's layer."""
    copy = nn.Linear(layer.weight.shape[1], layer.weight.shape[2])
    copy.weight.data, copy.bias.data = layer.weight.data[replica].T.clone(), layer.bias.data[replica, 0].clone()
    return copy


def test_stacked_linear_equals_torch_linear_forward_and_backward():
    layer = StackedLinear(7, 4, stream())
    x = torch.randn(len(SEEDS), 11, 7, requires_grad=True)
    output = layer(x)
    output.square().sum().backward()
    for replica in range(len(SEEDS)):
        single = plain(layer, replica)
        own_x = x[replica].detach().clone().requires_grad_()
        own = single(own_x)
        own.square().sum().backward()
        torch.testing.assert_close(output[replica], own)
        torch.testing.assert_close(layer.weight.grad[replica].T, single.weight.grad)
        torch.testing.assert_close(layer.bias.grad[replica, 0], single.bias.grad)
        torch.testing.assert_close(x.grad[replica], own_x.grad)


def test_stacked_perceptron_equals_torch_sequential():
    stacked = StackedMLP((9, 6, 5, 2), 0.3, stream()).eval()
    affine = [layer for layer in stacked if isinstance(layer, StackedLinear)]
    x = torch.randn(13, 9)
    output = stacked(x)
    for replica in range(len(SEEDS)):
        first, second, third = (plain(layer, replica) for layer in affine)
        torch.testing.assert_close(output[replica], nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third)(x))


def test_rows_shared_by_all_replicas_equal_rows_given_to_each():
    layer, x = StackedLinear(7, 4, stream()), torch.randn(5, 7)
    torch.testing.assert_close(layer(x), layer(x.repeat(len(SEEDS), 1, 1)))


def test_replicas_start_differently_and_do_not_share_gradients():
    layer = StackedLinear(7, 4, stream())
    assert not torch.equal(layer.weight[0], layer.weight[1])
    assert layer.weight.abs().max() <= 1 / 7**0.5
    layer(torch.randn(5, 7))[1].sum().backward()
    assert layer.weight.grad[1].abs().sum() > 0
    assert layer.weight.grad[[0, 2]].abs().sum() == 0


def test_dropout_rate_scale_and_evaluation():
    x = torch.ones(len(SEEDS), 200, 200)
    layer = StackedDropout(0.3, stream())
    output = layer(x)
    assert (output == 0).float().mean() == pytest.approx(0.3, abs=0.01)
    assert output.mean() == pytest.approx(1, abs=0.02)
    assert not torch.equal(output[0], output[1])
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_equals_torch_multihead_attention(heads):
    width, tokens = 8, 4
    block = TokenAttention(width * tokens, tokens, heads, stream())
    z = torch.randn(len(SEEDS), 6, width * tokens)
    output, weights = block(z), block.weights(z)
    for replica in range(len(SEEDS)):
        reference = nn.MultiheadAttention(width, heads, batch_first=True)
        mixing, out = plain(block.query_key_value, replica), plain(block.output, replica)
        reference.in_proj_weight.data, reference.in_proj_bias.data = mixing.weight.data, mixing.bias.data
        reference.out_proj.weight.data, reference.out_proj.bias.data = out.weight.data, out.bias.data
        sequence = z[replica].view(6, tokens, width) + block.position[replica, 0]
        update, expected = reference(sequence, sequence, sequence, average_attn_weights=False)
        torch.testing.assert_close(output[replica], (sequence + update).flatten(1))
        torch.testing.assert_close(weights[replica], expected)


def test_attention_weights_sum_to_one_and_are_not_trivial():
    block = TokenAttention(32, 4, 2, stream())
    weights = block.weights(torch.randn(len(SEEDS), 50, 32))
    assert weights.shape == (len(SEEDS), 50, 2, 4, 4)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    assert weights.std() > 0.02  # neither all 1 nor all 1/4
    assert weights.max() < 1


def test_tokens_differ_by_position():
    block = TokenAttention(32, 4, 2, stream())
    same_tokens = torch.randn(len(SEEDS), 5, 8).repeat(1, 1, 4)
    first, second = block(same_tokens).view(len(SEEDS), 5, 4, 8)[:, :, :2].unbind(2)
    assert not torch.allclose(first, second)


@pytest.mark.parametrize(("bottleneck", "tokens"), [(17, None), (32, 5), (32, 64)])
def test_a_bottleneck_that_cannot_be_cut_into_tokens_is_an_input_error(bottleneck, tokens):
    with pytest.raises(InputError, match=f"--bottleneck {bottleneck}"):
        ATSDPConfig(bottleneck, attention_tokens=tokens).tokens()


@pytest.mark.parametrize("bottleneck", [512, 32, 48, 30])
def test_the_number_of_tokens_stays_the_same_while_heads_change(bottleneck):
    heads = (1, 2, 3, 4, 8, 16, 32)
    tokens = {ATSDPConfig(bottleneck, heads=number).tokens() for number in heads}
    assert len(tokens) == 1
    for number in heads:
        block = TokenAttention(bottleneck, *tokens, number, stream())
        z = torch.randn(len(SEEDS), 5, bottleneck)
        assert block(z).shape == z.shape
        assert block.weights(z).shape == (len(SEEDS), 5, number, *tokens, *tokens)


def test_plain_attention_has_neither_positions_nor_a_residual_path():
    block = TokenAttention(32, 4, 2, stream(), plain=True)
    tokens, order = torch.randn(len(SEEDS), 5, 4, 8), [2, 0, 3, 1]
    found = block(tokens.flatten(2)).view_as(tokens)
    torch.testing.assert_close(block(tokens[:, :, order].flatten(2)).view_as(tokens), found[:, :, order])
    for part in (block.output.weight, block.output.bias):
        torch.nn.init.zeros_(part)
    assert not block(tokens.flatten(2)).any()


@pytest.mark.parametrize("kind", ["binomial", "dropout", "gaussian"])
def test_noise_leaves_the_clean_input_alone_and_differs_between_replicas(kind):
    clean = torch.randn(1, 40, 30).repeat(len(SEEDS), 1, 1)
    before = clean.clone()
    noisy = corrupt(clean, kind, 0.25, stream())
    assert torch.equal(clean, before)
    assert noisy.data_ptr() != clean.data_ptr()
    assert not torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy, clean)


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.8])
@pytest.mark.parametrize(("kind", "scale"), [("binomial", lambda rate: 1), ("dropout", lambda rate: 1 / (1 - rate))])
def test_masking_rate_and_what_remains(kind, scale, rate):
    clean = torch.rand(len(SEEDS), 300, 200) + 1
    noisy = corrupt(clean, kind, rate, stream())
    masked = noisy == 0
    assert masked.float().mean((1, 2)).numpy() == pytest.approx(rate, abs=0.01)
    torch.testing.assert_close(noisy[~masked], clean[~masked] * scale(rate), rtol=0.02, atol=0)


def test_gaussian_noise_has_the_standard_deviation_asked_for():
    clean = torch.randn(len(SEEDS), 300, 200)
    difference = corrupt(clean, "gaussian", 0.3, stream()) - clean
    assert difference.std((1, 2)).numpy() == pytest.approx(0.3, rel=0.02)
    assert difference.mean().item() == pytest.approx(0, abs=0.01)


def test_no_noise_at_rate_zero():
    clean = torch.randn(len(SEEDS), 4, 5)
    assert torch.equal(corrupt(clean, "binomial", 0, stream()), clean)


def test_a_replica_draws_alike_alone_and_in_a_stack():
    together, alone = stream(), ReplicaRandom(SEEDS[1:2])
    for draw in (
        lambda r: keep_mask(r.keys(), 5, 7, 0.4),
        lambda r: r.normal((3, 4)),
        lambda r: r.permutations(9),
        lambda r: r.choices(6, 20),
    ):
        assert torch.equal(draw(together)[1], draw(alone)[0])


def test_permutations_and_choices_stay_in_range():
    random = stream()
    assert np.array_equal(random.permutations(9).sort(1).values, np.tile(np.arange(9), (len(SEEDS), 1)))
    chosen = random.choices(6, 400)
    assert set(chosen.flatten().tolist()) == set(range(6))
