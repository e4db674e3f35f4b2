"""--mode perturbation with the real engine: what is planned, what is published, what is refused before any training."""

import json

import pandas as pd
import pytest
from engine_run import PROJECT, copy_project, run
from lib_calls import call

from pharmacell.perturbation.models.registry import BASELINES, CLASSICAL, NETWORKS, REGISTRY
from pharmacell.perturbation.protocols import PROTOCOLS

SMALL = "tests/data/perturbation/small"
TABLE = ["--mode", "perturbation", "--de_train", f"{{project}}/{SMALL}/de_train.parquet"]
KEYS = ["--id_map", f"{{project}}/{SMALL}/id_map.csv"]
BEFORE_ANY_TASK = {
    "no table": (["--mode", "perturbation"], "--de_train: no table given"),
    "no such table": (["--mode", "perturbation", "--de_train", "nowhere.parquet"], "--de_train: nowhere.parquet"),
    "two tables": (
        [*TABLE, "--train_keys", "{project}/tests/data/perturbation/train_keys.csv"],
        "--de_train and --train_keys exclude each other",
    ),
    "keys without moments": (
        ["--mode", "perturbation", "--train_keys", "{project}/tests/data/perturbation/train_keys.csv"],
        "--cell_type_mean: missing",
    ),
    "moments without keys": (
        [*TABLE, "--cell_type_mean", "{project}/tests/data/perturbation/cell_type_mean.csv"],
        "--train_keys: missing",
    ),
    "genes of a simulated table": (
        [
            *("--mode", "perturbation", "--train_keys", "{project}/tests/data/perturbation/train_keys.csv"),
            *("--id_map", f"{{project}}/{SMALL}/id_map.csv", "--genes", f"{{project}}/{SMALL}/id_map.csv"),
            *("--cell_type_mean", "{project}/tests/data/perturbation/cell_type_mean.csv"),
            *("--cell_type_std", "{project}/tests/data/perturbation/cell_type_std.csv"),
        ],
        "--genes and --train_keys exclude each other",
    ),
    "sample without keys": (
        [*TABLE, "--sample_submission", f"{{project}}/{SMALL}/sample_submission.csv"],
        "--id_map: missing",
    ),
    "no such model": ([*TABLE, "--perturbation_models", "gru5"], "--perturbation_models: 'gru5' cannot be read"),
    "configuration of another mode": ([*TABLE, "--config", "published"], "--config: 'published' is no choice of"),
    "no such encoding": ([*TABLE, "--encodings", "ordinal,smile"], "--encodings: 'ordinal,smile' cannot be read"),
    "no such protocol": ([*TABLE, "--perturbation_protocols", "leave_one_out"], "--perturbation_protocols: 'leave_o"),
    "embedding without its table": ([*TABLE, "--encodings", "embedding"], "--compound_embedding and --encodings"),
    "zero seeds": ([*TABLE, "--seeds", "0"], "--seeds: 0 is out of range"),
}


def filled(arguments: list[str], project) -> list[str]:
    return [argument.format(project=project) for argument in arguments]


def plan(**params) -> dict:
    groups = json.loads((PROJECT / "nextflow_schema.json").read_text())["$defs"].values()
    defaults = {name: rule.get("default") for group in groups for name, rule in group["properties"].items()}
    table = defaults | {"de_train": str(PROJECT / SMALL / "de_train.parquet"), "mode": "perturbation"}
    case = {
        "call": "perturbation",
        "project": str(PROJECT),
        "launch_dir": params.pop("launch_dir"),
        "params": table | params,
        "given": dict.fromkeys(params),
    }
    return call([case])[0]["answer"]


def test_lists_of_models_are_those_of_the_registry():
    answer = call([{"call": "perturbation_models"}])[0]["answer"]
    assert answer == {"NETWORKS": list(NETWORKS), "BASELINES": list(BASELINES), "CLASSICAL": list(CLASSICAL)}


