"""The published configuration: what the paper's equations say, where the default departs from them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from synthetic_cells import CONFIG, CPU, TRAINING, equal, make_lines, pretrain_small, weights_of, write_cells

from pharmacell.cli.plan_folds import plan_folds
from pharmacell.cli.pretrain_bulk import pretrain_bulk
from pharmacell.core.settings import fields_of
from pharmacell.data.cells import CellMatrix
from pharmacell.data.splits import split_lines
from pharmacell.response.finetune_sc import adapt
from pharmacell.response.joint_training import TargetCells, with_resampled_cells
from pharmacell.response.network import ATSDP
from pharmacell.response.settings import (
    DEFAULT,
    PRESETS,
    PUBLISHED,
    ATSDPConfig,
    Configuration,
    TransferConfig,
    configuration,
)
from pharmacell.response.training_lines import SplitLines, prepare_training_lines
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.settings import TrainingConfig

TO_THE_LETTER = {
    "network": ("plain_attention", "relu_latent"),
    "training": ("noisy_predictor", "fixed_encoder"),
    "transfer": ("root_discrepancy",),
}


def encoder_of(pretrained) -> dict[str, np.ndarray]:
    return {name: value.numpy() for name, value in pretrained.bundle.model.source.encoder.state_dict().items()}


def test_the_paper_is_followed_where_it_is_named_and_no_option_changes_that():
    for group, names in TO_THE_LETTER.items():
        for name in names:
            assert getattr(getattr(PUBLISHED, group), name)
            assert not getattr(getattr(DEFAULT, group), name)
            assert all(getattr(getattr(configuration("default", one, {}), group), name) for one in PRESETS)
    assert not PUBLISHED.training.inner_validation
    options = {option.name for command in (pretrain_bulk, plan_folds) for option in command.params}
    fields = {name for part in (ATSDPConfig, TrainingConfig, TransferConfig) for name in fields_of(part)}
    assert not (options | fields) & {"inner_validation", *sum(TO_THE_LETTER.values(), ())}


def test_a_fixed_encoder_is_that_of_the_autoencoder_and_the_predictor_learns_all_the_same():
    fixed, free = (pretrain_small(training=replace(TRAINING, fixed_encoder=value)) for value in (True, False))
    assert equal(encoder_of(fixed), {name: value.numpy() for name, value in fixed.bundle.autoencoder.items()})
    assert not equal(encoder_of(fixed), encoder_of(free))
    assert fixed.bundle.card.pretraining.predictor_epochs != [0, 0]
    longer = replace(TRAINING, fixed_encoder=True, epochs=40, patience=40)
    assert pretrain_small(training=longer).bundle.card.pretraining.source_auroc["network"].value > 0.75


@pytest.mark.parametrize("noisy", [True, False])
def test_the_predictor_learns_from_noisy_lines_where_it_says_so(noisy):
    alone = replace(TRAINING, autoencoder_epochs=0, noisy_predictor=noisy)
    weights = [weights_of(pretrain_small(training=replace(alone, noise_rate=rate)).bundle.model) for rate in (0.1, 0.6)]
    assert equal(*weights) is not noisy


def test_without_inner_validation_all_lines_but_the_test_lines_are_learnt_from():
    lines = make_lines()
    split = split_lines(lines.labels, 7)
    for part, matters in (("validation", True), ("test", False)):
        x = lines.x.copy()
        rows = (split == part).to_numpy()
        x[rows] = x[rows][::-1]
        found = [
            weights_of(pretrain_small(one, replace(TRAINING, inner_validation=False, epochs=1)).bundle.model)
            for one in (lines, replace(lines, x=x))
        ]
        assert equal(*found) is not matters


def test_a_latent_behind_relu_is_never_negative_and_the_plain_one_is():
    x = torch.randn(30, 20)
    for relu_latent in (True, False):
        latent = ATSDP(replace(CONFIG, relu_latent=relu_latent), 20, [1]).source.encoder(x)
        assert bool((latent < 0).any()) is not relu_latent


def test_the_discrepancy_of_eq_15_is_the_norm_and_not_its_square(tmp_path):
    sample = CellMatrix(write_cells(tmp_path / "s.h5ad"))
    once = replace(TRAINING, epochs=1, learning_rate=1e-9)
    history = []
    for root in (False, True):
        pretrained = pretrain_small(training=once)
        settings = Configuration(training=once, transfer=TransferConfig(root_discrepancy=root))
        bulk = SplitLines(make_lines(), pretrained.split)
        table = adapt(pretrained.bundle, bulk, sample, settings, "none", TrainingRun(7, CPU)).history
        table = table[(table["stage"] == "joint") & (table["part"] == "validation") & (table["epoch"] == 0)]
        history.append(table.pivot_table(index="replica", columns="term", values="value"))
    square, root = history
    np.testing.assert_allclose(root["mmd"], np.sqrt(square["mmd"]), rtol=1e-4)
    np.testing.assert_allclose(root["total"], root["class"] + root["mmd"] + root["cluster"], rtol=1e-4)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_number_of_heads_of_the_sweep_runs_with_every_preset(preset):
    tokens = set()
    for heads in (0, 2, 4, 8, 16, 32):
        network = configuration("default", preset, {"heads": heads}).network
        model = ATSDP(replace(network, encoder=(16,), predictor=(8,)), 20, [1])
        assert model.probability(torch.randn(3, 20), "target").shape == (1, 3)
        tokens |= {model.predictor.attention.n_tokens} if heads else set()
    assert len(tokens) == 1


def labelled_target(n_replicas: int) -> TargetCells:
    """Return 60 cells: 30 labelled 0 and 6 labelled 1, of which each replica learns from all but two."""
    x = torch.randn(60, 12, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0] * 30 + [1] * 6 + [-1] * 24)
    rows = [torch.tensor([row for row in range(36) if row not in (replica, 30)]) for replica in range(n_replicas)]
    kept = torch.stack([torch.tensor([replica, 30]) for replica in range(n_replicas)])
    return TargetCells(x, torch.zeros(60).long(), 1, labels[None], kept, kept, rows, stops_by_labels=True)


@pytest.mark.parametrize("sampling", ["over", "under", "smote", "adasyn"])
def test_resampling_balances_the_labelled_cells_that_are_learnt_from_and_touches_no_other(sampling):
    plain = labelled_target(3)
    found = with_resampled_cells(plain, sampling)
    assert torch.equal(found.x[:60], plain.x)
    assert torch.equal(found.labels[:, :60], plain.labels)
    for replica, rows in enumerate(found.labelled_rows):
        own = found.labels[0, rows]
        assert abs(own.float().mean() - 0.5) < 0.05
        assert not set(rows.tolist()) & {replica, 30}
        made = found.x[rows[rows >= 60]]
        if len(made):  # between sensitive cells that the replica may see
            of_class = plain.x[31:36]
            assert (torch.cdist(made, of_class).min(1).values < torch.cdist(of_class, of_class).max()).all()
    alone = with_resampled_cells(plain.of_replicas(torch.tensor([1])), sampling)
    torch.testing.assert_close(alone.x[alone.labelled_rows[0]], found.x[found.labelled_rows[1]])


def test_resampling_of_cells_leaves_the_lines_alone_and_lines_are_the_second_option():
    lines = make_lines()
    split = split_lines(lines.labels, 7)
    scaler, _ = lines.standardised((split != "test").to_numpy())
    shares = {}
    for what in ("cells", "lines"):
        settings = replace(TRAINING, sampling="over", resample=what)
        data = prepare_training_lines(SplitLines(lines, split), scaler, settings, 1, 7, CPU).training_set
        shares[what] = float(data.labels.gather(1, data.rows).float().mean())
    assert shares["cells"] == pytest.approx(0.3, abs=0.03)
    assert shares["lines"] == 0.5
    assert PUBLISHED.training.resample == "cells"
