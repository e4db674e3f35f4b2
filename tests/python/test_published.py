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
from pharmacell.response.training_lines import SplitLines
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
