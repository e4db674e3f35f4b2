"""The benchmark that changes one choice of the model at a time, on a few made-up lines."""

import importlib
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pharmacell.response.settings import DEFAULT

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
ablation, mixture_cells, simulated_sets, transfer_accuracy = (
    importlib.import_module(name) for name in ("ablation", "mixture_cells", "simulated_sets", "transfer_accuracy")
)
N_LINES, N_GENES, N_SHARED = 120, 150, 90
DRUGS = ("a", "b")


@pytest.fixture
def small(monkeypatch):
    """A panel of two drugs, and networks that train for two epochs."""
    mixture = mixture_cells.Mixture.read()
    mixture = replace(mixture, genes=mixture.genes.nlargest(N_GENES, "ln_rate"))
    rng = np.random.default_rng(0)
    x = mixture.genes["bulk_mean"].to_numpy() + rng.normal(0, 0.5, (N_LINES, N_GENES))
    lines = pd.Index([f"LINE{number}" for number in range(N_LINES)])
    z = pd.DataFrame({"a": x[:, 0] + x[:, 1], "b": rng.normal(size=N_LINES)}, lines)
    tissue = np.repeat(["lung", "skin"], N_LINES // 2)
    panel = simulated_sets.Panel(x.astype(np.float32), mixture.genes.index.to_numpy(str), lines, z, tissue, {})
    monkeypatch.setattr(ablation.Mixture, "read", lambda: mixture)
    monkeypatch.setattr(ablation.Panel, "read", lambda folder: panel)
    monkeypatch.setattr(transfer_accuracy, "Difficulty", partial(simulated_sets.Difficulty, genes=N_SHARED))
    monkeypatch.setattr(simulated_sets, "CELLS", 10)
    monkeypatch.setattr(simulated_sets, "LINES", 3)
    for module in (ablation, transfer_accuracy):
        monkeypatch.setattr(module, "DRUGS", DRUGS)
    settings = replace(
        DEFAULT,
        network=replace(DEFAULT.network, bottleneck=16, encoder=(24,), predictor=(12,), heads=2),
        training=replace(DEFAULT.training, epochs=2, autoencoder_epochs=1),
    )
    variants = {
        "default": ablation.Variant(settings),
        "bulk stage shared": ablation.Variant(settings, shared=True),
        "no MMD": ablation.Variant(replace(settings, transfer=replace(settings.transfer, omega=0.0))),
    }
    monkeypatch.setattr(ablation, "VARIANTS", variants)


def run(out: Path, *arguments: str):
    found = CliRunner().invoke(ablation.main, [str(out.parent), str(out), "--n_replicas", "2", *arguments])
    assert not found.exception, found.output
    return found.output, pd.read_csv(out)


def test_a_shared_bulk_stage_learns_all_genes_and_is_compared_on_the_same_sets(small, monkeypatch, tmp_path):
    genes = []
    pretrain = ablation.trained

    def watched(lines, *arguments):
        genes.append(len(lines.genes))
        return pretrain(lines, *arguments)

    monkeypatch.setattr(ablation, "trained", watched)
    names = [part for name in ("default", "bulk stage shared", "no MMD") for part in ("--variant", name)]
    shown, table = run(tmp_path / "out.csv", "--n_sets", "1", *names)
    assert genes == [N_SHARED, N_GENES]  # "no MMD" differs in the joint stage alone, and has the default's bulk stage
    assert table["variant"].tolist() == ["default", "bulk stage shared", "no MMD"]
    assert table[ablation.KEY].drop_duplicates().to_numpy().tolist() == [[0, False, "a"]]
    baselines = table.set_index("variant")[["signature", "ridge", "logistic"]]
    assert baselines.loc["default"].tolist() == baselines.loc["no MMD"].tolist()
    assert "bulk stage shared - default, 1 sets: " in shown
    # a second call makes what is missing, and nothing else
    _, longer = run(tmp_path / "out.csv", "--n_sets", "2", "--variant", "default")
    assert genes == [N_SHARED, N_GENES, N_SHARED]
    assert longer[["variant", "drug"]].to_numpy().tolist() == [
        ["default", "a"],
        ["bulk stage shared", "a"],
        ["no MMD", "a"],
        ["default", "b"],
    ]
    pd.testing.assert_frame_equal(longer[:3], table)


def test_departures_change_the_default_and_nothing_that_is_published():
    for name, variant in ablation.DEPARTURES.items():
        ours, theirs = DEFAULT, ablation.PUBLISHED
        moved = [
            (group, field)
            for group in ("network", "training", "transfer")
            for field, value in vars(getattr(variant.settings, group)).items()
            if value != getattr(getattr(ours, group), field)
        ]
        assert moved, name
        for group, field in moved:
            assert getattr(getattr(variant.settings, group), field) == getattr(getattr(theirs, group), field), name
