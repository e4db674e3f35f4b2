"""The commands of the model side on small files: from bulk and cells to predictions, and what they refuse."""

import json
import re
import shutil

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from any_input import OLD_ENCODINGS, encodings_of
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score
from synthetic_cells import DRUG, GENES, write_bulk, write_cells

from pharmacell.cli.finetune_sc import finetune_sc
from pharmacell.cli.predict import predict
from pharmacell.cli.pretrain_bulk import pretrain_bulk
from pharmacell.response.model_card import ModelCard
from pharmacell.response.null_table import read_null, write_null
from pharmacell.response.settings import DEFAULT, configuration

SHARED = ["--sample", "s", "--threads", "1", "--device", "cpu"]
SHORT = ["--epochs", "2", "--batch_size", "32"]
SMALL = ["--bottleneck", "16", "--encoder", "24", "--predictor", "12", "--heads", "4", "--n_replicas", "2"]


def run(command, arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def arguments_of(folder) -> dict[str, list]:
    """Return the arguments of each command for the files in a folder."""
    data = ["--bulk", folder / "bulk.h5ad", "--response", folder / "response.parquet", "--drug", DRUG]
    rest = ["--target", folder / "s.h5ad", "--outdir", folder, *SHARED]
    return {
        "pretrain": [*data, *rest, *SHORT, *SMALL],
        "finetune": [
            *data,
            *rest,
            *SHORT,
            "--pretrained",
            folder / "s.pretrained.safetensors",
            "--split",
            folder / "s.split.csv",
        ],
        "predict": ["--model", folder / "s.model.safetensors", "--null", folder / "s.null.safetensors", *rest],
    }


def run_all(folder, seed=0):
    arguments = arguments_of(folder)
    for command, name in ((pretrain_bulk, "pretrain"), (finetune_sc, "finetune"), (predict, "predict")):
        result = run(command, [*arguments[name], "--seed", seed])
        assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    write_bulk(folder)
    write_cells(folder / "s.h5ad")
    return run_all(folder)


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of the finished files, to be damaged."""
    return shutil.copytree(finished, tmp_path / "files")


def test_files_are_named_as_documented(finished):
    assert {path.name for path in finished.iterdir()} == {
        "bulk.h5ad",
        "response.parquet",
        "s.h5ad",
        "s.pretrained.safetensors",
        "s.pretrained.json",
        "s.source_metrics.csv",
        "s.source_history.csv",
        "s.split.csv",
        "s.model.safetensors",
        "s.model.json",
        "s.history.csv",
        "s.transfer.json",
        "s.null.safetensors",
        "s.predictions.csv",
        "s.predicted.h5ad",
        "s.baselines.csv",
        "s.metrics.csv",
        "s.model_metrics.csv",
        "s.diagnostics.json",
        "s.significance.csv",
    }


def test_tables_have_the_documented_columns(finished):
    columns = {
        "source_metrics": ["model", "metric", "value", "low", "high"],
        "source_history": ["stage", "epoch", "term", "part", "replica", "value"],
        "split": ["line", "part"],
        "history": ["stage", "epoch", "term", "part", "replica", "value"],
        "predictions": ["cell_id", "probability", "probability_std", "label", "truth"],
        "baselines": ["cell_id", "network", "signature", "ridge", "logistic"],
        "metrics": ["metric", "value", "low", "high"],
        "significance": ["cell_id", "p", "fdr", "call"],
        "model_metrics": ["model", "metric", "value", "low", "high"],
    }
    for name, expected in columns.items():
        assert list(pd.read_csv(finished / f"s.{name}.csv")) == expected, name
    assert set(pd.read_csv(finished / "s.split.csv")["part"]) == {"train", "validation", "test"}
    history = pd.read_csv(finished / "s.history.csv")
    assert set(history["stage"]) == {"joint"}
    assert {"class", "mmd", "cluster", "total"} <= set(history["term"])
    assert {"mmd_before", "mmd_after"} <= set(json.loads((finished / "s.transfer.json").read_text()))
    card = ModelCard.from_json(json.loads((finished / "s.model.json").read_text())["card"], "s.model.json")
    assert (card.drug, card.sample, card.pretraining.n_replicas) == (DRUG, "s", 2)


def test_h5ad_and_csv_say_the_same(finished):
    table = pd.read_csv(finished / "s.predictions.csv").set_index("cell_id")
    cells = ad.read_h5ad(finished / "s.predicted.h5ad")
    np.testing.assert_allclose(cells.obs["pharmacell_probability"], table["probability"], atol=1e-6)
    np.testing.assert_allclose(cells.obs["pharmacell_std"], table["probability_std"], atol=1e-6)
    assert table["probability"].nunique() > 10


def test_predictions_open_in_any_anndata_from_0_8_on(finished):
    assert encodings_of(finished / "s.predicted.h5ad") <= OLD_ENCODINGS


def test_untreated_and_treated_cells_are_told_of_apart_and_what_coincides_is_warned_of(folder):
    cells = ad.read_h5ad(folder / "s.h5ad")
    truth, number = cells.obs["pharmacell_truth"].to_numpy(), np.arange(len(cells))
    treatment = np.where(truth == 1, "untreated", np.where(number % 2, "day 3", "day 11"))
    treatment[:10] = np.where(truth[:10] == 1, "day 3", "untreated")  # both classes in both parts
    treatment[10:13] = "not known"
    cells.obs["pharmacell_treatment"] = pd.Categorical(treatment)
    cells.obs["pharmacell_group"] = pd.Categorical((number % 7).astype(str))
    cells.obs["Batch"] = np.where(treatment == "untreated", 1, 2)
    cells.write_h5ad(folder / "s.h5ad")
    assert run(predict, arguments_of(folder)["predict"]).exit_code == 0
    table = pd.read_csv(folder / "s.treatment.csv")
    assert list(table) == ["treatment", "model", "metric", "value", "low", "high"]
    assert list(table["treatment"].unique()) == ["untreated", "day 3", "day 11", "not known", "all treated"]
    assert set(table["model"]) == {"ensemble", "network", "signature", "ridge", "logistic"}
    own = table[table["model"] == "ensemble"].set_index(["treatment", "metric"])["value"]
    predicted = pd.read_csv(folder / "s.predictions.csv")
    for part, chosen in (
        ("untreated", treatment == "untreated"),
        ("all treated", np.char.startswith(treatment, "day")),
    ):
        assert own[part, "n_cells"] == own[part, "n_known"] == chosen.sum()
        assert own[part, "share_sensitive"] == pytest.approx(predicted["label"][chosen].mean())
        score = roc_auc_score(truth[chosen], predicted["probability"][chosen])
        assert own[part, "auroc"] == pytest.approx(score, abs=1e-4)
    found = json.loads((folder / "s.diagnostics.json").read_text())
    assert found["n_untreated"] + found["n_treated"] == len(cells) - 3
    assert found["treatment_and_batch"] == pytest.approx(1)
    assert found["treatment_and_truth"] > 0.5 > found["treatment_and_group"]
    said = [reason for reason in found["reasons"] if "Cramér" in reason]
    assert [re.search("the (.+?) coincide", reason)[1] for reason in said][-2:] == ["known responses", "batches"]
    assert "look at the untreated ones alone" in found["reasons"][-1]


def test_same_seed_same_files_and_another_seed_another_prediction(finished, tmp_path):
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for name in ("bulk.h5ad", "response.parquet", "s.h5ad"):
            shutil.copy(finished / name, folder)
        run_all(folder, seed)
    for name in ("s.predictions.csv", "s.history.csv", "s.source_metrics.csv", "s.model.safetensors"):
        assert (tmp_path / "0" / name).read_bytes() == (finished / name).read_bytes(), name
        assert (tmp_path / "1" / name).read_bytes() != (finished / name).read_bytes(), name


def test_drug_names_match_without_case_and_punctuation(folder):
    arguments = [*arguments_of(folder)["pretrain"], "--drug", "test-PLATIN"]
    assert run(pretrain_bulk, arguments).exit_code == 0


def without(name):
    return lambda folder: (folder / name).unlink()


def truncated(name):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:200])


def other_genes(folder):
    write_cells(folder / "s.h5ad", genes=[f"OTHER{number}" for number in range(60)])


def fewer_genes(folder):
    ad.read_h5ad(folder / "s.h5ad")[:, :55].copy().write_h5ad(folder / "s.h5ad")


def unlabelled(folder):
    write_cells(folder / "s.h5ad", truth=False)


def one_class(folder):
    table = pd.read_parquet(folder / "response.parquet")
    table.assign(label=np.int8(0)).to_parquet(folder / "response.parquet")


def second_drug(folder):
    table = pd.read_parquet(folder / "response.parquet")
    pd.concat([table, table.assign(drug="Othermab")]).to_parquet(folder / "response.parquet")


def baselines_for_split(folder):
    shutil.copy(folder / "s.baselines.csv", folder / "s.split.csv")


def null_of_other_cells(folder):
    path = folder / "s.null.safetensors"
    write_null(read_null(path, 70, len(GENES)), 71, path)


def nothing(_):
    pass


BAD_INPUT = {
    "unknown drug": ("pretrain", nothing, ["--drug", "Nonsense"], "no drug is named 'Nonsense'.*Testplatin"),
    "no shared genes": ("pretrain", other_genes, [], "0 genes are shared"),
    "one class": ("pretrain", one_class, [], "sensitive lines are too few"),
    "bad widths": ("pretrain", nothing, ["--encoder", "24,x"], "'24,x' is not a list of whole numbers from 1 upwards"),
    "zero width": ("pretrain", nothing, ["--encoder", "24,0"], "is not a list of whole numbers from 1"),
    "a latent that cannot be cut": ("pretrain", nothing, ["--attention_tokens", "7"], "--bottleneck"),
    "unknown preset": ("pretrain", nothing, ["--preset", "data9"], "data9"),
    "unknown sampling": ("pretrain", nothing, ["--sampling", "twice"], "twice"),
    "dropout of one": ("pretrain", nothing, ["--dropout", "1"], "dropout"),
    "unknown option": ("pretrain", nothing, ["--epoch", "3"], "--epochs"),
    "word for a number": ("pretrain", nothing, ["--epochs", "many"], "many"),
    "missing bulk": ("pretrain", without("bulk.h5ad"), [], "bulk.h5ad"),
    "truncated bulk": ("pretrain", truncated("bulk.h5ad"), [], "bulk.h5ad"),
    "missing response": ("pretrain", without("response.parquet"), [], "response.parquet"),
    "truncated response": ("pretrain", truncated("response.parquet"), [], "response.parquet"),
    "missing cells": ("pretrain", without("s.h5ad"), [], "s.h5ad"),
    "truncated cells": ("predict", truncated("s.h5ad"), [], "s.h5ad"),
    "unknown supervision": ("finetune", nothing, ["--supervision", "few"], "few_shot:N"),
    "few_shot of none": ("finetune", nothing, ["--supervision", "few_shot:0"], "few_shot:N"),
    "too many shots": ("finetune", nothing, ["--supervision", "few_shot:500"], "are left to score"),
    "supervision without labels": ("finetune", unlabelled, ["--supervision", "labels"], "label_key"),
    "missing split": ("finetune", without("s.split.csv"), [], "s.split.csv"),
    "split of another kind": ("finetune", baselines_for_split, [], "s.split.csv"),
    "missing weights": ("finetune", without("s.pretrained.safetensors"), [], "s.pretrained.safetensors"),
    "cells with other genes": ("finetune", fewer_genes, [], "pretrain_bulk"),
    "another drug": ("finetune", second_drug, ["--drug", "Othermab"], f"{DRUG}"),
    "another seed, so other folds": ("finetune", nothing, ["--seed", "99"], "give the same seed"),
    "negative omega": ("finetune", nothing, ["--omega", "-1"], "omega"),
    "truncated model": ("predict", truncated("s.model.safetensors"), [], "s.model.safetensors"),
    "null of other cells": ("predict", null_of_other_cells, [], "s.null.safetensors"),
    "truncated null": ("predict", truncated("s.null.safetensors"), [], "s.null.safetensors"),
    "model that was not adapted": ("predict", nothing, None, "finetune_sc"),
    "genes missing at prediction": ("predict", fewer_genes, [], "5 genes of the model are not in the sample"),
}


@pytest.mark.parametrize(("name", "damage", "more", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_ends_with_one_line_and_writes_nothing(name, damage, more, message, folder):
    arguments = arguments_of(folder)[name]
    more = ["--model", folder / "s.pretrained.safetensors"] if more is None else more
    damage(folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    command = {"pretrain": pretrain_bulk, "finetune": finetune_sc, "predict": predict}[name]
    result = run(command, [*arguments, *more])
    assert result.exit_code == 1, result.exception
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert re.search(f"^error: .*{message}", lines[0]), lines[0]
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is there")
@pytest.mark.parametrize("name", ["pretrain", "finetune", "predict"])
def test_cuda_without_a_gpu_is_refused(name, folder):
    command = {"pretrain": pretrain_bulk, "finetune": finetune_sc, "predict": predict}[name]
    result = run(command, [*arguments_of(folder)[name], "--device", "cuda"])
    assert result.exit_code == 1
    assert result.stderr.startswith("error: --device cuda")
    assert len(result.stderr.splitlines()) == 1


TABLE_2 = {  # bottleneck, encoder, predictor, dropout, epochs, heads, sampling
    "data1": (512, (256, 128), (128, 64), 0.3, 500, 8, "smote"),
    "data2": (32, (512, 256), (256, 128), 0.3, 500, 8, "over"),
    "data3": (512, (256, 128), (256, 128), 0.2, 500, 4, "over"),
    "data4": (512, (256, 128), (128, 64), 0.3, 500, 8, "over"),
}


@pytest.mark.parametrize("preset", TABLE_2)
def test_presets_are_table_2_of_the_paper(preset):
    settings = configuration("default", preset, {})
    network, training = settings.network, settings.training
    assert (
        network.bottleneck,
        network.encoder,
        network.predictor,
        network.dropout,
        training.epochs,
        network.heads,
        training.sampling,
    ) == TABLE_2[preset]
    assert network.tokens() > 1


def test_single_options_override_the_preset():
    network = configuration("default", "data3", {"heads": 0, "encoder": (64,), "dropout": None}).network
    assert (network.heads, network.encoder, network.dropout, network.bottleneck) == (0, (64,), 0.2, 512)
    training = configuration("default", "data1", {"epochs": 12, "sampling": "none"}).training
    assert (training.epochs, training.sampling, training.validation) == (12, "none", "plain")
    assert configuration("default", None, {}) == DEFAULT
    assert not configuration("default", None, {"validation": "plain"}).training.ensemble


def test_a_bulk_stage_of_all_samples_is_kept_and_that_of_one_is_not(finished, tmp_path):
    """The second run takes the first one's files; another seed, or genes of a sample, make new ones."""
    data = ["--bulk", finished / "bulk.h5ad", "--response", finished / "response.parquet", "--drug", DRUG]
    kept = [*data, *SHARED, *SHORT, *SMALL, "--cache_dir", tmp_path / "cache", "--code", "digest"]
    said = {}
    for name, more in {
        "first": [],
        "second": [],
        "other": ["--seed", 9],
        "own": ["--target", finished / "s.h5ad"],
    }.items():
        ended = run(pretrain_bulk, [*kept, *more, "--outdir", tmp_path / name])
        assert ended.exit_code == 0, ended.stderr
        said[name] = "the result of an earlier run is used" in ended.stderr
    assert said == {"first": False, "second": True, "other": False, "own": False}
    assert len(list((tmp_path / "cache/bulk_stage").iterdir())) == 2
    files = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
    assert files == {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()}
    assert files.keys() - {path.name for path in (tmp_path / "own").iterdir()} == {"s.made_from.json"}
