"""The simulator made from real cells, which examines what the package's own simulator trained, and its sets."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PROJECT = Path(__file__).resolve().parents[2]
sys.path.append(str(PROJECT / "benchmarks"))
mixture_cells, simulated_sets = (importlib.import_module(name) for name in ("mixture_cells", "simulated_sets"))


@pytest.fixture(scope="module")
def mixture():
    return mixture_cells.Mixture.read()


@pytest.fixture(scope="module")
def panel(mixture):
    rng, n_lines = np.random.default_rng(0), 160
    x = mixture.genes["bulk_mean"].to_numpy() + rng.normal(0, 0.35, (n_lines, len(mixture.genes)))
    lines = pd.Index([f"LINE{number}" for number in range(n_lines)])
    z = pd.DataFrame({"a": x[:, 0], "b": rng.normal(size=n_lines), "c": rng.normal(size=n_lines)}, lines)
    tissue = np.repeat(["lung", "skin"], n_lines // 2)
    return simulated_sets.Panel(x.astype(np.float32), mixture.genes.index.to_numpy(str), lines, z, tissue, {})


def test_cells_look_like_the_real_ones(mixture):
    bulk = np.tile(mixture.genes["bulk_mean"].to_numpy(), (4, 1))
    counts = mixture.counts(bulk, 80, np.random.default_rng(1)).toarray()
    assert np.array_equal(counts, mixture.counts(bulk, 80, np.random.default_rng(1)).toarray())
    real = mixture.cells["counts"]
    assert np.median(counts.sum(1)) == pytest.approx(real.median(), rel=0.2)
    assert 0.55 < (counts == 0).mean() < 0.7  # 0.60 and 0.67 on the two real plates
    level = pd.Series(counts.mean(0)).corr(mixture.genes["ln_rate"].reset_index(drop=True), method="spearman")
    assert level > 0.85


def test_a_lines_difference_in_bulk_shows_in_its_cells_but_not_alone(mixture):
    rng = np.random.default_rng(2)
    bulk = mixture.genes["bulk_mean"].to_numpy() + rng.normal(0, 0.4, (3, len(mixture.genes)))
    rates = np.log(mixture.rates(bulk, rng))
    differences = [(part - part.mean(0)).ravel() for part in (rates, bulk)]
    assert 0.4 < np.corrcoef(*differences)[0, 1] < 0.7  # 0.52 and 0.67 on the two real plates


def test_more_batch_and_less_depth_are_seen_in_the_counts(mixture):
    bulk = np.tile(mixture.genes["bulk_mean"].to_numpy(), (2, 1))
    usual, shallow = (mixture.counts(bulk, 60, np.random.default_rng(3), depth).sum() for depth in (1.0, 0.1))
    assert shallow == pytest.approx(0.1 * usual, rel=0.15)

    def shift(batch: float) -> float:
        counts = mixture.counts(bulk, 60, np.random.default_rng(4), batch=batch).toarray()
        means = [np.log(counts[start::2].mean(0) + 0.1) for start in (0, 1)]
        return float(np.std((means[0] - means[1])[counts.mean(0) > 2]))

    assert shift(1.0) > 1.5 * shift(0.0)


@pytest.mark.parametrize("one_tissue", [False, True])
def test_a_set_holds_its_lines_out_and_can_be_of_one_tissue(mixture, panel, one_tissue):
    kind = simulated_sets.Kind(one_tissue, mixture)
    made = simulated_sets.make_set(panel, "a", simulated_sets.Difficulty("fair"), np.random.default_rng(5), kind)
    assert made.counts.shape == (12 * simulated_sets.CELLS, simulated_sets.GENES)
    assert made.truth.mean() == 0.5
    assert len(made.held_x) == round(simulated_sets.HELD_OUT * len(panel.lines))
    assert len(made.lines.labels) == len(panel.lines) - len(made.held_x)
    assert not (made.lines.x[:, None] == made.held_x[None]).all(2).any()
    assert (made.tissue in ("lung", "skin")) == one_tissue


def test_the_package_never_reads_the_simulator_that_examines_it():
    found = [path for path in (PROJECT / "bin").rglob("*.py") if "mixture_cells" in path.read_text()]
    assert found == []
