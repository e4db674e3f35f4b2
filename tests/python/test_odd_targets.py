"""Small and odd samples, from quality control to the verdict: each runs, and gets no more belief than it deserves."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr

from pharmacell.cli.finetune_sc import finetune_sc
from pharmacell.cli.predict import predict
from pharmacell.cli.prepare_bulk import prepare_bulk
from pharmacell.cli.pretrain_bulk import pretrain_bulk
from pharmacell.cli.qc import qc
from pharmacell.data.genes import gene_table
from pharmacell.evaluate.metrics import auroc

DATA = Path(__file__).parents[1] / "data"
SHARED = ["--threads", "1", "--device", "cpu"]
SMALL = [
    "--bottleneck",
    "16",
    "--encoder",
    "32",
    "--predictor",
    "16",
    "--heads",
    "2",
    "--attention_tokens",
    "4",
    "--n_replicas",
    "2",
]


@dataclass
class Outcome:
    """What a sample got."""

    prepared: ad.AnnData
    predictions: pd.DataFrame
    significance: pd.DataFrame
    diagnostics: dict


@pytest.fixture(scope="module")
def bulk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bulk")
    call(
        prepare_bulk,
        "--bulk_expression",
        DATA / "bulk_expression.csv",
        "--bulk_response",
        DATA / "bulk_response.csv",
        "--drug",
        "cisplatin",
        "--outdir",
        folder,
    )
    return folder


def call(command, *arguments):
    result = CliRunner().invoke(command, [str(argument) for argument in (*arguments, *SHARED)])
    assert result.exit_code == 0, result.stderr


def outcome(folder: Path, bulk: Path, change: Callable[[ad.AnnData], ad.AnnData], labels=True) -> Outcome:
    """Run every step on the changed cells of the test data, with or without their labels."""
    change(ad.read_h5ad(DATA / "cells_cisplatin.h5ad")).write_h5ad(folder / "cells.h5ad")
    call(
        qc,
        "--sample",
        "s",
        "--input",
        folder / "cells.h5ad",
        "--min_genes",
        20,
        "--outdir",
        folder,
        *(["--label_key", "response"] if labels else []),
    )
    lines = ["--bulk", bulk / "bulk.h5ad", "--response", bulk / "response.parquet", "--drug", "cisplatin"]
    rest = ["--sample", "s", "--target", folder / "s.h5ad", "--outdir", folder]
    call(pretrain_bulk, *lines, *rest, "--epochs", 5, *SMALL)
    call(
        finetune_sc,
        *lines,
        *rest,
        "--epochs",
        5,
        "--pretrained",
        folder / "s.pretrained.safetensors",
        "--split",
        folder / "s.split.csv",
    )
    call(predict, *rest, "--model", folder / "s.model.safetensors", "--null", folder / "s.null.safetensors")
    found = Outcome(
        ad.read_h5ad(folder / "s.h5ad"),
        pd.read_csv(folder / "s.predictions.csv", index_col="cell_id"),
        pd.read_csv(folder / "s.significance.csv"),
        json.loads((folder / "s.diagnostics.json").read_text()),
    )
    assert len(found.predictions) == found.prepared.n_obs == found.diagnostics["n_cells"]
    assert found.predictions["probability"].between(0, 1).all()
    assert found.significance["p"].between(0, 1, inclusive="right").all()
    assert found.diagnostics["verdict"] in ("supported", "uncertain", "not supported")
    assert found.diagnostics["reasons"]
    return found


@pytest.fixture(scope="module")
def usual(tmp_path_factory, bulk):
    return outcome(tmp_path_factory.mktemp("usual"), bulk, lambda cells: cells)


def ranks_as(found: Outcome, other: Outcome) -> float:
    """Return the rank correlation of two predictions of the same cells."""
    both = found.predictions.join(other.predictions, lsuffix="_other")
    return spearmanr(both["probability"], both["probability_other"]).statistic


def test_twenty_cells(tmp_path, bulk):
    rows = np.r_[0:10, 150:160]
    found = outcome(tmp_path, bulk, lambda cells: cells[rows].copy())
    assert found.diagnostics["n_cells"] == 20
    assert found.predictions["probability"].nunique() > 10  # neighbours must not make them all alike
    assert found.diagnostics["verdict"] != "supported"


def test_cells_of_one_line_have_nothing_to_tell_apart(tmp_path, bulk):
    found = outcome(tmp_path, bulk, lambda cells: cells[cells.obs["line"] == cells.obs["line"].iloc[-1]].copy(), False)
    assert found.prepared.n_obs == 20
    assert found.diagnostics["verdict"] != "supported"


def test_a_third_of_the_genes(tmp_path, bulk, usual):
    kept = np.sort(np.random.default_rng(0).choice(600, 180, replace=False))
    found = outcome(tmp_path, bulk, lambda cells: cells[:, kept].copy())
    assert found.diagnostics["genes_shared"] == pytest.approx(180, abs=10)
    assert 0.3 < ranks_as(found, usual) < 1


def test_z_scores_are_predicted_as_the_counts_that_they_come_from(tmp_path, bulk, usual):
    def standardised(cells: ad.AnnData) -> ad.AnnData:
        x = cells.X.toarray()
        x = np.log1p(x / x.sum(1, keepdims=True) * 1e4)
        return ad.AnnData(((x - x.mean(0)) / np.maximum(x.std(0), 1e-6)).astype(np.float32), cells.obs, cells.var)

    found = outcome(tmp_path, bulk, standardised)
    assert found.prepared.uns["pharmacell"]["scale"] == "zscore"
    assert ranks_as(found, usual) > 0.9


def test_murine_genes_are_predicted_as_their_human_orthologues(tmp_path, bulk, usual):
    murine = {human: mouse for mouse, human in gene_table().mouse_symbols.items()}

    def renamed(cells: ad.AnnData) -> ad.AnnData:
        cells = cells[:, cells.var_names.isin(murine)].copy()
        cells.var_names = cells.var_names.map(murine)
        return cells

    found = outcome(tmp_path, bulk, renamed)
    assert found.prepared.uns["pharmacell"]["species"] == "mouse"
    assert found.diagnostics["genes_shared"] > 400
    assert ranks_as(found, usual) > 0.8


def test_the_usual_sample_is_predicted_better_than_by_chance(usual):
    assert auroc(usual.predictions["truth"].to_numpy(), usual.predictions["probability"].to_numpy()) > 0.7
