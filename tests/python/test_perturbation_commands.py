"""The commands of the perturbation task, end to end on the small simulated table."""

import json
import re
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from bad_input import refuse
from click.testing import CliRunner
from rdkit import Chem
from safetensors.numpy import load_file
from synthetic_perturbation import DATA, SMALL

from pharmacell.cli.kaggle_train import kaggle_train
from pharmacell.cli.predict_perturbation import predict_perturbation
from pharmacell.cli.qc import qc
from pharmacell.cli.simulate_perturbation import simulate_perturbation
from pharmacell.data.fingerprints import morgan_counts, tanimoto
from pharmacell.perturbation.metrics import METRICS, Scorer
from pharmacell.perturbation.simulators import SIMULATORS
from pharmacell.perturbation.table import PerturbationTable

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from perturbation_ladder import STEPS

TABLE = PerturbationTable.read(SMALL / "de_train.parquet")
SOURCE = [
    "--train_keys",
    DATA / "train_keys.csv",
    "--id_map",
    DATA / "id_map.csv",
    "--mean",
    DATA / "cell_type_mean.csv",
    "--std",
    DATA / "cell_type_std.csv",
]


def run(command, *arguments) -> None:
    result = CliRunner().invoke(command, [*map(str, arguments), "--threads", "1", "--device", "cpu"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    run(
        kaggle_train,
        "--de_train",
        SMALL / "de_train.parquet",
        "--id_map",
        SMALL / "id_map.csv",
        "--sample_submission",
        SMALL / "sample_submission.csv",
        "--model",
        "lstm",
        "--model",
        "gene_mean",
        "--encoding",
        "fingerprint",
        "--protocol",
        "leave_compound_out",
        "--seeds",
        2,
        "--epochs",
        2,
        "--keep_predictions",
        "--outdir",
        folder,
    )
    return folder


def test_out_of_fold_rows_and_scores(trained):
    oof, scores = pd.read_parquet(trained / "oof.parquet"), pd.read_csv(trained / "scores.csv")
    assert list(oof.columns) == ["model", "encoding", "protocol", "seed", "fold", "row", *TABLE.genes]
    assert (oof[TABLE.genes].dtypes == np.float32).all()
    for (model, seed), rows in oof.groupby(["model", "seed"]):
        assert sorted(rows["row"]) == list(range(len(TABLE))), (model, seed)
    assert set(map(tuple, oof[["model", "encoding"]].drop_duplicates().to_numpy())) == {
        ("lstm", "fingerprint"),
        ("gene_mean", "none"),
    }
    one = oof.query("model == 'lstm' and seed == 1 and fold == 2")
    expected = Scorer(TABLE.y[one["row"]]).score(one[TABLE.genes].to_numpy()).mean()
    found = scores.query("model == 'lstm' and seed == 1 and fold == 2").set_index("metric")["value"]
    assert found.to_dict() == pytest.approx(expected)
    assert set(found.index) == set(METRICS)
    by_row = pd.read_parquet(trained / "row_scores.parquet").query("model == 'lstm' and seed == 1 and fold == 2")
    assert by_row["mae"].mean() == pytest.approx(expected["mae"])
    right = by_row["mae_sign_right"] * by_row["mae_sign_right_genes"]
    assert right.sum() / by_row["mae_sign_right_genes"].sum() == pytest.approx(expected["mae_sign_right"])
    assert list(by_row["sm_name"]) == list(TABLE.sm_name[by_row["row"]])
    both = oof.query("model == 'lstm' and fold == 2").groupby("row")[TABLE.genes].mean()
    expected = Scorer(TABLE.y[both.index]).score(both.to_numpy(np.float32)).mean()
    found = scores.query("model == 'lstm_ensemble' and fold == 2").set_index("metric")["value"]
    assert found.to_dict() == pytest.approx(expected, rel=1e-4), "the mean over seeds is a model of its own"
    history = pd.read_csv(trained / "history.csv")
    assert set(history["fold"]) == {*"01234", "final"}
    assert set(history["model"]) == {"lstm"}


def test_one_example_row_of_each_model_is_kept(trained):
    examples, oof = pd.read_parquet(trained / "examples.parquet"), pd.read_parquet(trained / "oof.parquet")
    assert list(examples["model"]) == ["lstm", "gene_mean"]
    for one in examples.itertuples():
        assert one.seed == 0
        rows = oof[(oof["model"] == one.model) & (oof["seed"] == 0)]
        assert (one.truth == TABLE.y[one.row]).all()
        assert (one.prediction == rows.set_index("row").loc[one.row, TABLE.genes].to_numpy(np.float32)).all()
        every = Scorer(TABLE.y[rows["row"]]).score(rows[TABLE.genes].to_numpy()).rows()[:, METRICS.index("pearson")]
        assert (every <= one.pearson + 1e-6).sum() > len(every) // 2
        assert (every >= one.pearson - 1e-6).sum() >= len(every) // 2


def test_predictions_are_kept_only_when_asked_for(tmp_path):
    run(
        *(kaggle_train, "--de_train", SMALL / "de_train.parquet", "--model", "zeros", "--protocol", "kaggle"),
        *("--no_final", "--outdir", tmp_path),
    )
    assert {path.name for path in tmp_path.iterdir()} == {"scores.csv", "row_scores.parquet", "examples.parquet"}


def test_submission_is_that_of_the_sample(trained):
    sample = pd.read_csv(SMALL / "sample_submission.csv")
    first_line = (SMALL / "sample_submission.csv").read_text().partition("\n")[0]
    for model in ("lstm", "gene_mean"):
        found = pd.read_csv(trained / f"{model}.submission.csv")
        test = pd.read_parquet(trained / f"{model}.test.parquet")
        assert (trained / f"{model}.submission.csv").read_text().partition("\n")[0] == first_line
        assert list(found.columns) == list(sample.columns)
        assert list(found["id"]) == list(sample["id"])
        assert np.isfinite(found.to_numpy()).all()
        assert found[TABLE.genes].to_numpy().std() > 0
        np.testing.assert_allclose(found[TABLE.genes], test[TABLE.genes], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[TABLE.genes].iloc[0], TABLE.y.mean(0), rtol=1e-4, atol=1e-5)


def test_prediction_of_new_molecules(trained, tmp_path):
    new, cell_type = "CC(=O)Oc1ccccc1C(=O)OC", TABLE.cell_type[0]
    known = TABLE.smiles[0]
    run(
        predict_perturbation,
        "--model",
        trained / "lstm.safetensors",
        "--smiles",
        new,
        "--smiles",
        known,
        "--cell_type",
        cell_type,
        "--outdir",
        tmp_path,
    )
    found, nearest = pd.read_csv(tmp_path / "perturbation.csv"), pd.read_csv(tmp_path / "nearest_compounds.csv")
    assert list(found.columns) == ["cell_type", "SMILES", "gene", "prediction", "std", "low", "high"]
    assert list(found["gene"]) == TABLE.genes * 2
    assert (found["low"] <= found["prediction"]).all()
    assert (found["prediction"] <= found["high"]).all()
    own = nearest.set_index("SMILES").loc[known]
    assert own["tanimoto"] == 1
    assert own["in_training"]
    assert own["nearest_compound"] == TABLE.sm_name[0]
    other = nearest.set_index("SMILES").loc[new]
    assert not other["in_training"]
    assert 0 < other["tanimoto"] < 1
    assert nearest["tanimoto"].iloc[0] == tanimoto(morgan_counts([new]), morgan_counts(TABLE.smiles)).max()


def test_a_training_molecule_is_known_however_it_is_written(trained, tmp_path):
    molecule = Chem.MolFromSmiles(TABLE.smiles[0])
    written = Chem.MolToSmiles(molecule, rootedAtAtom=molecule.GetNumAtoms() - 1, canonical=False)
    assert written != TABLE.smiles[0]
    for name, smiles in (("a", TABLE.smiles[0]), ("b", written)):
        run(
            predict_perturbation,
            "--model",
            trained / "lstm.safetensors",
            "--smiles",
            smiles,
            "--cell_type",
            TABLE.cell_type[0],
            "--outdir",
            tmp_path / name,
        )
    first, second = (pd.read_csv(tmp_path / name / "perturbation.csv") for name in "ab")
    assert (first["prediction"] == second["prediction"]).all()


def test_predictions_that_are_refused(trained, tmp_path):
    model = ["--model", str(trained / "lstm.safetensors")]
    cell = ["--cell_type", TABLE.cell_type[0]]
    refuse(
        predict_perturbation,
        [*model, "--smiles", "CCO", "--cell_type", "Mast cells"],
        tmp_path / "o",
        "Mast cells",
        TABLE.cell_type[0],
    )
    refuse(predict_perturbation, [*model, "--smiles", "C1CC(", *cell], tmp_path / "o", "C1CC(")
    refuse(predict_perturbation, [*model, *cell], tmp_path / "o", "nothing to predict")
    refuse(
        predict_perturbation,
        ["--model", str(tmp_path / "no.safetensors"), "--smiles", "C", *cell],
        tmp_path / "o",
        "no such file",
    )
    (tmp_path / "pairs.csv").write_text("cell_type,SMILES\nNK cells,C\nNK cells,C\n")
    refuse(predict_perturbation, [*model, "--pairs", str(tmp_path / "pairs.csv")], tmp_path / "o", "twice")


@pytest.fixture(scope="module")
def fold_changes(tmp_path_factory):
    """A model of an h5ad whose layer logFC holds the small table's values, and the test cells as qc writes them."""
    folder = tmp_path_factory.mktemp("fold_changes")
    obs = TABLE.keys.assign(control=TABLE.control).set_axis([str(number) for number in range(len(TABLE))])
    layers = {"logFC": TABLE.y / 3, "sign_log10_pval": TABLE.y}
    ad.AnnData(obs=obs, var=pd.DataFrame(index=TABLE.genes), layers=layers).write_h5ad(folder / "de.h5ad")
    short = ("--model", "lstm", "--encoding", "fingerprint", "--seeds", 1, "--epochs", 2)
    for layer in layers:
        run(kaggle_train, "--de_train", folder / "de.h5ad", "--layer", layer, *short, "--outdir", folder / layer)
    run(qc, "--sample", "basal", "--input", DATA.parent / "cells_cisplatin.h5ad", "--outdir", folder)
    return folder


def test_treated_cells_are_a_sample_that_qc_takes(fold_changes, tmp_path):
    hydroxamic = "O=C(NO)c1ccccc1"  # qc takes "no" in a treatment's name for untreated cells
    asked = ("--smiles", "CCO", "--smiles", hydroxamic, "--cell_type", TABLE.cell_type[0])
    model = ("--model", fold_changes / "logFC/lstm.safetensors")
    basal = ad.read_h5ad(fold_changes / "basal.h5ad")
    run(predict_perturbation, *model, *asked, "--as_h5ad", "--basal", fold_changes / "basal.h5ad", "--outdir", tmp_path)
    cells = ad.read_h5ad(tmp_path / "treated.h5ad")
    treatment = cells.obs["simulated_treatment"]
    assert treatment.value_counts().to_dict() == dict.fromkeys(["untreated", "molecule 1", "molecule 2"], basal.n_obs)
    smiles = cells.obs.groupby("simulated_treatment", observed=True)["simulated_smiles"].unique()
    assert [list(one) for one in smiles[["untreated", "molecule 1", "molecule 2"]]] == [[""], ["CCO"], [hydroxamic]]
    assert (cells[treatment == "untreated"].X != basal.X).nnz == 0
    predicted = pd.read_csv(tmp_path / "perturbation.csv").query("SMILES == 'CCO'").set_index("gene")["prediction"]
    shares = [np.expm1(part.X.toarray()) for part in (basal, cells[treatment == "molecule 1"])]
    np.testing.assert_allclose(shares[1].sum(axis=1), shares[0].sum(axis=1), rtol=1e-3)
    cell = 0
    change = pd.Series(
        np.log2(shares[1][cell] / np.where(shares[0][cell] > 0, shares[0][cell], np.nan)), basal.var_names
    )
    rest = change.drop(predicted.index).dropna()  # genes without a prediction tell the scaling of the cell
    moved = (change - rest.iloc[0])[predicted.index].dropna()
    np.testing.assert_allclose(moved, predicted[moved.index], atol=1e-3)
    sample = ("--sample", "both", "--input", tmp_path / "treated.h5ad", "--treatment_key", "simulated_treatment")
    run(qc, *sample, "--outdir", tmp_path)
    prepared = ad.read_h5ad(tmp_path / "both.h5ad")
    assert prepared.n_obs == cells.n_obs
    assert prepared.uns["pharmacell"]["simulated"]
    np.testing.assert_allclose(prepared.X.toarray(), cells[:, prepared.var_names].X.toarray(), rtol=1e-4, atol=1e-4)


def test_treated_cells_that_are_refused(fold_changes, tmp_path):
    asked = ["--smiles", "CCO", "--cell_type", TABLE.cell_type[0], "--as_h5ad"]
    basal = ["--basal", str(fold_changes / "basal.h5ad")]
    signed, good = (["--model", str(fold_changes / name / "lstm.safetensors")] for name in ("sign_log10_pval", "logFC"))
    for arguments, words in (
        ([*signed, *asked, *basal], ("trained on sign_log10_pval, not on log2 fold changes", "--layer logFC")),
        ([*good, *asked], ("--as_h5ad and --basal belong together",)),
        (
            [*good, *asked, *basal, "--cell_type", next(one for one in TABLE.cell_type if one != asked[3])],
            ("one cell type",),
        ),
        ([*good, *asked, "--basal", str(fold_changes / "de.h5ad")], ("run qc on the sample first",)),
    ):
        refuse(predict_perturbation, arguments, tmp_path / "out", *words)


def test_fold_changes_are_not_taken_for_p_values(fold_changes, tmp_path):
    arguments = ["--de_train", str(fold_changes / "de.h5ad"), "--layer", "logFC", "--target_space", "z_score"]
    refuse(kaggle_train, arguments, tmp_path / "out", "the layer logFC holds fold changes, not p-values")


def test_runs_on_two_layers_hold_out_the_same_rows(fold_changes, tmp_path):
    known = ["protocol", "fold", "row", "cell_type", "sm_name"]
    asked = ("--de_train", fold_changes / "de.h5ad", "--model", "median", "--protocol", "kaggle", "--no_final")
    layers = ("sign_log10_pval", "logFC")
    for layer in layers:
        run(kaggle_train, *asked, "--layer", layer, "--outdir", tmp_path / layer)
    p_values, changes = (pd.read_parquet(tmp_path / layer / "row_scores.parquet") for layer in layers)
    assert p_values[known].equals(changes[known])
    np.testing.assert_allclose(p_values["mrrmse"], 3 * changes["mrrmse"], rtol=1e-5)  # each its own layer


def test_simulated_table_keeps_moments_and_follows_chemistry(tmp_path):
    run(simulate_perturbation, *SOURCE, "--outdir", tmp_path)
    table = PerturbationTable.read(tmp_path / "de_train.parquet")
    mean, std = (pd.read_csv(DATA / f"cell_type_{name}.csv", index_col=0) for name in ("mean", "std"))
    rows = table.cell_type == "NK cells"
    assert table.genes == list(mean.columns)
    assert np.corrcoef(table.y[rows].mean(0), mean.loc["NK cells"])[0, 1] > 0.5
    assert 0.8 < np.median(table.y[rows].std(0) / std.loc["NK cells"]) < 1.1
    counts = morgan_counts(table.smiles[rows])
    z = (table.y[rows] - mean.loc["NK cells"].to_numpy()) / std.loc["NK cells"].to_numpy()
    pairs = np.triu_indices(len(z), 1)
    assert np.corrcoef(np.corrcoef(counts)[pairs], np.corrcoef(z)[pairs])[0, 1] > 0.1
    facts = json.loads((tmp_path / "simulation.json").read_text())
    assert facts["simulated"]
    assert facts["n_train"] == len(table)
    truth = pd.read_parquet(tmp_path / "de_test.parquet")
    assert list(truth["id"]) == list(pd.read_csv(tmp_path / "sample_submission.csv", dtype={"id": str})["id"])


def test_sparse_simulator_has_correlated_noise_and_few_strong_genes(tmp_path):
    mean, std = (pd.read_csv(DATA / f"cell_type_{name}.csv", index_col=0) for name in ("mean", "std"))
    found = {}
    for simulator in ("linear", "sparse"):
        run(simulate_perturbation, *SOURCE, "--simulator", simulator, "--outdir", tmp_path / simulator)
        assert json.loads((tmp_path / simulator / "simulation.json").read_text())["simulator"] == simulator
        table = PerturbationTable.read(tmp_path / simulator / "de_train.parquet")
        rows = table.cell_type
        z = (table.y - mean.loc[rows].to_numpy()) / std.loc[rows].to_numpy()
        size = np.sqrt((z**2).mean(axis=1))
        weak = z[size < np.quantile(size, 0.3)]  # hardly more than noise
        values = np.linalg.svd(weak / np.sqrt((weak**2).mean(axis=1, keepdims=True)), compute_uv=False) ** 2
        strongest = np.sort(z[size.argmax()] ** 2)
        most = strongest[-z.shape[1] // 10 :].sum() / strongest.sum()
        found[simulator] = {"factors": values[:5].sum() / values.sum(), "in a tenth of the genes": most}
        assert 0.7 < z.std() < 1.3  # cell types keep their moments
    assert found["sparse"]["factors"] > found["linear"]["factors"]
    assert found["sparse"]["in a tenth of the genes"] > 0.7 > found["linear"]["in a tenth of the genes"]


def test_simulation_is_seeded_and_can_be_reduced(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(
            simulate_perturbation,
            *SOURCE,
            "--n_genes",
            10,
            "--n_compounds",
            9,
            "--seed",
            seed,
            "--outdir",
            tmp_path / name,
        )
    a, b, c = (PerturbationTable.read(tmp_path / name / "de_train.parquet") for name in "abc")
    assert np.array_equal(a.y, b.y)
    assert not np.array_equal(a.y, c.y)
    assert len(a.genes) == 10
    assert len(set(a.sm_name)) == 9
    assert (pd.Series(a.cell_type).value_counts()[["B cells", "Myeloid cells"]] == 8).all()  # the anchors stay


def test_simulation_refuses_what_does_not_fit(tmp_path):
    arguments = [str(argument) for argument in SOURCE]
    (tmp_path / "keys.csv").write_text("cell_type,sm_name,sm_lincs_id,SMILES,control\nMast cells,x,y,C,False\n")
    arguments[1] = str(tmp_path / "keys.csv")
    refuse(simulate_perturbation, arguments, tmp_path / "out", "Mast cells", "moments")


def test_ladder_names_its_steps_as_the_page_does():
    said = (DATA.parents[2] / "docs/perturbation_results.md").read_text().partition("## The ladder")[2]
    for simulator in SIMULATORS:
        table = said.partition(f"| `{simulator}` |")[2].partition("\n\n")[0].splitlines()[2:]
        assert [line.split("|")[1].strip() for line in table] == [step.name for step in STEPS]


def test_documented_command_of_the_study_trains_as_the_study_does(tmp_path):
    said = (DATA.parents[2] / "docs/perturbation_results.md").read_text()
    (flags,) = set(re.findall(r"`(--config study --perturbation_protocols \w+ --patience \d+)`", said))
    names = {"--perturbation_protocols": "--protocol"}
    chosen = [names.get(word, word) for word in flags.split()]
    models = ["--model", "autoencoder", "--model", "gru"]
    table = ["--de_train", SMALL / "de_train.parquet"]
    run(kaggle_train, *table, *models, *chosen, "--seeds", 1, "--epochs", 2, "--outdir", tmp_path)
    config = json.loads((tmp_path / "autoencoder.json").read_text())
    assert (config["encoding"], config["card"]["loss"]) == ("ordinal", "mae")
    assert config["config"] | {"epochs": 500} == {
        "units": [256, 64, 64, 256],
        "dense": 128,
        "learning_rate": 0.003,
        "epochs": 500,
        "batch_size": 70,
    }
    assert load_file(tmp_path / "autoencoder.safetensors")["network.output.weight"].shape == (1, 128, len(TABLE.genes))
    history = pd.read_csv(tmp_path / "history.csv")
    assert set(history["part"]) == {"train"}
    assert set(history["fold"]) == {*"01234", "final"}
