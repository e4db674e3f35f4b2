"""Simulated cells resemble their line, and nothing of a held-out line stays in the bulk data set."""

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy.stats import nbinom

from pharmacell.cli.simulate_cells import simulate_cells
from pharmacell.core.errors import InputError
from pharmacell.data.simulate import choose_lines, negative_binomial, simulate_counts

RNG = np.random.default_rng(0)


def test_counts_follow_the_profile():
    profiles = RNG.normal(size=(3, 400)).astype(np.float32)
    counts = simulate_counts(profiles, 300, np.random.default_rng(1), dropout=0.0)
    assert counts.shape == (900, 400)
    assert (counts.data == np.rint(counts.data)).all()
    assert counts.data.min() >= 1
    for number, profile in enumerate(profiles):
        mean = np.asarray(counts[number * 300 : (number + 1) * 300].mean(axis=0)).ravel()
        np.testing.assert_allclose(mean / mean.sum(), np.exp(profile) / np.exp(profile).sum(), rtol=0.35)


def test_depth_dispersion_and_dropout_do_what_they_say():
    profile = np.zeros((1, 500), dtype=np.float32)

    def draw(**settings):
        return simulate_counts(profile, 400, np.random.default_rng(2), **settings).toarray()

    assert np.median(draw(depth=2000, dropout=0.0).sum(1)) == pytest.approx(2000, rel=0.1)
    assert draw(dropout=0.5).sum() == pytest.approx(draw(dropout=0.0).sum() / 2, rel=0.05)
    assert draw(dispersion=2.0).var() > 1.5 * draw(dispersion=0.1).var()


def response(n_lines=100) -> pd.DataFrame:
    z = RNG.normal(size=n_lines)
    return pd.DataFrame(
        {
            "drug": "Cisplatin",
            "line": [f"L{i:03d}" for i in range(n_lines)],
            "z": z,
            "label": (z <= np.quantile(z, 0.3)).astype(np.int8),
        }
    )


@pytest.mark.parametrize("shape", [1, 2, 5, 1.5, 8])
def test_counts_are_negative_binomial_however_they_are_drawn(shape):
    means = np.repeat(np.float32([0, 0.02, 0.7, 40]), 50_000)
    counts = negative_binomial(means, shape, np.random.default_rng(0)).reshape(4, -1)
    assert counts.dtype == np.float32
    assert (counts[0] == 0).all()
    for mean, drawn in zip((0.02, 0.7, 40), counts[1:], strict=True):
        expected = nbinom(shape, shape / (shape + mean))
        assert drawn.mean() == pytest.approx(mean, abs=5 * expected.std() / np.sqrt(drawn.size))
        for count in expected.ppf([0.1, 0.5, 0.9, 0.99]):
            assert (drawn <= count).mean() == pytest.approx(expected.cdf(count), abs=0.008)


def test_extremes_of_the_held_out_lines():
    table = response()
    chosen = choose_lines(table, 2, 0.3, seed=1, drug="Cisplatin")
    assert len(chosen.held_out) == 30
    z = table.set_index("line")["z"][chosen.held_out]
    assert set(chosen.simulated.index[chosen.simulated == 1]) == set(z.nsmallest(2).index)
    assert set(chosen.simulated.index[chosen.simulated == 0]) == set(z.nlargest(2).index)
    assert choose_lines(table.sample(frac=1), 2, 0.3, 1, "Cisplatin").held_out == chosen.held_out
    assert choose_lines(table, 2, 0.3, 2, "Cisplatin").held_out != chosen.held_out


def test_too_few_held_out_lines():
    with pytest.raises(InputError, match="fewer than 6 of each"):
        choose_lines(response(20), 6, 0.2, 0, "Cisplatin")


def test_command(tmp_path):
    table = response()
    genes = [f"G{i}" for i in range(50)]
    bulk = ad.AnnData(
        RNG.normal(size=(100, 50)).astype(np.float32),
        obs=pd.DataFrame(index=table["line"].to_numpy()),
        var=pd.DataFrame(index=genes),
        uns={"pharmacell": {"kind": "bulk", "scale": "zscore_per_line"}},
    )
    bulk.write_h5ad(tmp_path / "bulk.h5ad")
    table.to_parquet(tmp_path / "response.parquet")
    arguments = [
        "--bulk",
        str(tmp_path / "bulk.h5ad"),
        "--response",
        str(tmp_path / "response.parquet"),
        "--drug",
        "CISPLATIN",
        "--n_lines",
        "3",
        "--n_cells",
        "5",
        "--held_out",
        "0.25",
    ]
    for name in ("a", "b"):
        result = CliRunner().invoke(simulate_cells, [*arguments, "--seed", "7", "--outdir", str(tmp_path / name)])
        assert result.exit_code == 0, result.output
    cells, reduced = ad.read_h5ad(tmp_path / "a" / "simulated.h5ad"), ad.read_h5ad(tmp_path / "a" / "bulk_reduced.h5ad")
    assert cells.shape == (30, 50)
    assert cells.uns["pharmacell"]["simulated"]
    assert cells.obs.groupby("line", observed=True)["response"].nunique().eq(1).all()
    assert cells.obs["response"].sum() == 15
    assert reduced.n_obs == 75
    assert not set(cells.obs["line"]) & set(reduced.obs_names)
    again = ad.read_h5ad(tmp_path / "b" / "simulated.h5ad")
    np.testing.assert_array_equal(cells.X.toarray(), again.X.toarray())
