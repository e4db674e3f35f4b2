"""A second layer of the table beside the first, such as log fold changes beside signed p-values, in one run."""

import json
from dataclasses import replace

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from bad_input import refuse
from click.testing import CliRunner
from synthetic_perturbation import CPU, DATA, SMALL, options, small

from pharmacell.cli.kaggle_summary import kaggle_summary
from pharmacell.cli.kaggle_train import kaggle_train
from pharmacell.cli.predict_perturbation import predict_perturbation
from pharmacell.cli.qc import qc
from pharmacell.cli.simulate_perturbation import simulate_perturbation
from pharmacell.perturbation.metrics import Scorer
from pharmacell.perturbation.models.registry import build
from pharmacell.perturbation.settings import FitOptions
from pharmacell.perturbation.table import PerturbationTable
from pharmacell.perturbation.target_spaces import z_score
from pharmacell.report.page import write_report

LAYERS = ("sign_log10_pval", "logFC")
SECOND = ("--second_layer", "logFC")
SOURCE = [
    *("--train_keys", DATA / "train_keys.csv", "--id_map", DATA / "id_map.csv"),
    *("--mean", DATA / "cell_type_mean.csv", "--std", DATA / "cell_type_std.csv"),
    *("--n_genes", 60, "--n_compounds", 20),
]
TABLE = small()


