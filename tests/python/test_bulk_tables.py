"""Bulk tables as people have them, through the real commands: what comes out is the same as from a clean table."""

import bz2
import csv
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from bad_input import refuse
from click.testing import CliRunner

from pharmacell.cli.list_drugs import list_drugs
from pharmacell.cli.prepare_bulk import prepare_bulk

DATA = Path(__file__).parents[1] / "data"
EXPRESSION = pd.read_csv(DATA / "bulk_expression.csv").iloc[:60, :121].round(2)
RESPONSE = pd.read_csv(DATA / "bulk_response.csv").query("line in @EXPRESSION.line and database == 'GDSC2'")
RESPONSE = RESPONSE[["line", "drug", "value"]]
WIDE = RESPONSE.pivot_table(index="line", columns="drug", values="value")
DRUGS = sorted(RESPONSE["drug"].unique())


def prepare(folder: Path, *options: str, drug: str = "cisplatin") -> tuple[ad.AnnData, pd.DataFrame, str]:
    """Run prepare_bulk on the tables of a folder; return lines, response and what it said."""
    tables = {path.name.split(".")[0]: path for path in sorted(folder.iterdir()) if path.is_file()}
    arguments = [f"--bulk_{name}={tables[name]}" for name in ("expression", "response")]
    result = CliRunner().invoke(
        prepare_bulk, [*arguments, "--drug", drug, "--outdir", str(folder / "out"), "--threads", "1", *options]
    )
    assert result.exit_code == 0, result.stderr
    found = ad.read_h5ad(folder / "out" / "bulk.h5ad"), pd.read_parquet(folder / "out" / "response.parquet")
    return *found, result.stderr


def write(
    folder: Path, response: str | bytes | None = None, expression: str | None = None, suffix: str = "csv"
) -> Path:
    """Write tables; the clean one where none is given."""
    folder.mkdir(exist_ok=True)
    (folder / "expression.csv").write_text(expression or EXPRESSION.to_csv(index=False))
    content = RESPONSE.to_csv(index=False) if response is None else response
    (folder / f"response.{suffix}").write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> tuple[ad.AnnData, pd.DataFrame]:
    return prepare(write(tmp_path_factory.mktemp("clean") / "tables"))[:2]


def decimal_commas(table: pd.DataFrame, **options) -> str:
    return table.to_csv(index=False, sep=";", decimal=",", **options)


def as_r_writes(table: pd.DataFrame) -> str:
    """Row names without a header of their own, as of ``write.table``."""
    return table.to_csv(sep=" ", quoting=csv.QUOTE_NONNUMERIC, na_rep="NA").removeprefix('"line" ')


