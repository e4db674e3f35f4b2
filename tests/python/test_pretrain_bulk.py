"""Training on bulk lines: what it learns, and that nothing of the held-out lines reaches it."""

from dataclasses import replace

import imblearn.over_sampling
import numpy as np
import pytest
import torch
from fresh_process import imported
from synthetic_cells import (
    CONFIG,
    CPU,
    DRUG,
    GENES,
    TRAINING,
    equal,
    make_lines,
    pretrain_small,
    weights_of,
    write_bulk,
    write_cells,
)

from pharmacell.core.errors import InputError
from pharmacell.data.splits import split_lines
from pharmacell.response import pretrain_bulk as training
from pharmacell.response.pretrain_bulk import pretrain
from pharmacell.response.settings import Configuration
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.optimiser import LightAdamW
from pharmacell.training.sampling import resample


def train(lines, **settings):
    return pretrain_small(lines, replace(TRAINING, **settings))


def what_was_fitted(result) -> dict[str, np.ndarray]:
    bundle = result.bundle
    return weights_of(bundle.model) | {
        "mean": bundle.source_scaler.mean,
        "std": bundle.source_scaler.std,
        "baselines": bundle.baselines.weights,
        "slope": bundle.baselines.slope,
        "intercept": bundle.baselines.intercept,
    }


@pytest.mark.parametrize("sampling", ["none", "over", "smote"])
def test_poisoned_test_lines_change_no_weight(sampling, monkeypatch):
    clean = make_lines()
    split = split_lines(clean.labels, 7)
    monkeypatch.setattr(training, "split_lines", lambda *_, **__: split)  # poisoned labels must not move the split
    test = (split == "test").to_numpy()
    assert 10 < test.sum() < 30
    x, labels, response = clean.x.copy(), clean.labels.copy(), clean.response.copy()
    x[test] = 1e3 * np.random.default_rng(0).normal(size=x[test].shape)
    labels[test], response[test] = 1 - labels[test], -100.0
    honest = train(clean, sampling=sampling, resample="lines")
    poisoned = train(replace(clean, x=x, labels=labels, response=response), sampling=sampling, resample="lines")
    assert equal(what_was_fitted(honest), what_was_fitted(poisoned))
    assert not honest.metrics.equals(poisoned.metrics)  # the poison did arrive where the lines are scored


def test_poisoned_validation_lines_reach_neither_scaling_nor_baseline_weights():
    clean = make_lines()
    x = clean.x.copy()
    x[(split_lines(clean.labels, 7) == "validation").to_numpy()] += 50
    honest, poisoned = (what_was_fitted(train(lines)) for lines in (clean, replace(clean, x=x)))
    for name in ("mean", "std", "baselines"):
        assert np.array_equal(honest[name], poisoned[name])


def test_scaling_is_that_of_the_training_lines():
    lines = make_lines()
    result = train(lines)
    rows = lines.x[(result.split == "train").to_numpy()]
    np.testing.assert_allclose(result.bundle.source_scaler.mean, rows.mean(0), atol=1e-5)
    np.testing.assert_allclose(result.bundle.source_scaler.std, rows.std(0), rtol=1e-4)


def test_resampling_sees_training_lines_only(monkeypatch):
    seen = []
    original = imblearn.over_sampling.RandomOverSampler.fit_resample

    def spy(self, x, y, **settings):
        seen.append(np.array(x))
        return original(self, x, y, **settings)

    monkeypatch.setattr(imblearn.over_sampling.RandomOverSampler, "fit_resample", spy)
    lines = make_lines()
    result = train(lines, sampling="over", resample="lines")
    training = result.bundle.source_scaler.apply(lines.x[(result.split == "train").to_numpy()])
    assert seen
    for rows in seen:
        assert np.array_equal(rows, training)


@pytest.mark.parametrize("kind", ["over", "under", "smote", "adasyn"])
def test_resampling_balances_the_classes_repeatably(kind):
    rng = np.random.default_rng(0)
    labels = (np.arange(60) < 15).astype(int)
    x = rng.normal(size=(60, 8)).astype(np.float32) + labels[:, None]
    rows, classes = resample(x, labels, kind, 3)
    larger, smaller = np.bincount(classes)
    assert rows.dtype == np.float32
    assert larger == (15 if kind == "under" else 45)
    rounding = 15 / 2 if kind == "adasyn" else 0  # adasyn rounds how many rows it adds beside each of the 15
    assert abs(smaller - larger) <= rounding
    again, _ = resample(x, labels, kind, 3)
    assert np.array_equal(rows, again)


