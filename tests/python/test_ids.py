"""Ids of lines and drugs that look like numbers stay text, from the user's table to the last prediction."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from synthetic_cells import write_cells

from pharmacell.cli.cross_validate import cross_validate
from pharmacell.cli.finetune_sc import finetune_sc
from pharmacell.cli.plan_folds import plan_folds
from pharmacell.cli.predict import predict
from pharmacell.cli.prepare_bulk import prepare_bulk
from pharmacell.cli.pretrain_bulk import pretrain_bulk
from pharmacell.core.errors import InputError
from pharmacell.data.lines import load_lines
from pharmacell.data.names import text_id

DATA = Path(__file__).parents[1] / "data"
EXPRESSION = pd.read_csv(DATA / "bulk_expression.csv").iloc[:120, :121]
RESPONSE = pd.read_csv(DATA / "bulk_response.csv")
GENES = list(EXPRESSION.columns[1:])
NUMBERS = {line: str(683000 + 17 * place) for place, line in enumerate(EXPRESSION["line"])}
SHARED = ["--sample", "s", "--threads", "1", "--device", "cpu"]
TRAINING = ["--epochs", "2", "--batch_size", "32"]
SMALL = ["--bottleneck", "16", "--encoder", "24", "--predictor", "12", "--heads", "4", "--n_replicas", "2"]


def run(command, *arguments, code: int = 0):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def write_tables(folder: Path, prefix: str = "", suffix: str = "csv") -> list[str]:
    """Write lines whose names are digits after the prefix; one blank cell makes the ids of the response floats."""
    expression = EXPRESSION.assign(line=prefix + EXPRESSION["line"].map(NUMBERS))
    response = RESPONSE[RESPONSE["line"].isin(EXPRESSION["line"])]
    response = response.assign(line=prefix + response["line"].map(NUMBERS))
    blank = response.head(1).assign(line=np.nan)
    tables = {"expression": expression, "response": pd.concat([response, blank])}
    if suffix == "parquet" and not prefix:
        tables = {name: table.assign(line=table["line"].astype(float)) for name, table in tables.items()}
    for name, table in tables.items():
        path = folder / f"{name}.{suffix}"
        table.to_csv(path, index=False) if suffix == "csv" else table.to_parquet(path, index=False)
    return [f"--bulk_{name}={folder / name}.{suffix}" for name in tables]


def prepare(folder: Path, *options: str, prefix: str = "", suffix: str = "csv") -> tuple[ad.AnnData, pd.DataFrame]:
    arguments = [*write_tables(folder, prefix, suffix), "--drug", "cisplatin", "--outdir", folder, "--threads", "1"]
    run(prepare_bulk, *arguments, *options)
    return ad.read_h5ad(folder / "bulk.h5ad"), pd.read_parquet(folder / "response.parquet")


def files_of(folder: Path) -> list:
    data = ["--bulk", folder / "bulk.h5ad", "--response", folder / "response.parquet", "--drug", "cisplatin"]
    return [*data, "--target", folder / "s.h5ad", "--outdir", folder, *SHARED]


def train(folder: Path, prefix: str) -> Path:
    """Run prepare_bulk, pretrain_bulk, finetune_sc and predict on lines with such names."""
    folder.mkdir()
    prepare(folder, prefix=prefix)
    write_cells(folder / "s.h5ad", 40, genes=GENES[:60])
    run(pretrain_bulk, *files_of(folder), *TRAINING, *SMALL)
    finetune(folder)
    model = ["--model", folder / "s.model.safetensors", "--null", folder / "s.null.safetensors"]
    run(predict, *model, "--target", folder / "s.h5ad", "--outdir", folder, *SHARED)
    return folder


def finetune(folder: Path, code: int = 0):
    pretrained = ["--pretrained", folder / "s.pretrained.safetensors", "--split", folder / "s.split.csv"]
    return run(finetune_sc, *pretrained, *files_of(folder), *TRAINING, code=code)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """One run with lines called 683000, another with L683000."""
    folder = tmp_path_factory.mktemp("ids")
    for name, prefix in (("digits", ""), ("letters", "L")):
        train(folder / name, prefix)
    return folder


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_ids_that_became_floats(suffix, tmp_path):
    bulk, response = prepare(tmp_path, suffix=suffix)
    assert list(bulk.obs_names) == sorted(NUMBERS.values())
    assert set(response["line"]) == set(NUMBERS.values())


def test_drugs_that_are_numbers(tmp_path):
    """A drug called 1005 in a column with a blank cell, and as a column of a wide table."""
    expression, response = write_tables(tmp_path)
    table = pd.read_csv(tmp_path / "response.csv", dtype=str).replace({"Cisplatin": "1005"})
    table.loc[3, "drug"] = np.nan
    wide = table.assign(value=table["value"].astype(float)).pivot_table(index="line", columns="drug", values="value")
    for name, one in (("long", table.to_csv(index=False)), ("wide", wide.to_csv()), ("by_drug", wide.T.to_csv())):
        (tmp_path / "response.csv").write_text(one)
        arguments = [expression, response, "--drug", "1005", "--outdir", tmp_path / name, "--threads", "1"]
        run(prepare_bulk, *arguments)
        found = pd.read_csv(tmp_path / name / "drug_summary.csv", dtype=str)
        assert found[["drug", "n_lines"]].to_numpy().tolist() == [["1005", "120"]], name


def test_test_lines_stay_out_of_training_whatever_they_are_called(trained):
    digits, letters = ((trained / name / "s.predictions.csv").read_text() for name in ("digits", "letters"))
    assert digits == letters
    first, second = (pd.read_csv(trained / name / "s.history.csv") for name in ("digits", "letters"))
    pd.testing.assert_frame_equal(first, second)


SPLITS = {
    "a line without a part": (lambda split: split.iloc[1:], "1 of 120 lines have no part"),
    "ids that became floats": (lambda split: split.assign(line=split["line"] + ".0"), "120 of 120 lines have no part"),
    "an unknown part": (lambda split: split.assign(part=["tset", *split["part"][1:]]), "have no part"),
    "nothing held out": (lambda split: split.replace("test", "train"), "no line is held out"),
    "a line twice": (lambda split: pd.concat([split, split.head(1)]), "683000"),
}


@pytest.mark.parametrize("case", SPLITS)
def test_a_split_that_does_not_fit_ends_the_run(case, trained, tmp_path):
    change, words = SPLITS[case]
    for name in ("bulk.h5ad", "response.parquet", "s.h5ad", "s.pretrained.safetensors", "s.pretrained.json"):
        (tmp_path / name).symlink_to(trained / "digits" / name)
    split = pd.read_csv(trained / "digits" / "s.split.csv", dtype=str)
    change(split).to_csv(tmp_path / "s.split.csv", index=False)
    result = finetune(tmp_path, code=1)
    assert words in result.stderr
    assert not (tmp_path / "s.model.safetensors").exists()


def test_folds_of_lines_that_are_numbers(trained, tmp_path):
    data = [*files_of(trained / "digits")[:-6], "--outdir", tmp_path, *SHARED]
    run(plan_folds, *data, "--protocol", "leave_line_out", "--folds", "3", "--repeats", "1", "--models", "signature")
    run(cross_validate, *data, "--folds", tmp_path / "s.folds.csv", "--model", "signature", "--slice", "0:3")
    found = pd.read_parquet(tmp_path / "s.signature.0-3.predictions.parquet")
    assert sorted(found["cell_id"]) == sorted(NUMBERS.values())


@pytest.mark.parametrize("kind", ["int64", "float64", "category"])
def test_a_response_table_that_something_else_wrote_again(kind, trained, tmp_path):
    table = pd.read_parquet(trained / "digits" / "response.parquet").astype({"line": kind})
    table.to_parquet(tmp_path / "response.parquet")
    files = trained / "digits" / "bulk.h5ad", tmp_path / "response.parquet"
    assert sorted(load_lines(*files, "cisplatin", pd.Index(GENES)).labels.index) == sorted(NUMBERS.values())


def test_tables_of_two_bulk_data_sets(trained):
    files = trained / "digits" / "bulk.h5ad", trained / "letters" / "response.parquet"
    with pytest.raises(InputError, match="no line with a response to Cisplatin is in"):
        load_lines(*files, "cisplatin", pd.Index(GENES))


@pytest.mark.parametrize(
    ("value", "text"),
    [(683000.0, "683000"), (np.float32(12), "12"), ("0012", "0012"), (" A1 ", "A1"), ("7.50", "7.50"), (7, "7")],
)
def test_text_of_an_id(value, text):
    assert text_id(value) == text


@pytest.mark.parametrize("value", [None, np.nan, np.float32(np.nan), pd.NA, ""])
def test_no_id(value):
    assert text_id(value) is None


def test_an_id_with_an_exponent_is_refused(tmp_path):
    arguments = write_tables(tmp_path)
    table = (tmp_path / "response.csv").read_text().replace("683017,", "6.83E+05,")
    (tmp_path / "response.csv").write_text(table)
    result = run(prepare_bulk, *arguments, "--drug", "cisplatin", "--outdir", tmp_path / "out", code=1)
    assert "6.83E+05 has an exponent" in result.stderr
    assert not (tmp_path / "out").exists()