TABLES: dict[str, tuple[str, Callable[[], str | bytes]]] = {
    "byte order mark and CRLF": ("csv", lambda: "\ufeff" + RESPONSE.to_csv(index=False, lineterminator="\r\n")),
    "semicolons and decimal commas": ("csv", lambda: decimal_commas(RESPONSE)),
    "tabs in a csv": ("csv", lambda: RESPONSE.to_csv(index=False, sep="\t")),
    "txt": ("txt", lambda: RESPONSE.to_csv(index=False, sep="\t")),
    "bzip2": ("csv.bz2", lambda: bz2.compress(RESPONSE.to_csv(index=False).encode())),
    "xz": ("csv.xz", lambda: lzma.compress(RESPONSE.to_csv(index=False).encode())),
    "UTF-16": ("csv", lambda: RESPONSE.to_csv(index=False, sep="\t").encode("utf-16")),
    "trailing delimiter": ("csv", lambda: RESPONSE.to_csv(index=False).replace("\n", ",\n")),
    "blanks around": ("csv", lambda: RESPONSE.to_csv(index=False).replace(",", " , ")),
    "single quotes": ("csv", lambda: RESPONSE.assign(line="'" + RESPONSE["line"] + "'").to_csv(index=False)),
    "numbered rows": ("csv", lambda: RESPONSE.reset_index(drop=True).to_csv()),
    "gzip": ("csv.gz", lambda: gzip.compress(RESPONSE.to_csv(index=False).encode())),
    "latin-1": ("csv", lambda: (RESPONSE.assign(note="é").to_csv(index=False)).encode("latin-1")),
    "comment lines": ("csv", lambda: "# GDSC, release 8.4\n# ln IC50\n" + RESPONSE.to_csv(index=False)),
    "empty rows and columns": (
        "csv",
        lambda: RESPONSE.to_csv(index=False).replace("\n", ",,\n") + ",,,,\n,,,,\n",
    ),
    "every row twice": ("csv", lambda: pd.concat([RESPONSE, RESPONSE]).to_csv(index=False)),
    "wide": ("csv", lambda: WIDE.to_csv()),
    "wide, a drug listed twice": ("csv", lambda: pd.concat([WIDE, WIDE[["Cisplatin"]]], axis=1).to_csv()),
    "drugs in the rows": ("csv", lambda: WIDE.T.to_csv()),
    "drugs in the rows, decimal commas": ("tsv", lambda: WIDE.T.to_csv(sep="\t", decimal=",")),
    "wide, as R writes it": ("txt", lambda: as_r_writes(WIDE)),
    "wide, with the tissue beside": ("csv", lambda: WIDE.assign(tissue="lung", COSMIC_ID=9071).to_csv()),
    "other names of columns": (
        "csv",
        lambda: (
            RESPONSE.rename(columns={"line": "CELL_LINE_NAME", "drug": "DRUG_NAME", "value": "LN_IC50"})
            .assign(COSMIC_ID=range(len(RESPONSE)), DRUG_ID=1005)
            .to_csv(index=False)
        ),
    ),
    "lines in another spelling": (
        "csv",
        lambda: RESPONSE.assign(line=RESPONSE["line"].str.lower().str.replace(r"(\d)", r"-\1", n=1, regex=True)).to_csv(
            index=False
        ),
    ),
    "NA where nothing was measured": (
        "csv",
        lambda: pd.concat([RESPONSE, RESPONSE.assign(drug="Untested", value=np.nan)]).to_csv(index=False, na_rep="NA"),
    ),
}


@pytest.mark.parametrize("kind", TABLES)
def test_response_tables_agree(kind, clean, tmp_path):
    suffix, content = TABLES[kind]
    bulk, response, _ = prepare(write(tmp_path / "tables", content(), suffix=suffix))
    assert list(bulk.obs_names) == list(clean[0].obs_names)
    np.testing.assert_allclose(bulk.X, clean[0].X)
    assert sorted(response["drug"].unique()) == DRUGS
    pd.testing.assert_frame_equal(response, clean[1], rtol=1e-6)


EXPRESSIONS: dict[str, Callable[[], str]] = {
    "genes and ids in the rows, as DepMap's": lambda: (
        EXPRESSION.set_index("line").rename(columns=lambda gene: f"{gene} (1234)").to_csv()
    ),
    "numbered rows": lambda: EXPRESSION.to_csv(),
    "genes in the rows": lambda: EXPRESSION.set_index("line").T.to_csv(),
    "semicolons and decimal commas": lambda: decimal_commas(EXPRESSION),
    "long": lambda: EXPRESSION.melt(id_vars="line", var_name="gene_symbol", value_name="expression").to_csv(
        index=False
    ),
    "byte order mark, comment and CRLF": lambda: (
        "\ufeff# made in 2020\r\n" + EXPRESSION.to_csv(index=False, lineterminator="\r\n")
    ),
    "a row without a line": lambda: (
        EXPRESSION.to_csv(index=False) + EXPRESSION.head(1).assign(line=None).to_csv(index=False, header=False)
    ),
    "a COSMIC id beside": lambda: EXPRESSION.assign(COSMIC_ID=906794.0).to_csv(index=False),
    "every row twice": lambda: pd.concat([EXPRESSION, EXPRESSION]).to_csv(index=False),
}


@pytest.mark.parametrize("kind", EXPRESSIONS)
def test_expression_tables_agree(kind, clean, tmp_path):
    bulk, response, _ = prepare(write(tmp_path / "tables", expression=EXPRESSIONS[kind]()))
    assert list(bulk.obs_names) == list(clean[0].obs_names)
    assert sorted(bulk.var_names) == sorted(clean[0].var_names)
    np.testing.assert_allclose(bulk[:, clean[0].var_names].X, clean[0].X, atol=1e-6)
    pd.testing.assert_frame_equal(response, clean[1])


