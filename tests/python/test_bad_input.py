"""Bad input ends the data commands with one line, before anything is written."""

import gzip
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from bad_input import refuse, refuse_in_shell
from scipy import sparse

from pharmacell.cli.prepare_bulk import prepare_bulk
from pharmacell.cli.qc import qc
from pharmacell.cli.simulate_cells import simulate_cells

DATA = Path(__file__).parents[1] / "data"
EXPRESSION, RESPONSE = DATA / "bulk_expression.csv", DATA / "bulk_response.csv"
GENES = pd.read_csv(EXPRESSION, nrows=0).columns[1:301]


def counts(n_cells: int = 12, **obs) -> ad.AnnData:
    """A small sample of counts on real gene names, every gene seen in every cell."""
    values = np.random.default_rng(0).poisson(3, (n_cells, len(GENES))).astype(np.float32) + 1
    frame = pd.DataFrame({"response": [0, 1] * (n_cells // 2), **obs}, index=[f"c{i}" for i in range(n_cells)])
    return ad.AnnData(sparse.csr_matrix(values), obs=frame, var=pd.DataFrame(index=GENES))


def h5ad(folder: Path, sample: ad.AnnData) -> Path:
    sample.write_h5ad(folder / "sample.h5ad")
    return folder / "sample.h5ad"


def missing(folder):
    return folder / "nowhere.h5ad"


def empty(folder):
    (folder / "empty.h5ad").touch()
    return folder / "empty.h5ad"


def truncated(folder):
    whole = h5ad(folder, counts()).read_bytes()
    (folder / "cut.h5ad").write_bytes(whole[: len(whole) // 2])
    return folder / "cut.h5ad"


def text_as_h5ad(folder):
    (folder / "text.h5ad").write_text("gene,c1\nTP53,1\n")
    return folder / "text.h5ad"


def pickle(folder):
    (folder / "sample.pkl").write_bytes(b"\x80\x04N.")
    return folder / "sample.pkl"


def spreadsheet(folder):
    (folder / "sample.xlsx").write_bytes(b"PK")
    return folder / "sample.xlsx"


def empty_folder(folder):
    (folder / "tenx").mkdir()
    return folder / "tenx"


def mismatched_10x(folder):
    from scipy.io import mmwrite

    (folder / "tenx").mkdir()
    mmwrite(folder / "tenx" / "matrix.mtx", sparse.coo_matrix(np.ones((3, 2))))
    (folder / "tenx" / "genes.tsv").write_text("ENSG00000141510\tTP53\nENSG00000146648\tEGFR\n")
    (folder / "tenx" / "barcodes.tsv").write_text("A\nB\n")
    return folder / "tenx"


def cut_gzip(folder):
    whole = gzip.compress((DATA / "bulk_expression.csv").read_bytes())
    (folder / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    return folder / "cut.csv.gz"


def ragged(folder):
    (folder / "ragged.csv").write_text("cell,TP53,EGFR\na,1,2\nb,1,2,3,4\n")
    return folder / "ragged.csv"


def header_only(folder):
    (folder / "header.csv").write_text("cell,TP53,EGFR\n")
    return folder / "header.csv"


def word_among_numbers(folder):
    sample = counts().to_df().astype(object)
    sample.iloc[3, 5] = "many"
    sample.to_csv(folder / "word.csv")
    return folder / "word.csv"


def not_a_number(folder):
    sample = counts()
    sample.X[2, 7] = np.nan
    return h5ad(folder, sample)


def negative_counts(folder):
    sample = counts()
    sample.X[4, 9] = -2
    return h5ad(folder, sample)


def other_genes(folder):
    sample = counts()
    sample.var_names = [f"feature_{i}" for i in range(sample.n_vars)]
    return h5ad(folder, sample)


def numbered_genes(folder):
    sample = counts()
    sample.var_names = [str(i) for i in range(sample.n_vars)]
    return h5ad(folder, sample)


def fine(folder):
    return h5ad(folder, counts())


def large(folder):
    sample = counts()
    sample.X[3, 4] = 31
    return h5ad(folder, sample)


def zscores(folder):
    sample = counts()
    sample.X = np.random.default_rng(0).normal(size=sample.shape).astype(np.float32)
    return h5ad(folder, sample)


def odd_labels(folder):
    return h5ad(folder, counts(response=["high", "low"] * 6))


def one_class(folder):
    return h5ad(folder, counts(response=[1] * 12))


SAMPLES = {
    "missing file": (missing, [], ("nowhere.h5ad", "no such file")),
    "empty file": (empty, [], ("empty.h5ad", "empty")),
    "truncated h5ad": (truncated, [], ("cut.h5ad", "damaged")),
    "text called h5ad": (text_as_h5ad, [], ("text.h5ad", "not an HDF5 file")),
    "pickle": (pickle, [], ("sample.pkl", "may run code", "h5ad")),
    "spreadsheet": (spreadsheet, [], ("sample.xlsx", "save its sheet as csv")),
    "folder without a matrix": (empty_folder, [], ("matrix.mtx",)),
    "10x files that do not belong together": (mismatched_10x, [], ("3 x 2", "genes.tsv has 2")),
    "cut gzip": (cut_gzip, [], ("cut.csv.gz", "cut short")),
    "rows of different length": (ragged, [], ("ragged.csv", "regular table")),
    "header only": (header_only, [], ("header.csv", "no rows")),
    "a word among numbers": (word_among_numbers, [], ("row c3", GENES[5], "'many'")),
    "NaN": (not_a_number, [], ("cell c2", GENES[7], "missing")),
    "negative count": (negative_counts, [], ("cell c4", GENES[9], "negative")),
    "negative value, told counts": (negative_counts, ["--scale", "counts"], ("cell c4", GENES[9], "negative")),
    "unknown genes": (other_genes, [], ("0%", "feature_0", "symbols")),
    "numbers for genes": (numbered_genes, [], ("consecutive numbers",)),
    "mouse told, human seen": (fine, ["--species", "mouse"], ("mouse", "symbols")),
    "large counts told log1p": (large, ["--scale", "log1p"], ("--scale log1p", "look like counts")),
    "z-scores told tpm": (zscores, ["--scale", "tpm"], ("--scale tpm", "look like zscore")),
    "z-scores told log1p": (zscores, ["--scale", "log1p"], ("--scale log1p", "look like zscore")),
    "no label column": (fine, ["--label_key", "truth_of_it"], ("truth_of_it", "columns: response")),
    "no group column": (fine, ["--group_key", "plate"], ("plate", "group_key", "columns: response")),
    "no column of a drug": (fine, ["--drug_label_key", "response"], ("'response:DRUG'", "columns: response")),
    "no column of normal cells": (fine, ["--normal_key", "healthy"], ("healthy", "normal_key", "columns: response")),
    "no such root": (fine, ["--root", "nowhere"], ("--root nowhere", "neither a group nor a cell", "group_key")),
    "unreadable labels": (odd_labels, ["--label_key", "response"], ("'high' (6 cells)", "'low' (6 cells)")),
    "one class": (one_class, ["--label_key", "response"], ("one-class labels", "all 12 cells are sensitive")),
    "no cell left": (fine, ["--min_genes", "5000"], ("no cell is left of 12", "12 have fewer than 5000")),
    "no gene left": (fine, ["--min_cells", "13"], ("no gene is left",)),
    "out of range": (fine, ["--max_mt_percent", "120"], ("max_mt_percent", "120")),
    "unknown option": (fine, ["--min_gene", "3"], ("--min_gene", "--min_genes")),
}


@pytest.mark.parametrize("case", SAMPLES)
def test_qc_refuses(case, tmp_path):
    make, options, words = SAMPLES[case]
    arguments = ["--sample", "s", "--input", str(make(tmp_path)), "--min_genes", "10", *options]
    line = refuse(qc, arguments, tmp_path / "out")
    assert [word for word in words if word not in line] == []


def table(folder: Path, name: str, frame: pd.DataFrame) -> str:
    frame.to_csv(folder / name, index=False)
    return str(folder / name)


def with_value(frame: pd.DataFrame, row: int, column: int, value) -> pd.DataFrame:
    frame = frame.astype(object)
    frame.iloc[row, column] = value
    return frame


def response(change):
    return lambda folder: [
        "--bulk_expression",
        str(EXPRESSION),
        "--bulk_response",
        table(folder, "response.csv", change(pd.read_csv(RESPONSE))),
    ]


def expression(change):
    return lambda folder: [
        "--bulk_response",
        str(RESPONSE),
        "--bulk_expression",
        table(folder, "expression.csv", change(pd.read_csv(EXPRESSION))),
    ]


def as_given(folder):
    return ["--bulk_expression", str(EXPRESSION), "--bulk_response", str(RESPONSE)]


BULKS = {
    "half a data set": (lambda folder: ["--bulk_expression", str(EXPRESSION)], [], ("--bulk_response", "missing")),
    "unknown bulk": (lambda folder: ["--bulk", "ccle"], [], ("'ccle'", "gdsc")),
    "missing table": (
        lambda folder: ["--bulk_expression", "no.csv", "--bulk_response", str(RESPONSE)],
        [],
        ("no.csv", "no such file"),
    ),
    "pickle": (
        lambda folder: ["--bulk_expression", str(pickle(folder)), "--bulk_response", str(RESPONSE)],
        [],
        ("sample.pkl", "may run code"),
    ),
    "unknown drug": (as_given, ["--drug", "cisplatine"], ("cisplatine", "Cisplatin, ", "Docetaxel")),
    "one class": (
        as_given,
        ["--binarise", "threshold", "--sensitive_threshold", "-99"],
        ("0 sensitive and 240 resistant", "--binarise"),
    ),
    "threshold without a value": (as_given, ["--binarise", "threshold"], ("--sensitive_threshold",)),
    "quantile out of range": (as_given, ["--sensitive_quantile", "1.5"], ("sensitive_quantile", "1.5")),
    "no common line": (response(lambda frame: frame.assign(line="X" + frame["line"])), [], ("none of its lines",)),
    "word among responses": (response(lambda frame: with_value(frame, 4, 3, "high")), [], ("'high' is not a number",)),
    "negative IC50": (as_given, ["--response_measure", "ic50"], ("an IC50 of -", "ln_ic50")),
    "labels that are none": (as_given, ["--response_measure", "label"], ("is neither 1",)),
    "no value column": (response(lambda frame: frame.rename(columns={"value": "x"})), [], ("no column with the",)),
    "missing expression": (expression(lambda frame: with_value(frame, 2, 3, np.nan)), [], ("gene", "missing")),
    "word in expression": (expression(lambda frame: with_value(frame, 2, 3, "low")), [], ("'low' is not a number",)),
    "unknown genes": (
        expression(lambda frame: frame.set_axis(["line", *(f"f{i}" for i in range(600))], axis=1)),
        [],
        ("0%", "f0"),
    ),
}


@pytest.mark.parametrize("case", BULKS)
def test_prepare_bulk_refuses(case, tmp_path):
    make, options, words = BULKS[case]
    drug = [] if "--drug" in options else ["--drug", "cisplatin"]
    line = refuse(prepare_bulk, [*make(tmp_path), *drug, *options], tmp_path / "out")
    assert [word for word in words if word not in line] == []


def test_simulate_cells_refuses_what_is_no_bulk(tmp_path):
    arguments = ["--bulk", str(fine(tmp_path)), "--response", str(RESPONSE), "--drug", "cisplatin"]
    line = refuse(simulate_cells, arguments, tmp_path / "out")
    assert "bulk_response.csv" in line
    assert ".parquet" in line


def test_real_command_refuses_before_heavy_imports(tmp_path):
    sample = ["--sample", "s", "--input", str(pickle(tmp_path))]
    assert "may run code" in refuse_in_shell("qc", sample, tmp_path / "out")
    assert "'ccle'" in refuse_in_shell("prepare_bulk", ["--bulk", "ccle", "--drug", "x"], tmp_path / "out")


def test_outdir_that_cannot_be_made(tmp_path):
    """A file stands where the folder should be; nobody, root included, can write into it."""
    (tmp_path / "file").touch()
    line = refuse(prepare_bulk, [*as_given(tmp_path), "--drug", "cisplatin"], tmp_path / "file" / "out")
    assert "file" in line