def run(command, *arguments) -> None:
    result = CliRunner().invoke(command, [*map(str, arguments), "--threads", "1"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stderr


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    run(simulate_perturbation, *SOURCE, *SECOND, "--outdir", folder)
    return folder


@pytest.fixture(scope="module")
def trained(simulated, tmp_path_factory):
    """Both layers at once, and each by itself."""
    folder = tmp_path_factory.mktemp("trained")
    table = ("--de_train", simulated / "de_train.h5ad", "--protocol", "kaggle", "--seeds", 2, "--epochs", 20)
    asked = ("--id_map", simulated / "id_map.csv", "--sample_submission", simulated / "sample_submission.csv")
    models = ("--model", "gru", "--model", "ridge", "--model", "additive", "--model", "zeros")
    run(kaggle_train, *table, *asked, *models, *SECOND, "--keep_predictions", "--outdir", folder / "both")
    for layer in LAYERS:
        run(kaggle_train, *table, *asked, *models[2:], "--layer", layer, "--outdir", folder / layer)
    return folder


def test_simulated_fold_changes_have_the_p_values_of_the_first_layer(simulated, tmp_path):
    run(simulate_perturbation, *SOURCE, "--outdir", tmp_path)
    for name, n_keys in (("de_train", 5), ("de_test", 3)):
        found = ad.read_h5ad(simulated / f"{name}.h5ad")
        p_values, changes = (found.layers[layer] for layer in LAYERS)
        alone = pd.read_parquet(tmp_path / f"{name}.parquet").iloc[:, n_keys:]
        assert (p_values == alone.to_numpy()).all(), "a second layer leaves the first as it is"
        error = changes / z_score(p_values)
        assert (error > 0).all()
        assert 0.1 < np.median(error) < 0.4
        assert 0.3 < np.log(error).std() < 1.2
        assert found.uns["pharmacell"]["simulated"]
    facts = json.loads((simulated / "simulation.json").read_text())
    assert facts["simulated"]


def test_models_that_are_no_networks_learn_each_layer_as_if_it_were_alone(trained):
    for folder, layer in ((trained / "both", LAYERS[0]), (trained / "both/second_layer", LAYERS[1])):
        both, alone = (pd.read_parquet(path / "row_scores.parquet") for path in (folder, trained / layer))
        both = both[~both["model"].str.startswith("gru")].reset_index(drop=True)
        pd.testing.assert_frame_equal(both, alone)
        for model in ("ridge", "additive"):
            for name in (f"{model}.submission.csv", f"{model}.test.parquet"):
                assert (folder / name).read_bytes() == (trained / layer / name).read_bytes()


def test_one_network_predicts_both_layers(trained, simulated):
    table = PerturbationTable.read(simulated / "de_train.h5ad", second_layer="logFC")
    sample = pd.read_csv(simulated / "sample_submission.csv")
    for folder, layer in zip((trained / "both", trained / "both/second_layer"), table.layers, strict=True):
        scores = pd.read_csv(folder / "scores.csv").query("metric == 'mrrmse' and part == 'all'")
        mean = scores.groupby("model")["value"].mean()
        assert mean["gru"] < 0.97 * mean["zeros"]
        oof = pd.read_parquet(folder / "oof.parquet").query("model == 'gru' and seed == 1 and fold == 0")
        expected = Scorer(layer.y[oof["row"]]).score(oof[layer.genes].to_numpy()).mean()["mrrmse"]
        assert scores.query("model == 'gru' and seed == 1 and fold == 0")["value"].item() == pytest.approx(expected)
        example = pd.read_parquet(folder / "examples.parquet").query("model == 'gru'").iloc[0]
        assert (example["truth"] == layer.y[example["row"]]).all()
        submission = pd.read_csv(folder / "gru.submission.csv")
        assert list(submission.columns) == list(sample.columns)
        assert list(submission["id"]) == list(sample["id"])
    assert set(pd.read_csv(trained / "both/history.csv")["fold"]) == {"0", "1", "2", "final"}
    card = json.loads((trained / "both/gru.json").read_text())["card"]
    assert (card["layer"], card["second_layer"], card["simulated"]) == (*LAYERS, True)


def test_new_molecules_and_treated_cells_from_a_model_of_both_layers(trained, tmp_path):
    run(qc, "--sample", "basal", "--input", DATA.parent / "cells_cisplatin.h5ad", "--outdir", tmp_path)
    asked = ("--model", trained / "both/gru.safetensors", "--smiles", "CCO", "--cell_type", "NK cells")
    treated = ("--as_h5ad", "--basal", tmp_path / "basal.h5ad")
    run(predict_perturbation, *asked, *treated, "--outdir", tmp_path / "out")
    p_values, changes = (
        pd.read_csv(tmp_path / f"out/{folder}perturbation.csv").set_index("gene")["prediction"]
        for folder in ("", "second_layer/")
    )
    assert np.abs(changes).mean() < 0.7 * np.abs(p_values).mean()
    cells, basal = ad.read_h5ad(tmp_path / "out/treated.h5ad"), ad.read_h5ad(tmp_path / "basal.h5ad")
    moved = np.expm1(cells[cells.obs["simulated_treatment"] == "molecule 1"].X.toarray().astype(float)[0])
    before = np.expm1(basal.X.toarray().astype(float)[0])
    change = pd.Series(np.log2(moved / np.where(before > 0, before, np.nan)), basal.var_names)
    shared = change[change.index.isin(changes.index)].dropna()
    assert len(shared) > 5
    scaling = change[~change.index.isin(changes.index)].dropna().iloc[0]
    np.testing.assert_allclose(shared - scaling, changes[shared.index], atol=2e-3)


def test_summary_and_report_show_both_layers(trained, simulated, tmp_path):
    table = ("--de_train", simulated / "de_train.h5ad", "--row_scores", trained / "both")
    (tmp_path / "losses").mkdir()
    (tmp_path / "losses/gru.csv").symlink_to(trained / "both/history.csv")
    second = ("--second_row_scores", trained / "both/second_layer", *SECOND)
    run(kaggle_summary, *table, *second, "--history", tmp_path / "losses", "--outdir", tmp_path / "out")
    for folder, path in ((tmp_path / "out", trained / "both"), (tmp_path / "out/second_layer", trained / LAYERS[1])):
        values = (
            pd.read_csv(scores).query("metric == 'mrrmse' and part == 'all'").set_index(["model", "seed", "fold"])
            for scores in (folder / "scores.csv", path / "scores.csv")
        )
        summed, own = (one["value"] for one in values)
        np.testing.assert_allclose(summed[own.index], own, rtol=1e-6)
        assert set(pd.read_csv(folder / "gains.csv")["baseline"].dropna()) <= {"zeros", "additive"}
        assert (folder / "figures/kaggle_accuracy.png").exists()
    page = write_report([tmp_path / "out/perturbation.sections"], "PharmaCell", {}, tmp_path / "r").read_text()
    for layer in LAYERS:
        assert f"kaggle, {layer}: 1 scores".lower() in page.lower()
    assert page.count("All values are simulated") >= 2
    assert "predicted is the log2 fold change" in page
    alone = [str(argument) for argument in (*table, *SECOND)]
    refuse(kaggle_summary, alone, tmp_path / "no", "--second_layer and --second_row_scores belong together")


def two_layers(second: np.ndarray) -> PerturbationTable:
    return replace(TABLE, y=np.concatenate([TABLE.y, second.astype(np.float32)], axis=1))


def fit(table: PerturbationTable, seeds, **more):
    rows = np.arange(len(table)) % 5 > 0
    chosen = options("joint", n_components=8, patience=2, **more)
    return build("gru", chosen).fit_predict(table.take(rows), table.take(~rows).keys, seeds, CPU).predictions


def test_no_layer_drowns_the_other():
    """Each is standardised, so the unit of the second changes nothing about the first."""
    rng = np.random.default_rng(0)
    second = z_score(TABLE.y) * np.exp(rng.normal(size=TABLE.y.shape[1]))
    n_genes = len(TABLE.genes)
    plain, large = (fit(two_layers(factor * second), [0]) for factor in (1, 128))
    np.testing.assert_allclose(large[..., :n_genes], plain[..., :n_genes], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(large[..., n_genes:] / 128, plain[..., n_genes:], rtol=1e-3, atol=1e-3)


def test_replica_of_two_layers_equals_the_same_alone():
    table = two_layers(TABLE.y[:, ::-1])
    stack, alone = fit(table, [0, 1, 2]), fit(table, [1])
    np.testing.assert_allclose(stack[1], alone[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("more", [{"pseudolabels": True}, {"target_space": "z_score"}])
def test_options_of_networks_work_with_two_layers(more):
    changes = z_score(TABLE.y) / 5
    plain, found = (fit(two_layers(changes), [0], **each) for each in ({}, more))
    n_genes = len(TABLE.genes)
    assert np.isfinite(found).all()
    assert np.abs(found - plain)[..., :n_genes].max() > 1e-3
    assert np.abs(found[..., n_genes:]).max() < 2 * np.abs(changes).max(), "fold changes are no z-scores"


def test_blend_weighs_each_layer_by_itself():
    level = TABLE.cell_type[:, None] == "NK cells"
    y = 5 * level * np.ones(len(TABLE.genes)) + np.random.default_rng(0).normal(size=TABLE.y.shape)
    table = replace(
        TABLE, y=np.concatenate([y, np.random.default_rng(1).normal(size=y.shape)], axis=1, dtype=np.float32)
    )
    rows = np.arange(len(table)) % 5 > 0
    found = build("blend", FitOptions(patience=0)).fit_predict(table.take(rows), table.take(~rows).keys, [0], None)
    signal, noise = found.config["blend_weights"]
    assert signal["zeros"] < 0.2
    assert noise["zeros"] > 0.5
    for weights, layer in zip((signal, noise), np.split(found.predictions[0], 2, axis=1), strict=True):
        parts = (one.take(rows) for one in table.layers)
        own = next(part for part, known in zip(parts, (signal, noise), strict=True) if known is weights)
        again = build("blend", FitOptions(patience=0)).fit_predict(own, table.take(~rows).keys, [0], None)
        np.testing.assert_allclose(layer, again.predictions[0], rtol=1e-5, atol=1e-6)


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """Files whose second layer cannot be used."""
    folder = tmp_path_factory.mktemp("bad")
    obs = TABLE.keys.assign(control=TABLE.control).set_axis([str(number) for number in range(len(TABLE))])
    layers = {name: TABLE.y.copy() for name in ("sign_log10_pval", "same", "nan", "infinite", "cut", "logFC")}
    layers["nan"][3, 5] = np.nan
    layers["infinite"][4, 6] = np.inf
    layers["logFC"] /= 5
    ad.AnnData(obs=obs, var=pd.DataFrame(index=TABLE.genes), layers=layers).write_h5ad(folder / "de.h5ad")
    with h5py.File(folder / "de.h5ad", "a") as file:
        del file["layers/cut"]
        file["layers/cut"] = TABLE.y[:, :-1]
        file["layers/cut"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    return folder / "de.h5ad"


BAD = {
    "missing": (("--second_layer", "lfc"), "there is no layer lfc; it has"),
    "the first one": (("--second_layer", "sign_log10_pval"), "--second_layer sign_log10_pval: that is the first layer"),
    "the same values": (("--second_layer", "same"), "the layers sign_log10_pval and same hold the same values"),
    "a missing value": (("--second_layer", "nan"), f"column {TABLE.genes[5]} of the second layer is missing"),
    "an infinite value": (("--second_layer", "infinite"), f"column {TABLE.genes[6]} of the second layer is missing"),
    "another shape": (("--second_layer", "cut"), "the layer cut has 96 x 79 values for 96 rows and 80 genes"),
    "z-scores of fold changes": (
        ("--layer", "logFC", "--second_layer", "sign_log10_pval", "--target_space", "z_score"),
        "the layer logFC holds fold changes, not p-values",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_second_layer_that_is_refused(bad, tmp_path, kind):
    arguments, words = BAD[kind]
    refuse(kaggle_train, ["--de_train", str(bad), "--model", "zeros", *arguments], tmp_path / "out", words)


def test_only_an_h5ad_has_a_second_layer(tmp_path):
    arguments = ["--de_train", str(SMALL / "de_train.parquet"), "--model", "zeros", *SECOND]
    refuse(kaggle_train, arguments, tmp_path / "out", "--second_layer logFC: only an h5ad has layers")
    source = [str(argument) for argument in SOURCE]
    refuse(simulate_perturbation, [*source, "--second_layer", "p"], tmp_path / "out", "only log2 fold changes can be")