def test_a_line_in_two_columns_is_one_line(clean, tmp_path):
    """Pandas calls the second column of one name ``A549.1``, which is another line."""
    table = EXPRESSION.set_index("line").T
    twice = pd.concat([table, table.iloc[:, :2]], axis=1)
    bulk, _, said = prepare(write(tmp_path / "tables", expression=twice.to_csv()))
    assert list(bulk.obs_names) == list(clean[0].obs_names)
    assert "62 profiles are merged to 60 lines" in said


def test_infinite_and_zero_ic50(tmp_path):
    """An IC50 that no dose reached is the most resistant that was seen, one of 0 the most sensitive."""
    ic50 = RESPONSE.assign(value=np.exp(RESPONSE["value"]).round(6))
    rows = np.flatnonzero(ic50["drug"] == "Cisplatin")
    lowest, highest = (np.log(pick(ic50["value"].to_numpy()[rows[2:]])) for pick in (np.min, np.max))
    values = ic50["value"].astype(object).to_numpy()
    values[rows[0]], values[rows[1]] = "Inf", "0"
    lines = ic50["line"].to_numpy()[rows[:2]]
    write(tmp_path / "tables", ic50.assign(value=values).to_csv(index=False))
    _, response, said = prepare(tmp_path / "tables", "--response_measure", "ic50")
    found = response.query("drug == 'Cisplatin'").set_index("line")["value"]
    np.testing.assert_allclose(found[lines], [highest, lowest])
    assert np.isfinite(response["z"]).all()
    assert "2 infinite responses, or IC50 of 0" in said


def test_drugs_that_punctuation_tells_apart(tmp_path):
    one = RESPONSE.query("drug == 'Cisplatin'")
    names = ["(+)-camptothecin", "(-)-camptothecin", "α-amanitin", "beta-lapachone", "β-amanitin", "顺铂"]
    table = pd.concat([one.assign(drug=name, value=one["value"] + number) for number, name in enumerate(names)])
    folder = write(tmp_path / "tables", table.to_csv(index=False))
    _, response, _ = prepare(folder, drug="Alpha-Amanitin")
    assert sorted(response["drug"].unique()) == sorted(names)
    summary = pd.read_csv(folder / "out" / "drug_summary.csv")
    assert summary["drug"].tolist() == ["α-amanitin"]
    arguments = [f"--bulk_expression={folder}/expression.csv", f"--bulk_response={folder}/response.csv"]
    words = ("'camptothecin' may be any of (+)-camptothecin, (-)-camptothecin",)
    refuse(prepare_bulk, [*arguments, "--drug", "camptothecin"], tmp_path / "refused", *words)
    words = ("no drug is named '(-)-α-amanitin'", "nearest: α-amanitin")  # perhaps the inactive one of two
    refuse(prepare_bulk, [*arguments, "--drug", "(-)-α-amanitin"], tmp_path / "refused", *words)


DRUG_NAMES = {
    "Erlotinib": ["Tarceva", "erlotinib hydrochloride", "ERLOTINIB HCl", "osi 774"],
    "Vinorelbine": ["Navelbine", "vinorelbine tartrate"],
    "Lapatinib ditosylate": ["lapatinib", "Tykerb", "Lapatinib (ditosylate hydrate)"],
    "Rapamycin": ["sirolimus"],
    "Temsirolimus": ["CCI-779"],
}


@pytest.fixture(scope="module")
def many_drugs(tmp_path_factory) -> Path:
    one = RESPONSE.query("drug == 'Cisplatin'")
    return write(
        tmp_path_factory.mktemp("drugs") / "tables",
        pd.concat([one.assign(drug=name) for name in DRUG_NAMES]).to_csv(index=False),
    )


@pytest.mark.parametrize(("drug", "spelled"), [(drug, name) for drug in DRUG_NAMES for name in DRUG_NAMES[drug]])
def test_drugs_are_found_by_synonym_and_salt(drug, spelled, many_drugs):
    prepare(many_drugs, drug=spelled)
    assert pd.read_csv(many_drugs / "out" / "drug_summary.csv")["drug"].tolist() == [drug]


