"""Terms of the joint loss: against naive loops, at their extremes, and by where their gradients go."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from synthetic_cells import CONFIG

from pharmacell.nn.random import ReplicaRandom
from pharmacell.response.joint_training import latent_mmd
from pharmacell.response.network import ATSDP
from pharmacell.training.losses import BANDWIDTHS, class_cross_entropy, cluster_regulariser, mmd, reconstruction
from pharmacell.training.training_set import TrainingSet


@pytest.fixture(autouse=True)
def same_random_input_in_every_run():
    torch.manual_seed(0)


def naive_mmd(source: np.ndarray, target: np.ndarray) -> float:
    pooled = np.concatenate([source, target]).astype(np.float64)
    distance = np.array([[((a - b) ** 2).sum() for b in pooled] for a in pooled])
    ranked = np.sort(distance, axis=None)
    median = ranked[(ranked.size - 1) // 2]
    kernel = np.mean([np.exp(-distance / (width * median)) for width in BANDWIDTHS], axis=0)
    n = len(source)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def naive_regulariser(latent: np.ndarray, clusters: np.ndarray) -> float:
    unit = latent / np.linalg.norm(latent, axis=1, keepdims=True)
    losses = []
    for cell, cluster in zip(unit, clusters, strict=True):
        centre = unit[clusters == cluster].mean(0)
        losses.append(1 - cell @ centre / np.linalg.norm(centre))
    return float(np.mean(losses))


def test_mmd_equals_a_naive_implementation_for_each_replica():
    source, target = torch.randn(3, 12, 5), 0.5 + 1.5 * torch.randn(3, 9, 5)
    expected = [naive_mmd(a, b) for a, b in zip(source.numpy(), target.numpy(), strict=True)]
    assert mmd(source, target).numpy() == pytest.approx(expected, abs=1e-5)


def test_mmd_is_zero_for_the_same_sample_and_grows_with_the_shift():
    source = torch.randn(2, 40, 6)
    assert mmd(source, source).numpy() == pytest.approx(0, abs=1e-6)
    same, small, large = (mmd(source, torch.randn(2, 40, 6) + shift) for shift in (0, 0.7, 3))
    assert (same < small).all()
    assert (small < large).all()


def test_mmd_of_a_constant_latent_is_finite():
    assert mmd(torch.zeros(1, 5, 3), torch.zeros(1, 5, 3)).numpy() == pytest.approx(0, abs=1e-6)


def test_cluster_regulariser_equals_a_naive_implementation():
    latent, clusters = torch.randn(2, 20, 6), torch.randint(3, (2, 20))
    expected = [naive_regulariser(a, b) for a, b in zip(latent.numpy(), clusters.numpy(), strict=True)]
    assert cluster_regulariser(latent, clusters, 5).numpy() == pytest.approx(expected, abs=1e-5)


def test_cluster_regulariser_is_zero_where_a_cluster_points_one_way_whatever_the_length():
    directions = torch.randn(1, 3, 6)
    clusters = torch.arange(3).repeat(4)[None]
    latent = directions[:, clusters[0]] * (0.5 + torch.rand(1, 12, 1))
    assert cluster_regulariser(latent, clusters, 3).item() == pytest.approx(0, abs=1e-5)
    assert cluster_regulariser(latent, clusters.roll(1, dims=1) * 0, 3).item() > 0.05


@pytest.mark.parametrize(
    "loss",
    [
        lambda z: mmd(z, torch.ones(1, 4, 3, dtype=z.dtype) * torch.arange(4, dtype=z.dtype)[:, None]),
        lambda z: cluster_regulariser(z, torch.tensor([[0, 1, 0, 1, 1]]), 2),
    ],
)
def test_gradients_lower_the_loss(loss):
    z = torch.randn(1, 5, 3, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(z).sum(), z)
    assert gradient.abs().max() > 1e-4
    expected = loss(z).item() - 1e-3 * gradient.square().sum().item()
    assert loss(z - 1e-3 * gradient).item() == pytest.approx(expected, abs=1e-5)


def test_cross_entropy_and_reconstruction_by_hand():
    logits = torch.tensor([[[0.0, 0.0], [0.0, 2.0]]])
    expected = (np.log(2) + np.log1p(np.exp(2))) / 2
    assert class_cross_entropy(logits, torch.tensor([[1, 0]])).item() == pytest.approx(expected)
    assert reconstruction(torch.zeros(1, 2, 2), torch.tensor([[[1.0, 2.0], [0.0, 3.0]]])).item() == pytest.approx(3.5)


def reached(loss: torch.Tensor, model: ATSDP) -> set[str]:
    """Return the parts of the network to which a loss sends a gradient."""
    model.zero_grad(set_to_none=True)
    loss.sum().backward()
    parts = {"source": model.source.encoder, "target": model.target.encoder, "predictor": model.predictor}
    return {
        name
        for name, part in parts.items()
        if all(p.grad is not None for p in part.parameters()) and any(p.grad.any() for p in part.parameters())
    }


@pytest.mark.parametrize("heads", [0, 4])
def test_each_term_of_the_joint_loss_reaches_its_parts(heads):
    model = ATSDP(replace(CONFIG, heads=heads), 20, [1, 2])
    z_source, z_target = model.source.encoder(torch.randn(15, 20)), model.target.encoder(torch.randn(18, 20))
    labels, clusters = torch.randint(2, (2, 15)), torch.randint(3, (2, 18))
    assert reached(class_cross_entropy(model.predictor(z_source), labels), model) == {"source", "predictor"}
    z_source, z_target = model.source.encoder(torch.randn(15, 20)), model.target.encoder(torch.randn(18, 20))
    assert reached(mmd(z_source, z_target), model) == {"source", "target"}
    z_target = model.target.encoder(torch.randn(18, 20))
    assert reached(cluster_regulariser(z_target, clusters, 3), model) == {"target"}


def test_discrepancy_of_the_latents_is_of_drawn_cells_whatever_their_order_in_the_file():
    model = ATSDP(CONFIG, 20, [1, 2]).eval()
    lines, first, last = torch.randn(300, 20), torch.randn(1100, 20), 3 + torch.randn(1100, 20)
    one_way, other = (latent_mmd(model, lines, torch.cat(cells)) for cells in ((first, last), (last, first)))
    alone = latent_mmd(model, lines, last)
    assert abs(one_way - other).max() < 0.1 * (alone - one_way).min()
    assert np.array_equal(one_way, latent_mmd(model, lines, torch.cat((first, last))))


@pytest.mark.parametrize(
    ("n_rows", "sizes"), [(604, [200] * 3), (700, [200] * 3 + [100]), (50, [50]), (400, [200] * 2)]
)
def test_a_short_last_batch_is_left_out_and_every_epoch_leaves_out_other_rows(n_rows, sizes):
    rows = torch.arange(n_rows).expand(2, -1)
    data = TrainingSet(torch.zeros(n_rows, 1), None, rows, rows, rows, rows)
    random = ReplicaRandom([1, 2])
    epochs = [data.epoch(rows, random, 200) for _ in range(3)]
    assert [batch.shape[1] for batch in epochs[0]] == sizes
    if sum(sizes) < n_rows:
        left_out = [set(range(n_rows)) - set(torch.cat(epoch, 1)[0].tolist()) for epoch in epochs]
        assert len(set.union(*left_out)) > n_rows - sum(sizes)


def test_the_discrepancy_of_a_short_batch_is_far_above_that_of_a_whole_one():
    z = torch.randn(1, 400, 16)
    short, whole = mmd(z[:, :4], z[:, 200:204]), mmd(z[:, :200], z[:, 200:])
    assert short > 10 * whole
