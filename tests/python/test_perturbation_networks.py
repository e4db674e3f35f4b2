"""Networks of the perturbation task: stacks equal single replicas, files give the predictions back, training learns."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import norm
from synthetic_perturbation import CPU, ENCODINGS, options, small

from pharmacell.core.errors import InputError
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedLinear
from pharmacell.perturbation.encodings.base import InputShape
from pharmacell.perturbation.losses import LOSSES, GeneLoss
from pharmacell.perturbation.models.inner import inner_folds
from pharmacell.perturbation.models.network import Network, configure
from pharmacell.perturbation.models.registry import NETWORKS, build
from pharmacell.perturbation.outputs import Outputs
from pharmacell.perturbation.protocols import folds
from pharmacell.perturbation.settings import FitOptions
from pharmacell.perturbation.store import load, save
from pharmacell.perturbation.target_spaces import signed_log10_p, z_score

TABLE = small()
TRAIN, TEST = TABLE.take(np.arange(70)), TABLE.take(np.arange(70, len(TABLE)))
EVERY = [(model, encoding) for model in NETWORKS for encoding in ("ordinal", "smiles")]
EVERY += [("gru", encoding) for encoding in ENCODINGS[2:]]


def fit(model: str, chosen: FitOptions, seeds, train=TRAIN, test=TEST):
    return build(model, chosen).fit_predict(train, test.keys, seeds, CPU)


@pytest.mark.parametrize(("model", "encoding"), EVERY)
def test_replica_in_a_stack_equals_the_same_alone(model, encoding, tmp_path):
    chosen = options(encoding, tmp_path, patience=2)
    stack, alone = fit(model, chosen, [0, 1, 2]), fit(model, chosen, [1])
    np.testing.assert_allclose(stack.predictions[1], alone.predictions[0], rtol=1e-5, atol=1e-5)  # sums in float32
    assert stack.predictions.shape == (3, len(TEST), len(TABLE.genes))
    assert stack.predictions.dtype == np.float32
    assert np.ptp(stack.predictions, axis=0).max() > 1e-4  # seeds differ
    own = stack.history.query("seed == 1").reset_index(drop=True)
    np.testing.assert_allclose(own["loss"], alone.history["loss"], rtol=1e-5)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_stored_model_predicts_the_same(encoding, tmp_path):
    found = fit("transformer", options(encoding, tmp_path, n_components=4), [0, 1])
    save(found.weights, found.config, tmp_path / "m.safetensors")
    fitted, config = load(tmp_path / "m.safetensors", CPU)
    assert np.array_equal(fitted.predict(TEST.keys), found.predictions)
    assert config["genes"] == TABLE.genes
    weights = dict(found.weights)
    weights["network.output.bias"] = weights["network.output.bias"][:, :, 1:]
    save(weights, found.config, tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="train it again"):
        load(tmp_path / "m.safetensors", CPU)


@pytest.mark.parametrize("model", NETWORKS)
def test_learns_what_a_cell_type_does(model):
    keys = TABLE.keys
    level = keys["cell_type"].map({name: 2.0 * number for number, name in enumerate(sorted(set(TABLE.cell_type)))})
    y = np.repeat(level.to_numpy(np.float32)[:, None] - 5, 8, 1)
    table = replace(TABLE, y=y, genes=[f"g{number}" for number in range(8)])
    train, test = table.take(np.arange(len(table)) % 4 > 0), table.take(np.arange(len(table)) % 4 == 0)
    chosen = options("ordinal", epochs=60, learning_rate=0.01, patience=0)
    found = fit(model, chosen, [0], train, test).predictions[0]
    assert np.abs(found - test.y).mean() < 0.5 * np.abs(test.y - train.y.mean(0)).mean()


def test_same_seed_same_numbers():
    first, second = (fit("gru3_attn", options("ordinal"), [3, 4]).predictions for _ in range(2))
    assert np.array_equal(first, second)


def test_inner_folds_tell_how_long_all_rows_train():
    chosen = options("ordinal", epochs=60, patience=2, learning_rate=0.01, shrink=False)
    found = fit("gru", chosen, [0])
    losses = {part: rows.set_index("epoch")["loss"] for part, rows in found.history.groupby("part")}
    best = losses["validation"].idxmin()
    assert losses["train"].index.max() == best < 60
    until_then = fit("gru", replace(chosen, epochs=int(best), patience=0), [0])
    assert np.array_equal(until_then.predictions, found.predictions), "trained on all rows"
    assert [len(part) for part in found.inner] == [len(held) for _, held in inner_folds(TRAIN, TEST.keys)]


def test_inner_folds_tell_how_far_to_trust_a_network():
    """Of noise next to nothing is predicted; of what a cell type does, nearly all."""
    rng = np.random.default_rng(0)
    of_cell_type = {name: 3 * rng.normal(size=len(TABLE.genes)) for name in set(TABLE.cell_type)}
    noise = rng.normal(size=TABLE.y.shape)
    error = {}
    for name, y in (("noise", noise), ("signal", noise + [of_cell_type[one] for one in TABLE.cell_type])):
        table = replace(TABLE, y=y.astype(np.float32))
        train, test = (table.take(rows) for rows in folds(table, "random", 0)[0])
        for shrink in (True, False):
            chosen = options("joint", n_components=20, epochs=30, learning_rate=0.01, patience=5, shrink=shrink)
            found = fit("gru", chosen, [0], train, test).predictions[0]
            error[name, shrink] = np.sqrt(np.mean((found - test.y) ** 2)) / np.sqrt(np.mean(test.y**2))
    assert error["noise", True] < 1.01 < error["noise", False]
    assert error["signal", True] < 0.5
    assert error["signal", True] < 1.02 * error["signal", False]


def test_shrunk_outputs_count_in_part():
    outputs = Outputs.fit(TABLE, FitOptions(start="cell_type", n_components=5))
    put_out, cell_type = np.ones((len(TABLE), 5), np.float32), TABLE.cell_type
    centre, whole = (part.decode(put_out, cell_type) for part in (outputs.shrunk(1, 0), outputs))
    found = outputs.shrunk(0.5, 0.2).decode(put_out, cell_type)
    np.testing.assert_allclose(found, 0.5 * centre + 0.2 * (whole - centre), rtol=1e-4, atol=1e-5)


def test_no_patience_trains_for_all_epochs_on_all_rows():
    found = fit("gru", options("ordinal", epochs=4, patience=0), [0])
    assert set(found.history["part"]) == {"train"}
    assert found.history["epoch"].max() == 4


def test_losses_by_hand():
    prediction, truth = torch.tensor([[[1.0, 3.0], [0.0, 0.0]]]), torch.tensor([[[1.0, 0.0], [0.5, 0.5]]])
    expected = {"mae": 4 / 4, "mse": 9.5 / 4, "mrrmse": (4.5**0.5 + 0.5) / 2, "huber": (2.5 + 0.25) / 4}
    log_cosh = np.log(np.cosh([3, 0.5, 0.5])).sum()
    expected["mixed"] = (9.5 + 4 + log_cosh) / 3 / 4
    assert {name: loss(prediction, truth).item() for name, loss in LOSSES.items()} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("start", ["zero", "median", "cell_type"])
def test_outputs_begin_where_they_say_and_give_a_table_of_low_rank_back(start):
    rng = np.random.default_rng(0)
    y = (rng.normal(size=(len(TABLE), 3)) @ rng.normal(size=(3, 50))).astype(np.float32)
    table = replace(TABLE, y=y, genes=[f"g{number}" for number in range(50)])
    outputs = Outputs.fit(table, FitOptions(start=start, n_components=40))
    assert outputs.n_outputs == 40
    begin = outputs.decode(np.zeros((1, 40), np.float32), np.array(["a new cell type"]))
    expected = {"zero": np.zeros(50), "median": np.median(y, axis=0), "cell_type": y.mean(axis=0)}[start]
    np.testing.assert_allclose(begin[0], expected, atol=1e-5)
    lengths = (outputs.patterns**2).sum(axis=1).clip(1e-12)
    scores = outputs.standardised(y, table.cell_type) @ outputs.patterns.T / lengths
    np.testing.assert_allclose(outputs.decode(scores, table.cell_type), y, atol=0.05)


@pytest.mark.parametrize("name", LOSSES)
def test_loss_of_scores_is_that_of_their_genes(name):
    outputs = Outputs.fit(TABLE, FitOptions(start="cell_type", n_components=5))
    rows = torch.tensor([[3, 40, 7], [9, 9, 60]])
    scores = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    truth = torch.as_tensor(outputs.standardised(TABLE.y, TABLE.cell_type))[rows]
    expected = LOSSES[name](scores @ torch.as_tensor(outputs.patterns), truth)
    found = GeneLoss(name, outputs, TABLE.y, TABLE.cell_type, CPU)(scores, rows)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    gradients = [torch.autograd.grad(loss.sum(), scores, retain_graph=True)[0] for loss in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-6)


def test_autoencoder_has_only_its_dense_layer_before_the_genes():
    chosen = FitOptions(config="study").complete()
    network = Network("autoencoder", configure("autoencoder", chosen), InputShape(10, 5, 0, ()), 7, ReplicaRandom([0]))
    widths = [layer.weight.shape[2] for layer in network.modules() if isinstance(layer, StackedLinear)]
    assert widths == [256, 64, 64, 256, 128, 7]
    assert network.hidden is None


def test_settings_of_the_study():
    study = FitOptions(config="study").complete()
    assert (study.encoding, study.loss, study.n_components, study.start) == ("ordinal", "mae", None, "zero")
    assert not study.shrink
    found = {name: configure(name, study) for name in NETWORKS}
    assert {name: (c.learning_rate, c.epochs, c.batch_size) for name, c in found.items()} == {
        "gru": (0.001, 300, 30),
        "lstm": (0.001, 300, 30),
        "gru3": (0.001, 300, 30),
        "gru3_attn": (0.001, 300, 20),
        "transformer": (0.003, 400, 50),
        "autoencoder": (0.003, 500, 70),
        "cnn": (0.001, 300, 30),  # not of the study
    }
    assert found["gru"].units == 128
    assert found["lstm"].units == 16
    assert found["transformer"].heads == 2
    assert found["gru3"].widths() == [128, 64, 64]
    assert configure("gru3", replace(study, n_layers=2)).widths() == [128, 64]
    with pytest.raises(InputError, match="n_layers"):
        configure("gru", replace(study, n_layers=2))


@pytest.mark.parametrize("protocol", ["kaggle", "leave_compound_out"])
def test_pseudolabels_are_what_the_networks_predict_themselves(protocol):
    """The rows to predict take part under their predicted values; networks that have nothing to learn stay put."""
    train, test = folds(TABLE, protocol, 0)[0]
    known, asked = TABLE.take(train), TABLE.take(test)
    once = fit("gru", options("joint", n_components=4), [0, 1], known, asked)
    again = fit("gru", options("joint", n_components=4, pseudolabels=True), [0, 1], known, asked)
    assert np.abs(again.predictions - once.predictions).max() > 1e-3
    still = [fit("gru", options("joint", pseudolabels=flag, learning_rate=1e-9), [0], known, asked) for flag in (0, 1)]
    np.testing.assert_allclose(still[0].predictions, still[1].predictions, atol=1e-4)


def test_z_scores_are_those_of_the_p_values_and_come_back():
    y = np.array([[0.0, 1e-4, 0.3, -1.30103, 2.0, -20.0, 150.0, -300.0]], np.float32)
    z = z_score(y)
    p = 10.0 ** -np.abs(y.astype(float))
    np.testing.assert_allclose(z[:, :6], (np.sign(y) * norm.isf(p / 2))[:, :6], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(signed_log10_p(z), y, rtol=2e-6, atol=1e-7)
    assert z[0, 3] == pytest.approx(-1.96, abs=1e-3)
    stray = np.array([[-500.0, 0.0, 39.0]], np.float32)
    np.testing.assert_allclose(signed_log10_p(stray), [[-315.3, 0, 315.3]], atol=0.1)
    many = np.random.default_rng(0).normal(scale=3, size=(2, 70, 5)).astype(np.float32)
    np.testing.assert_allclose(signed_log10_p(z_score(many)), many, rtol=2e-6, atol=1e-6)


def test_networks_of_z_scores_predict_in_the_units_of_the_table(tmp_path):
    chosen = options("joint", epochs=40, learning_rate=0.01, patience=0, target_space="z_score")
    found = fit("gru", chosen, [0])
    assert np.abs(found.predictions[0] - TEST.y).mean() < np.abs(TEST.y).mean()
    begin = fit("gru", replace(chosen, learning_rate=1e-9, start="median"), [0], TRAIN, TRAIN).predictions[0]
    middle = signed_log10_p(np.median(z_score(TRAIN.y), axis=0)[None])
    assert np.corrcoef(begin.mean(axis=0), middle[0])[0, 1] > 0.5
    save(found.weights, found.config, tmp_path / "m.safetensors")
    assert np.array_equal(load(tmp_path / "m.safetensors", CPU)[0].predict(TEST.keys), found.predictions)


def test_history_names_seeds():
    found = fit("gru", options("ordinal"), [7, 9])
    assert set(found.history["seed"]) == {7, 9}
    assert list(found.history.columns) == ["seed", "epoch", "part", "loss"]
    assert np.isfinite(pd.to_numeric(found.history["loss"])).all()
