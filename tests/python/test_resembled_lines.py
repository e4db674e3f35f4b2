"""Cells of a line that was trained on are told from cells of any other line, and the report says so."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pharmacell.cli.finetune_sc import finetune_sc
from pharmacell.cli.predict import predict
from pharmacell.cli.prepare_bulk import prepare_bulk
from pharmacell.cli.pretrain_bulk import pretrain_bulk
from pharmacell.cli.qc import qc
from pharmacell.data.lines import Lines
from pharmacell.data.simulate import simulate_counts
from pharmacell.response.resembled_lines import pool_clusters, resembled_lines

DATA = Path(__file__).parents[1] / "data"
BULK = [f"--bulk_{name}={DATA}/bulk_{name}.csv" for name in ("expression", "response")]
SHARED = ["--sample", "s", "--threads", "1", "--device", "cpu"]
TRAINING = ["--epochs", "1", "--batch_size", "64"]
SMALL = ["--bottleneck", "16", "--encoder", "24", "--predictor", "12", "--heads", "4", "--n_replicas", "1"]
N_CELLS = 40
LINE = "A253"  # of the bulk data; not among those that are held out for the test


def run(command, *arguments) -> None:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr


def lines_of(x: np.ndarray) -> Lines:
    names = pd.Index([f"L{number}" for number in range(len(x))])
    return Lines(
        x=x,
        genes=[f"G{number}" for number in range(x.shape[1])],
        response=pd.Series(0.0, names),
        labels=pd.Series(0, names),
        origin=pd.DataFrame({"database": "test", "tissue": "unknown"}, names),
        n_genes_bulk=x.shape[1],
    )


def cells_of(profiles: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Counts of cells on another platform, whose bias is the same for all lines, as quality control leaves them."""
    counts = simulate_counts(profiles + offset, N_CELLS, np.random.default_rng(3), 8000).toarray()
    return np.log1p(counts / counts.sum(1, keepdims=True) * 1e4)


@pytest.fixture(scope="module")
def profiles() -> np.ndarray:
    """Lines that share a few programmes, as those of tissues, beside what is their own."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(160, 6)) @ rng.normal(size=(6, 800)) + rng.normal(size=(160, 800))
    return ((x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)).astype(np.float32)


def test_only_lines_that_were_trained_on_are_named(profiles):
    offset = np.random.default_rng(1).normal(0, 0.5, 800)
    trained, clusters = lines_of(profiles[:130]), np.repeat([0, 1, 2], N_CELLS)
    rows = cells_of(profiles[[7, 140, 99]], offset)
    found = resembled_lines(pool_clusters(rows, clusters, "log1p"), trained)
    assert [(one.line, one.n_cells) for one in found] == [("L7", N_CELLS), ("L99", N_CELLS)]
    assert all(one.correlation > 1.8 * one.next_correlation for one in found)
    strange = pool_clusters(cells_of(profiles[[140, 150, 159]], offset), clusters, "log1p")
    assert resembled_lines(strange, trained) == []


def test_where_it_cannot_be_told(profiles):
    rows, clusters = cells_of(profiles[:2], np.zeros(800)), np.repeat([0, 1], N_CELLS)
    trained = lines_of(profiles)
    centred = (rows - rows.mean(0)) / (rows.std(0) + 1e-6)
    assert resembled_lines(pool_clusters(centred, clusters, "zscore"), trained) is None
    pooled = pool_clusters(rows, clusters, "log1p")
    np.testing.assert_allclose(pooled.profiles[1], np.log1p(np.expm1(rows[N_CELLS:]).mean(0)), rtol=1e-5)
    assert resembled_lines(pooled, lines_of(profiles[:30])) is None
    assert resembled_lines(pool_clusters(rows[::8], clusters[::8], "log1p"), trained) is None
    small = pool_clusters(rows[:N_CELLS], np.arange(N_CELLS) % 5, "log1p")  # one line in clusters of eight cells
    assert [(one.line, one.n_cells) for one in resembled_lines(small, trained)] == [("L0", N_CELLS)]


@pytest.fixture(scope="module")
def judged(tmp_path_factory) -> dict[str, dict]:
    """Diagnostics of cells of one line, with the line in the bulk data and without it."""
    folder = tmp_path_factory.mktemp("resembled")
    run(prepare_bulk, *BULK, "--drug", "cisplatin", "--outdir", folder / "bulk")
    bulk = ad.read_h5ad(folder / "bulk" / "bulk.h5ad")
    data = ["--bulk", folder / "bulk" / "bulk.h5ad", "--response", folder / "bulk" / "response.parquet"]
    data += ["--drug", "cisplatin"]
    sample = folder / "sample.h5ad"
    counts = simulate_counts(np.asarray(bulk[LINE].X), 60, np.random.default_rng(0))
    ad.AnnData(counts, pd.DataFrame(index=[f"c{i}" for i in range(60)]), bulk.var).write_h5ad(sample)
    run(qc, "--input", sample, "--min_genes", "20", "--outdir", folder, *SHARED)
    found = {}
    for name, options in (("with", []), ("without", ["--exclude_lines", LINE.lower()])):
        out = folder / name
        run(prepare_bulk, *BULK, "--drug", "cisplatin", *options, "--outdir", folder / "bulk")
        rest = ["--target", folder / "s.h5ad", "--outdir", out, *SHARED]
        run(pretrain_bulk, *data, *rest, *TRAINING, *SMALL)
        adapted = ["--pretrained", out / "s.pretrained.safetensors", "--split", out / "s.split.csv"]
        run(finetune_sc, *adapted, *data, *rest, *TRAINING)
        run(predict, "--model", out / "s.model.safetensors", "--null", out / "s.null.safetensors", *rest)
        found[name] = json.loads((out / "s.diagnostics.json").read_text())
    return found


def test_the_verdict_names_the_line_and_the_option(judged):
    assert {one["line"] for one in judged["with"]["resembles_line"]} == {LINE}
    notes = [reason for reason in judged["with"]["reasons"] if reason.startswith("Note: ")]
    assert len(notes) == 1
    assert f"--exclude_lines {LINE}" in notes[0]


def test_an_excluded_line_is_not_named(judged):
    assert judged["without"]["resembles_line"] == []
    assert not [reason for reason in judged["without"]["reasons"] if reason.startswith("Note: ")]