def test_plan_knows_the_models_and_protocols_of_the_commands(tmp_path):
    planned = plan(launch_dir=str(tmp_path), id_map=str(PROJECT / SMALL / "id_map.csv"))
    simple = next(task for task in planned["trainings"] if task["id"] == "simple_kaggle")
    assert set(simple["models"]) == {*BASELINES, *CLASSICAL} - {"blend"}
    assert next(task["trained"] for task in planned["trainings"] if task["id"] == "blend_kaggle"), "it holds networks"
    assert {model for task in planned["trainings"] for model in task["models"]} == set(REGISTRY)
    assert {task["protocol"] for task in planned["trainings"]} <= {*PROTOCOLS, None}


def test_tasks_are_models_by_encodings_by_protocols_and_one_on_all_rows(tmp_path):
    planned = plan(
        launch_dir=str(tmp_path),
        perturbation_models="gru,ridge",
        encodings="ordinal, smiles",
        perturbation_protocols="kaggle,random",
    )
    assert sorted(task["id"] for task in planned["trainings"]) == sorted(
        [
            "simple_kaggle",
            "simple_random",
            "gru_ordinal_kaggle",
            "gru_smiles_kaggle",
            "gru_ordinal_random",
            "gru_smiles_random",
            "gru_ordinal",
            "gru_smiles",
        ]
    )
    assert next(task["models"] for task in planned["trainings"] if task["id"] == "simple_kaggle") == [
        *BASELINES,
        "ridge",
    ]


@pytest.fixture(scope="module")
def compared(project, tmp_path_factory):
    """A run on the small table: one network, one classical model, the baselines."""
    folder = tmp_path_factory.mktemp("perturbation")
    names = pd.read_csv(PROJECT / SMALL / "sample_submission.csv", nrows=0).columns[1:]
    (folder / "genes.txt").write_text("\n".join(names))
    arguments = [
        "-profile",
        "test",
        *TABLE,
        *KEYS,
        "--sample_submission",
        f"{{project}}/{SMALL}/sample_submission.csv",
        "--perturbation_models",
        "gru,ridge",
        "--perturbation_protocols",
        "kaggle",
        "--epochs",
        "2",
        "--seeds",
        "2",
        "--genes",
        "genes.txt",
        "--target_space",
        "z_score",
        "--pseudolabels",
    ]
    ended = run(project, folder, *filled(arguments, project))
    assert ended.code == 0, ended.output
    return folder, ended


def test_scores_gains_weights_and_submission_are_published(compared):
    folder, ended = compared
    assert sum(task.startswith("KAGGLE_TRAIN") for task in ended.submitted) == 4
    results = folder / "results/test/perturbation"
    scores = pd.read_csv(results / "scores.csv")
    assert list(scores.columns) == ["model", "encoding", "protocol", "seed", "fold", "part", "metric", "value"]
    assert set(scores["model"]) == {*BASELINES, "ridge", "gru", "gru_ensemble"}
    assert set(scores.query("model == 'gru'")["seed"]) == {0, 1}
    assert set(scores["protocol"]) == {"kaggle"}
    assert {"gru", "ridge"} <= set(pd.read_csv(results / "gains.csv").query("baseline.notna()")["model"])
    assert (results / "models/gru_joint/gru.safetensors").stat().st_size > 0
    assert json.loads((results / "models/gru_joint/gru.json").read_text())["target_space"] == "z_score"
    assert set(scores["part"]) == {"all", "public_test", "private_test"}
    submission = pd.read_csv(results / "models/gru_joint/gru.submission.csv")
    sample = pd.read_csv(PROJECT / SMALL / "sample_submission.csv")
    assert list(submission.columns) == list(sample.columns)
    assert list(submission["id"]) == list(sample["id"])
    assert {path.suffix for path in (results / "figures").iterdir()} == {".png", ".svg"}
    page = (folder / "results/test/report/pharmacell_report.html").read_text()
    assert "By MRRMSE the best baseline is" in page
    assert "All values are simulated" in page


def test_unchanged_resume_trains_nothing(compared, project):
    folder, first = compared
    arguments = [
        "-profile",
        "test",
        "-resume",
        *TABLE,
        *KEYS,
        "--sample_submission",
        f"{{project}}/{SMALL}/sample_submission.csv",
        "--perturbation_models",
        "gru,ridge",
        "--perturbation_protocols",
        "kaggle",
        "--epochs",
        "2",
        "--seeds",
        "2",
        "--genes",
        "genes.txt",
        "--target_space",
        "z_score",
        "--pseudolabels",
    ]
    again = run(project, folder, *filled(arguments, project))
    assert again.code == 0, again.output
    assert again.submitted == []
    assert again.cached == first.submitted


