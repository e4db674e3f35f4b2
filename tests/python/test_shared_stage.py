"""One bulk stage for all samples: networks of all bulk genes on the genes of a sample."""

import json
import re
import shutil
from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from synthetic_cells import CPU, DRUG, GENES, make_lines, pretrain_small, write_bulk, write_cells
from test_model_commands import SHORT, SMALL, run

from pharmacell.cli.finetune_sc import finetune_sc
from pharmacell.cli.predict import predict
from pharmacell.cli.pretrain_bulk import pretrain_bulk
from pharmacell.response.shared_stage import put_on_genes
from pharmacell.response.training_lines import SplitLines

LACKING = {"a": 8, "b": 3}  # how many of the bulk genes each sample lacks


def on_genes(pretrained, lines, genes):
    """Put a copy of pretrained networks on genes; returns the bundle and the lines on them."""
    bundle = replace(pretrained.bundle, autoencoder=dict(pretrained.bundle.autoencoder))
    return bundle, put_on_genes(bundle, SplitLines(lines, pretrained.split), pd.Index(genes)).lines


def test_a_sample_with_all_genes_gets_the_network_as_it_is():
    lines = make_lines()
    pretrained = pretrain_small(lines)
    bundle, own = on_genes(pretrained, lines, [*lines.genes[::-1], "ANOTHER"])
    x, networks = bundle.source_scaler.apply(own.x), (bundle, pretrained.bundle)
    scores = [each.network_scores(x, "source", CPU) for each in networks]
    np.testing.assert_allclose(*scores, rtol=1e-4, atol=1e-5)
    rebuilt = [each.model.source(torch.as_tensor(x)).detach() for each in networks]
    np.testing.assert_allclose(*rebuilt, atol=1e-4)


def test_genes_that_others_tell_are_made_up_for():
    lines = make_lines()
    half = len(lines.genes) // 2
    x = lines.x.copy()
    x[:, half : 2 * half] = x[:, :half]  # the second half says what the first says
    lines = replace(lines, x=x)
    pretrained = pretrain_small(lines)
    bundle, own = on_genes(pretrained, lines, lines.genes[:half])
    assert own.genes == lines.genes[:half] == bundle.genes
    whole = pretrained.bundle.source_scaler.apply(lines.x)
    wanted = pretrained.bundle.network_scores(whole, "source", CPU)
    found = bundle.network_scores(bundle.source_scaler.apply(own.x), "source", CPU)
    zeros = whole.copy()
    zeros[:, half:] = 0
    at_mean = pretrained.bundle.network_scores(zeros, "source", CPU)
    assert np.abs(found - wanted).mean() < 0.3 * np.abs(at_mean - wanted).mean()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two samples that lack other genes, with one bulk stage."""
    folder = tmp_path_factory.mktemp("shared")
    write_bulk(folder)
    base = ["--drug", DRUG, "--outdir", folder, "--threads", "1", "--device", "cpu"]
    data = [*base, "--bulk", folder / "bulk.h5ad", "--response", folder / "response.parquet"]
    done = run(pretrain_bulk, [*data, "--sample", "bulk", *SHORT, *SMALL])
    assert done.exit_code == 0, done.stderr
    for name, n_lacking in LACKING.items():
        cells = ad.read_h5ad(write_cells(folder / "cells.h5ad"))
        cells[:, n_lacking:].copy().write_h5ad(folder / f"{name}.h5ad")
        sample = ["--sample", name, "--target", folder / f"{name}.h5ad"]
        source = ["--pretrained", folder / "bulk.pretrained.safetensors", "--split", folder / "bulk.split.csv"]
        done = run(finetune_sc, [*data, *sample, *source, *SHORT])
        assert done.exit_code == 0, done.stderr
        model = ["--model", folder / f"{name}.model.safetensors", "--null", folder / f"{name}.null.safetensors"]
        done = run(predict, [*sample, *model, "--outdir", folder, "--threads", "1", "--device", "cpu"])
        assert done.exit_code == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", LACKING)
def test_every_sample_is_predicted_on_its_own_genes(finished, name):
    model = json.loads((finished / f"{name}.model.json").read_text())
    facts = model["card"]["pretraining"]
    assert model["genes"] == GENES[LACKING[name] :]
    assert (facts["genes_shared"], facts["genes_bulk"], facts["shared"]) == (len(model["genes"]), len(GENES), True)
    assert model["card"]["sample"] == name
    table = pd.read_csv(finished / f"{name}.predictions.csv")
    assert table["probability"].between(0, 1).all()
    assert table["probability"].std() > 0


def test_held_out_lines_are_scored_on_the_genes_of_each_sample(finished):
    tables = [pd.read_csv(finished / f"{name}.source_metrics.csv") for name in ("bulk", *LACKING)]
    assert all(list(table["model"]) == list(tables[0]["model"]) for table in tables)
    assert not tables[1]["value"].equals(tables[2]["value"])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("bulk", r"pretrained on the genes of other bulk data; run pretrain_bulk with this bulk file"),
        ("cells", r"10 genes are shared with the cells, at least 50 are needed"),
    ],
)
def test_other_data_end_in_one_line(finished, tmp_path, damage, message):
    folder = shutil.copytree(finished, tmp_path / "files")
    path, kept = {"bulk": ("bulk.h5ad", slice(1, None)), "cells": ("a.h5ad", slice(10))}[damage]
    table = ad.read_h5ad(folder / path)
    table[:, kept].copy().write_h5ad(folder / path)
    done = run(
        finetune_sc,
        [
            *("--bulk", folder / "bulk.h5ad", "--response", folder / "response.parquet", "--drug", DRUG),
            *("--target", folder / "a.h5ad", "--sample", "a", "--outdir", tmp_path, *SHORT),
            *("--pretrained", folder / "bulk.pretrained.safetensors", "--split", folder / "bulk.split.csv"),
        ],
    )
    assert done.exit_code != 0
    assert re.search(message, done.stderr), done.stderr
    assert not list(tmp_path.glob("a.*"))