def test_drugs_that_are_not_found(many_drugs, tmp_path):
    arguments = [f"--bulk_expression={many_drugs}/expression.csv", f"--bulk_response={many_drugs}/response.csv"]
    words = ("'Torisel' may be any of Rapamycin, Temsirolimus",)
    refuse(prepare_bulk, [*arguments, "--drug", "Torisel"], tmp_path / "a", *words)
    refuse(prepare_bulk, [*arguments, "--drug", "erlotinip"], tmp_path / "b", "no drug is named", "nearest: Erlotinib")
    refuse(prepare_bulk, [*arguments, "--drug", "Tarcewa"], tmp_path / "c", "nearest: Erlotinib (Tarceva)")


def test_list_drugs_shows_synonyms_target_and_pathway(many_drugs):
    arguments = [f"--bulk_expression={many_drugs}/expression.csv", f"--bulk_response={many_drugs}/response.csv"]
    result = CliRunner().invoke(list_drugs, [*arguments, "--csv"])
    table = pd.read_csv(io.StringIO(result.stdout)).set_index("drug")
    assert "Tarceva" in table.loc["Erlotinib", "synonyms"].split("; ")
    assert table.loc["Erlotinib", ["target", "pathway"]].tolist() == ["EGFR", "EGFR"]
    assert table.loc["Temsirolimus", "pathway"] == "PI3K/MTOR"


def test_excluded_lines(clean, tmp_path):
    first, second = clean[0].obs_names[:2]
    spelled = f"{first.lower()},{second[:2]}-{second[2:]}"
    bulk, response, said = prepare(write(tmp_path / "tables"), "--exclude_lines", spelled)
    assert list(bulk.obs_names) == list(clean[0].obs_names[2:])
    assert not set(response["line"]) & {first, second}
    assert f"2 lines are excluded, as asked: {first}, {second}" in said


def test_an_unknown_line_to_exclude(clean, tmp_path):
    folder, line = write(tmp_path / "tables"), clean[0].obs_names[0]
    arguments = [f"--bulk_expression={folder}/expression.csv", f"--bulk_response={folder}/response.csv"]
    arguments += ["--drug", "cisplatin", "--exclude_lines", f"{line}X"]
    refuse(prepare_bulk, arguments, tmp_path / "out", f"no line '{line}X'", f"nearest: {line}")


REFUSED: dict[str, tuple[Callable[[], str], list[str], tuple[str, ...]]] = {
    "a web page": (lambda: "<!DOCTYPE html><html></html>", [], ("web page",)),
    "a pointer of LFS": (lambda: "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", [], ("git lfs pull",)),
    "thousands": (lambda: RESPONSE.assign(value="1,234").to_csv(index=False), [], ("separator of thousands",)),
    "a word among the values": (
        lambda: RESPONSE.to_csv(index=False) + "A549,Cisplatin,high\n",
        [],
        ("A549", "'high' is not a number"),
    ),
    "an infinite AUC": (
        lambda: RESPONSE.to_csv(index=False) + "A549,Cisplatin,Inf\n",
        ["--response_measure", "auc"],
        ("A549", "cannot be infinite"),
    ),
    "a negative IC50": (
        lambda: RESPONSE.assign(value=-1.0).to_csv(index=False),
        ["--response_measure", "ic50"],
        ("an IC50 of -1", "ln_ic50"),
    ),
    "an id with an exponent": (
        lambda: RESPONSE.to_csv(index=False) + "9.07E+05,Cisplatin,1\n",
        [],
        ("9.07E+05 has an exponent", "ids as text"),
    ),
    "a row too short": (lambda: RESPONSE.to_csv(index=False) + "A549,Cisplatin\n", [], ("2 fields", "has 3")),
    "a header alone": (lambda: "line,drug,value\n", [], ("header and no rows",)),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_response_tables_that_are_refused(kind, tmp_path):
    content, options, words = REFUSED[kind]
    folder = write(tmp_path / "tables", content())
    arguments = [f"--bulk_expression={folder}/expression.csv", f"--bulk_response={folder}/response.csv"]
    refuse(prepare_bulk, [*arguments, "--drug", "cisplatin", *options], tmp_path / "out", *words)