@pytest.mark.parametrize("kind", BEFORE_ANY_TASK)
def test_stops_before_any_task(project, tmp_path, kind):
    arguments, expected = BEFORE_ANY_TASK[kind]
    answers = call(
        [
            {
                "call": "perturbation",
                "project": str(project),
                "launch_dir": str(tmp_path),
                "params": {"mode": "perturbation", "outdir": "results"}
                | dict(
                    zip(
                        [name.removeprefix("--") for name in filled(arguments, project)[::2]],
                        [int(value) if value.isdigit() else value for value in filled(arguments, project)[1::2]],
                        strict=True,
                    )
                ),
            }
        ]
    )
    assert answers[0]["error"].startswith(expected)
    assert "\n" not in answers[0]["error"]
    assert not list(tmp_path.iterdir())


def test_engine_says_the_one_line_and_starts_no_task(project, tmp_path):
    ended = run(project, tmp_path, "--mode", "perturbation")
    said = [line for line in ended.output.splitlines() if line.strip()][2:]
    assert ended.code == 1
    assert len(said) == 1
    assert said[0].startswith("--de_train: no table given")


def test_table_that_cannot_be_used_stops_before_training(project, tmp_path):
    table = pd.read_parquet(PROJECT / SMALL / "de_train.parquet")
    table.loc[0, "SMILES"] = "not a molecule"
    table.to_parquet(tmp_path / "bad.parquet")
    ended = run(
        project,
        tmp_path,
        "-profile",
        "test",
        "--mode",
        "perturbation",
        "--de_train",
        "bad.parquet",
        "--perturbation_models",
        "gru",
        "--perturbation_protocols",
        "kaggle",
        "--epochs",
        "2",
        "--seeds",
        "1",
    )
    assert ended.code == 1
    said = [line for line in ended.output.splitlines() if "bad.parquet" in line]
    assert len(said) == 1
    assert "no SMILES that rdkit can parse for" in said[0]
    assert "Traceback" not in ended.output
    assert not list((tmp_path / "results/test/perturbation").glob("*"))


def test_simulated_table_is_made_trained_on_and_reported(project, tmp_path):
    ended = run(project, tmp_path, "-profile", "demo_perturbation", "-stub-run", "--outdir", "results")
    assert ended.code == 0, ended.output
    assert sum(task.startswith("KAGGLE_TRAIN") for task in ended.submitted) == 27
    assert (tmp_path / "results/perturbation/simulated/de_train.parquet").exists()
    assert (tmp_path / "results/report/pharmacell_report.html").exists()


def test_two_layers_are_simulated_predicted_and_reported_in_one_run(project, tmp_path):
    names = ("train_keys", "id_map", "cell_type_mean", "cell_type_std")
    keys = [word for name in names for word in (f"--{name}", f"{{project}}/tests/data/perturbation/{name}.csv")]
    small = ["--n_genes", "40", "--n_compounds", "14", "--epochs", "2", "--seeds", "1", "--keep_predictions"]
    chosen = ["--perturbation_models", "gru", "--perturbation_protocols", "kaggle", "--second_layer", "logFC"]
    mode = ["-profile", "test", "--mode", "perturbation", "--outdir", "results"]
    ended = run(project, tmp_path, *mode, *filled(keys, project), *small, *chosen)
    assert ended.code == 0, ended.output
    results = tmp_path / "results/perturbation"
    assert (results / "simulated/de_train.h5ad").exists()
    for folder in (results, results / "second_layer"):
        assert set(pd.read_csv(folder / "scores.csv")["model"]) == {*BASELINES, "gru"}
        for name in ("gains.csv", "per_compound.csv", "figures/kaggle_accuracy.png"):
            assert (folder / name).exists()
        ids = ("gru_joint_kaggle", "simple_kaggle")
        assert {path.name for path in (folder / "row_scores").iterdir()} == {
            f"{one}.{kind}.parquet" for one in ids for kind in ("row_scores", "examples")
        }
        assert {path.name for path in (folder / "out_of_fold").iterdir()} == {f"{one}.oof.parquet" for one in ids}
    for folder in ("models/gru_joint", "models/gru_joint/second_layer"):
        assert (results / folder / "gru.submission.csv").stat().st_size > 0
    assert (results / "models/simple/second_layer/zeros.submission.csv").exists()
    assert json.loads((results / "models/gru_joint/gru.json").read_text())["card"]["second_layer"] == "logFC"
    page = (tmp_path / "results/report/pharmacell_report.html").read_text().lower()
    assert all(f"kaggle, {layer}: 1 scores" in page for layer in ("sign_log10_pval", "logfc"))