def test_no_resampling_returns_the_rows_and_too_few_rows_are_an_input_error():
    x, labels = np.zeros((5, 3), np.float32), np.array([0, 0, 0, 0, 1])
    assert resample(x, labels, "none", 0)[0] is x
    with pytest.raises(InputError, match="use --sampling over"):
        resample(x, labels, "smote", 0)


def test_the_response_is_learnt():
    result = pretrain_small(make_lines(300), replace(TRAINING, epochs=30, patience=5), 3, 0)
    auroc = result.metrics[result.metrics["metric"] == "auroc"].set_index("model")["value"]
    assert set(auroc.index) == {"network", "signature", "ridge", "logistic"}
    assert auroc.min() > 0.85
    intervals = result.metrics[result.metrics["metric"] == "auroc"]
    assert (intervals["low"] <= intervals["value"]).all()
    assert (intervals["value"] <= intervals["high"]).all()
    assert set(result.history["stage"]) == {"autoencoder", "predictor"}
    assert np.isfinite(result.history["value"]).all()


def test_permuted_labels_teach_nothing():
    lines = make_lines(300)
    order = np.random.default_rng(1).permutation(300)
    shuffled = replace(
        lines,
        labels=lines.labels.set_axis(lines.labels.index[order]).reindex(lines.labels.index),
        response=lines.response.set_axis(lines.response.index[order]).reindex(lines.response.index),
    )
    metrics = train(shuffled).metrics
    auroc = metrics[metrics["metric"] == "auroc"]["value"]
    assert auroc.between(0.25, 0.75).all()


def test_the_denoising_target_is_the_clean_input():
    """With all but a tenth of the input masked, a network that aimed at its noisy input would lose 0.1 or less."""
    factor = np.random.default_rng(0).normal(size=(400, 1))
    lines = replace(make_lines(400), x=np.repeat(factor, len(GENES), 1).astype(np.float32))  # a tenth tells the rest
    before = lines.x.copy()
    training = replace(TRAINING, epochs=60, patience=60, noise_rate=0.9)
    settings = Configuration(replace(CONFIG, dropout=0.0), training)
    history = pretrain(lines, settings, 1, TrainingRun(0, CPU)).history
    losses = history[(history["stage"] == "autoencoder") & (history["part"] == "train")].set_index("epoch")["value"]
    assert np.array_equal(lines.x, before)
    assert losses.iloc[0] > 0.5  # standardised clean values; of the noisy input it would be about 0.1
    assert losses.min() < 0.5 * losses.iloc[0]


def test_autoencoder_sees_noise_in_training_and_none_in_validation():
    lines = make_lines()
    losses = {}
    for rate in (0.0, 0.8):
        table = train(lines, noise_rate=rate, epochs=1).history
        losses[rate] = table[table["stage"] == "autoencoder"].groupby("part")["value"].mean()
    assert losses[0.8]["train"] != pytest.approx(losses[0.0]["train"], abs=1e-4)
    assert np.isfinite(losses[0.8]["validation"])


def test_the_command_does_not_import_the_compiler_of_torch(tmp_path):
    bulk, response = write_bulk(tmp_path)
    cells = write_cells(tmp_path / "s.h5ad")
    files = ["--bulk", str(bulk), "--response", str(response), "--target", str(cells), "--outdir", str(tmp_path)]
    modules = imported("pretrain_bulk", [*files, "--sample", "s", "--drug", DRUG, "--epochs", "1", "--threads", "1"])
    assert "torch" in modules
    assert "sympy" not in modules  # comes with the compiler, whose import takes over one second


def test_the_optimiser_steps_as_that_of_torch():
    start, gradient = torch.randn(2, 3, 4), torch.randn(5, 2, 3, 4)
    ends = []
    for kind in (LightAdamW, torch.optim.AdamW):
        weight = torch.nn.Parameter(start.clone())
        optimiser = kind([weight], lr=0.01, weight_decay=0.1, fused=True)
        for step in gradient:
            optimiser.zero_grad()
            (weight * step).sum().backward()
            optimiser.step()
        ends.append(weight.detach())
    assert torch.equal(*ends)