@pytest.fixture(scope="module")
def with_hole(tmp_path_factory):
    """A stub run in which a network and the baselines fail once each, and the run after --epochs changed."""
    folder = tmp_path_factory.mktemp("hole")
    copy = copy_project(folder / "project")
    module = copy / "modules/kaggle_train/main.nf"
    checks = [f'    test "${{meta.id}}" != {name}\n' for name in ("gru_joint_kaggle", "simple_random")]
    failing = f"    mkdir -p ${{folder}}\n{''.join(checks)}    touch"
    module.write_text(module.read_text().replace("    mkdir -p ${folder}\n    touch", failing))
    chosen = ["--perturbation_models", "gru,lstm,ridge", "--perturbation_protocols", "kaggle,random"]
    arguments = [*filled([*TABLE, *chosen], copy), "-stub-run", "--outdir", "results"]
    return folder, [run(copy, folder, *arguments, "--epochs", epochs, "-resume") for epochs in ("2", "3")]


def test_training_that_fails_leaves_a_named_hole_and_is_not_tried_again(with_hole):
    folder, (first, _) = with_hole
    assert first.code == 0, first.output
    assert (
        "KAGGLE_TRAIN (gru_joint_kaggle)` terminated with an error exit status (1) -- Error is ignored" in first.output
    )
    assert "Re-submitted" not in first.output
    missing = pd.read_csv(folder / "results/perturbation/missing.csv")
    failed = ["simple_random", "gru_joint_kaggle"]
    assert sorted(missing["training"]) == sorted(failed)
    assert set(missing["reason"]) == {"its training failed"}
    page = (folder / "results/report/pharmacell_report.html").read_text()
    assert all(f'"{name}"' in page for name in failed)


def test_input_that_no_training_can_use_ends_the_run_and_one_that_some_cannot_is_named(project, tmp_path):
    (tmp_path / "ids.csv").write_text("id,cell_type,sm_name\n0,B cells,Elixir\n")
    table = pd.read_parquet(project / SMALL / "de_train.parquet")
    table.assign(dose_uM=1.0).to_parquet(tmp_path / "my de.parquet")
    chosen = [
        "--mode",
        "perturbation",
        "--de_train",
        "my de.parquet",
        "--perturbation_models",
        "zeros",
        "--outdir",
        "results",
    ]
    ended = run(project, tmp_path, *chosen, "--id_map", "ids.csv", "--perturbation_protocols", "kaggle")
    assert ended.code != 0
    assert "ids.csv: sm_name Elixir is not in the training table; correct its spelling" in ended.output
    assert not any("KAGGLE_SUMMARY" in task for task in ended.submitted)
    ended = run(project, tmp_path, *chosen, "--perturbation_protocols", "kaggle,predefined")
    assert ended.code == 0, ended.output
    problem = "the protocol 'predefined' needs a column 'split'"
    assert f"simple_predefined is missing: perturbation table: {problem}" in ended.output
    assert ended.output.count("my de.parquet: not genes, and left out: dose_uM") == 1, "every training says so"
    (missing,) = pd.read_csv(tmp_path / "results/perturbation/missing.csv").itertuples()
    assert missing.training == "simple_predefined"
    assert problem in missing.reason
    assert set(pd.read_csv(tmp_path / "results/perturbation/scores.csv")["protocol"]) == {"kaggle"}


def test_models_without_epochs_are_not_fitted_again_when_these_change(with_hole):
    _, (_, again) = with_hole
    assert again.code == 0, again.output
    assert [task for task in again.cached if "KAGGLE_TRAIN" in task] == ["KAGGLE_TRAIN_CPU (simple_kaggle)"]
    assert any(task.startswith("KAGGLE_TRAIN (") for task in again.submitted)
