"""Perturbation tables as other people write them: read as they are meant, or refused with what to give instead."""

import gzip
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bad_input import refuse
from click.testing import CliRunner
from synthetic_perturbation import DATA, SMALL

from pharmacell.cli.kaggle_summary import kaggle_summary
from pharmacell.cli.kaggle_train import kaggle_train
from pharmacell.cli.predict_perturbation import predict_perturbation
from pharmacell.cli.simulate_perturbation import simulate_perturbation
from pharmacell.perturbation.comparison import Comparison
from pharmacell.perturbation.encodings.embedding import read_vectors
from pharmacell.perturbation.formats import KEYS, is_simulated

FRAME = pd.read_parquet(SMALL / "de_train.parquet")
GENES = [name for name in FRAME if name not in KEYS]
ID_MAP = pd.read_csv(SMALL / "id_map.csv")
SAMPLE = pd.read_csv(SMALL / "sample_submission.csv")
COMPOUND = FRAME["sm_name"][0]
LONG = FRAME.melt(id_vars=list(KEYS), var_name="gene")


def run(command, *arguments) -> str:
    """Run a command, and return what it said."""
    result = CliRunner().invoke(command, [*map(str, arguments), "--threads", "1"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.stderr
    return result.stderr


def text(folder: Path, frame: pd.DataFrame = FRAME, name: str = "t.csv", **options) -> Path:
    frame.to_csv(folder / name, **{"index": False} | options)
    return folder / name


def parquet(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(folder / "t.parquet")
    return folder / "t.parquet"


def h5ad(folder: Path, obs: pd.DataFrame = FRAME[list(KEYS)], genes: list[str] = GENES, **content) -> Path:
    obs = obs.set_axis([f"row {number}" for number in range(len(obs))])
    content = content or {"layers": {"sign_log10_pval": FRAME[GENES].to_numpy()}}
    ad.AnnData(obs=obs, var=pd.DataFrame(index=genes), **content).write_h5ad(folder / "t.h5ad")
    return folder / "t.h5ad"


def written_by_r(folder: Path) -> Path:
    """Write as write.csv does: names of rows without a name of their column, TRUE and FALSE, a mark at the start."""
    path = text(folder, FRAME.replace({"control": {True: "TRUE", False: "FALSE"}}), index=True)
    path.write_text("\ufeff" + path.read_text()[1:])
    return path


def records(folder: Path) -> Path:
    """Write an h5ad as anndata did before 0.7: annotation as records, categories as numbers whose words are in uns."""
    keys = FRAME[list(KEYS)]
    words = np.unique(keys["cell_type"])
    obs = np.zeros(len(FRAME), [("index", "S9"), ("cell_type", "i1")] + [(name, "S300") for name in KEYS[1:]])
    obs["index"] = [str(number).encode() for number in range(len(FRAME))]
    obs["cell_type"] = np.searchsorted(words, keys["cell_type"])
    for name in KEYS[1:]:
        obs[name] = [str(value).encode() for value in keys[name]]
    var = np.array([(name.encode(),) for name in GENES], [("index", "S30")])
    with h5py.File(folder / "t.h5ad", "w") as file:
        file["obs"], file["var"] = obs, var
        file["uns/cell_type_categories"] = words.astype("S30")
        file["layers/sign_log10_pval"] = FRAME[GENES].to_numpy()
    return folder / "t.h5ad"


def joined(folder: Path) -> Path:
    """Write the h5ad of Open Problems, where sm_cell_type is the compound and the cell type."""
    both = FRAME["sm_name"] + "_" + FRAME["cell_type"]
    return h5ad(folder, FRAME[list(KEYS)].assign(sm_cell_type=both).drop(columns="cell_type"))


READ = {
    "semicolons and decimal commas": lambda folder: text(folder, sep=";", decimal=","),
    "tabs in UTF-16": lambda folder: text(folder, sep="\t", encoding="utf-16", name="t.txt"),
    "Latin-1": lambda folder: text(folder, FRAME.replace(COMPOUND, "β-café"[1:]), encoding="latin-1"),
    "R": written_by_r,
    "blanks around headers": lambda folder: text(folder, FRAME.rename(columns=lambda name: f" {name} ")),
    "row names and keys behind the genes": lambda folder: text(folder, FRAME[[*GENES, *KEYS]], index=True),
    "keys behind the genes": lambda folder: text(folder, FRAME[[*GENES, *KEYS]]),
    "no ids and no controls": lambda folder: text(folder, FRAME.drop(columns=["sm_lincs_id", "control"])),
    "some ids": lambda folder: text(folder, FRAME.assign(sm_lincs_id=["", *FRAME["sm_lincs_id"][1:]])),
    "yes and no": lambda folder: text(folder, FRAME.replace({"control": {True: "Yes", False: "No"}})),
    "long, semicolons": lambda folder: text(folder, LONG, sep=";", decimal=","),
    "long parquet": lambda folder: parquet(folder, LONG.astype(dict.fromkeys(KEYS[:4], "category"))),
    "long, with other statistics": lambda folder: text(folder, LONG.assign(logFC=1.0, pvalue=0.5, padj=np.nan)),
    "numbers that describe": lambda folder: text(folder, FRAME.assign(MW=300.0, XLOGP=2.1, AGE=40, IC50=0.5, UMAP1=1)),
    "strings that may be missing": lambda folder: h5ad(folder, FRAME[list(KEYS)].astype({"cell_type": "string"})),
    "keys as an index": lambda folder: parquet(folder, FRAME.set_index(list(KEYS))),
    "two keys as an index": lambda folder: parquet(folder, FRAME.set_index(["cell_type", "sm_name"])),
    "old h5ad": records,
    "compound and cell type in one": joined,
}


@pytest.mark.filterwarnings("ignore::anndata.OldFormatWarning")
@pytest.mark.parametrize("kind", READ)
def test_read_as_it_is_meant(kind, tmp_path):
    keys = ID_MAP.assign(
        sm_name=ID_MAP["sm_name"].replace(COMPOUND, "-café") if kind == "Latin-1" else ID_MAP["sm_name"]
    )
    models = ("--model", "mean_per_cell_type", "--model", "mean_per_compound")
    run(
        kaggle_train,
        "--de_train",
        READ[kind](tmp_path),
        "--id_map",
        text(tmp_path, keys, "ids.csv"),
        *models,
        "--outdir",
        tmp_path,
    )
    for model, key in (("mean_per_cell_type", "cell_type"), ("mean_per_compound", "sm_name")):
        found = pd.read_parquet(tmp_path / f"{model}.test.parquet")
        assert list(found.columns) == ["id", "cell_type", "sm_name", *GENES]
        expected = FRAME.groupby(key)[GENES].mean().loc[ID_MAP[key]]
        np.testing.assert_allclose(found[GENES], expected, rtol=1e-3, atol=1e-4)


IDS = {
    "semicolons": ({"sep": ";"}, {}),
    "tabs": ({"sep": "\t", "name": "ids.tsv"}, {}),
    "a mark at the start": ({"encoding": "utf-8-sig"}, {}),
    "row names": ({"index": True}, {}),
    "an empty last column": ({}, {"note": np.nan}),
    "other columns": ({}, {"note": "x, y; z", "SMILES": "C"}),
}


@pytest.mark.parametrize("kind", IDS)
def test_id_maps_and_samples_of_other_programs(kind, tmp_path):
    options, more = IDS[kind]
    options = {"name": "ids.csv"} | options
    ids = text(tmp_path, ID_MAP.assign(id=[f"0{number}" for number in ID_MAP["id"]], **more), **options)
    sample = text(tmp_path, SAMPLE.assign(id=[f"0{number}" for number in SAMPLE["id"]]), **options | {"name": "s.csv"})
    asked = ("--id_map", ids, "--sample_submission", sample, "--model", "gene_mean")
    run(kaggle_train, "--de_train", SMALL / "de_train.parquet", *asked, "--outdir", tmp_path)
    found = pd.read_csv(tmp_path / "gene_mean.submission.csv", dtype={"id": str})
    assert list(found.columns) == list(SAMPLE.columns)
    assert list(found["id"]) == [f"0{number}" for number in SAMPLE["id"]]


def test_open_problems_h5ad(tmp_path):
    """All its layers, no X, categories, an index that is called as a key, and its split."""
    y = FRAME[GENES].to_numpy(np.float64)
    names = ("logFC", "AveExpr", "t", "P.Value", "adj.P.Value", "B", "is_de", "sign_log10_pval")
    parts = np.resize(["train", "control", "public_test", "private_test"], len(FRAME))
    obs = (
        FRAME[list(KEYS)].assign(split=parts, dose_uM=1.0, timepoint_hr=24).astype(dict.fromkeys(KEYS[:4], "category"))
    )
    path = h5ad(tmp_path, obs, layers={name: y / (3 if name == "logFC" else 1) for name in names})
    asked = ("--protocol", "predefined", "--second_layer", "logFC", "--model", "zeros", "--no_final")
    run(kaggle_train, "--de_train", path, *asked, "--outdir", tmp_path)
    for folder, size in (("", 1), ("second_layer", 3)):
        scores = pd.read_parquet(tmp_path / folder / "row_scores.parquet")
        assert list(scores["row"]) == list(np.flatnonzero(parts == "private_test"))
        np.testing.assert_allclose(scores["mae"], np.abs(y[scores["row"]] / size).mean(axis=1), rtol=1e-5)


def test_values_in_x(tmp_path):
    path = h5ad(tmp_path, X=FRAME[GENES].to_numpy())
    arguments = ["--de_train", str(path), "--model", "gene_mean", "--id_map", str(SMALL / "id_map.csv")]
    refuse(kaggle_train, arguments, tmp_path / "no", "no layer sign_log10_pval; it has X (--layer)")
    run(kaggle_train, *arguments, "--layer", "X", "--outdir", tmp_path)
    found = pd.read_parquet(tmp_path / "gene_mean.test.parquet")[GENES]
    np.testing.assert_allclose(found.iloc[0], FRAME[GENES].mean(), rtol=1e-4, atol=1e-5)


def test_dates_of_a_spreadsheet_are_genes(tmp_path):
    names = dict(zip(GENES, ("1-Mar", "Sep-02", "2.31E+13"), strict=False))
    asked = ("--model", "gene_mean", "--id_map", SMALL / "id_map.csv")
    table, sample = text(tmp_path, FRAME.rename(columns=names)), text(tmp_path, SAMPLE.rename(columns=names), "s.csv")
    run(kaggle_train, "--de_train", table, *asked, "--sample_submission", sample, "--outdir", tmp_path)
    assert (tmp_path / "gene_mean.submission.csv").read_text().startswith("id,1-Mar,Sep-02,2.31E+13,")


@pytest.mark.parametrize("written", ["\ufeff{}\r\n{}\r\n", "gene;chromosome\n{};1\n{};2\n", '"gene"\n"{}"\n"{}"'])
def test_lists_of_genes_of_other_programs(written, tmp_path):
    (tmp_path / "genes.csv").write_text(written.format(*GENES[:2]), newline="")
    asked = ("--genes", tmp_path / "genes.csv", "--model", "zeros", "--id_map", SMALL / "id_map.csv")
    run(kaggle_train, "--de_train", SMALL / "de_train.parquet", *asked, "--outdir", tmp_path)
    assert list(pd.read_parquet(tmp_path / "zeros.test.parquet").columns[3:]) == GENES[:2]


def changed(row: int, **values) -> pd.DataFrame:
    """Return the table with other values in one row."""
    frame = FRAME.astype(dict.fromkeys(values, object))
    for name, value in values.items():
        frame.loc[row, name] = value
    return frame


def packed(folder: Path) -> Path:
    (folder / "t.h5ad.gz").write_bytes(gzip.compress(h5ad(folder).read_bytes()))
    return folder / "t.h5ad.gz"


def statistics(folder: Path, *names: str, **options) -> Path:
    return text(folder, LONG.drop(columns="value").assign(**dict.fromkeys(names, 0.5)), **options)


P_VALUES = FRAME.assign(**(10.0 ** -FRAME[GENES].abs()).round(6))
COUNTED = FRAME.rename(columns={name: str(number) for number, name in enumerate(GENES)})
REFUSED = {
    "limma": (
        lambda folder: statistics(folder, "logFC", "AveExpr", "t", "P.Value", "adj.P.Val", "B"),
        "(logFC, AveExpr, P.Value, adj.P.Val); give one number a gene",
    ),
    "DESeq2 without keys": (
        lambda folder: text(folder, pd.DataFrame({"gene": GENES}).assign(baseMean=1, log2FoldChange=1, padj=np.nan)),
        "statistics with a row for each gene (baseMean, log2FoldChange, padj); give one number a gene: a long table",
    ),
    "edgeR": (
        lambda folder: statistics(folder, "logFC", "logCPM", "F", "PValue", "FDR", sep="\t"),
        "one number a gene",
    ),
    "p-values": (
        lambda folder: text(folder, P_VALUES),
        "all values lie between 0 and 1",
        "the sign of the fold change",
    ),
    "numbers for genes": (lambda folder: parquet(folder, COUNTED), "genes have numbers for names (0 to 79); write"),
    "numbers for genes of an h5ad": (lambda folder: h5ad(folder, genes=list(map(str, range(80)))), "var_names"),
    "a gene twice": (
        lambda folder: text(folder, FRAME.rename(columns={GENES[1]: GENES[0]})),
        f"column {GENES[0]} stands there twice",
    ),
    "a p-value of 0": (lambda folder: text(folder, changed(3, **{GENES[2]: np.inf})), "1 values in 1 rows", "cap"),
    "too large": (lambda folder: text(folder, changed(3, **{GENES[2]: -1e20})), f"{GENES[2]} is -1e+20", "correct it"),
    "two spellings of a cell type": (
        lambda folder: text(folder, changed(0, cell_type=FRAME["cell_type"][0].upper())),
        "differ only in capitals or blanks; spell them alike",
    ),
    "two spellings of a compound": (
        lambda folder: text(folder, changed(0, sm_name=COMPOUND.swapcase())),
        f"sm_name '{COMPOUND.swapcase()}' and '{COMPOUND}' differ only in capitals",
    ),
    "a key that differs between genes": (
        lambda folder: text(folder, pd.concat([LONG.assign(SMILES="CCO").head(1), LONG[1:]])),
        "column SMILES differs between genes; give it one value",
    ),
    "a gene without a name": (
        lambda folder: text(folder, LONG.assign(gene=["", *LONG["gene"][1:]])),
        "column gene is empty in data row 1",
    ),
    "a mark at a value": (
        lambda folder: text(folder, changed(2, **{GENES[1]: "2.3*"})),
        f"column {GENES[1]} holds '2.3*' in data row 3",
    ),
    "text for numbers": (
        lambda folder: parquet(folder, FRAME.astype({GENES[1]: str})),
        f"column {GENES[1]} holds strings, and a gene's values have to be numbers",
    ),
    "keys in small letters": (
        lambda folder: text(folder, FRAME.rename(columns={"SMILES": "smiles"})),
        "column SMILES is missing; cell_type, sm_name, SMILES have to be there (rename smiles to SMILES)",
    ),
    "a control that is neither": (lambda folder: text(folder, FRAME.assign(control="")), "leave the column out"),
    "packed h5ad": (packed, "a packed h5ad; unpack it"),
    "a split with gaps": (
        lambda folder: parquet(folder, FRAME.assign(split=["train"] * 50 + [None] + ["test"] * 45)),
        "the column 'split' is empty in 1 rows",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_with_what_to_give_instead(kind, tmp_path):
    write, *words = REFUSED[kind]
    asked = ["--de_train", str(write(tmp_path)), "--model", "zeros", "--protocol", "predefined"]
    refuse(kaggle_train, asked, tmp_path / "out", *words)


def test_what_may_be_wrong_is_said(tmp_path):
    other = next(name for name in FRAME["sm_name"] if name != COMPOUND)
    smiles = FRAME["SMILES"].where(FRAME["sm_name"] != other, FRAME["SMILES"][0])
    table = FRAME.assign(SMILES=smiles, **FRAME[GENES].abs()).rename(columns={GENES[1]: f"{GENES[0]}.1"})
    asked = ("--model", "zeros", "--id_map", SMALL / "id_map.csv", "--outdir", tmp_path)
    said = run(kaggle_train, "--de_train", parquet(tmp_path, table), *asked)
    assert "no value is negative; is the sign of the fold change missing?" in said
    assert f"1 genes, such as {GENES[0]}.1, repeat the name of another" in said
    assert "2 compounds share a structure with another one" in said
    assert not run(kaggle_train, "--de_train", SMALL / "de_train.parquet", *asked)


def test_names_and_cell_types_of_any_kind(tmp_path):
    odd = ("a/b\\c", '5"-(β),α;x', "x" * 200, "it's", "#1")
    names = dict(zip(FRAME["sm_name"].unique(), odd, strict=False))
    cells = dict(zip(FRAME["cell_type"].unique(), ("CD4+", "B/plasma cells", "T, (α) cells"), strict=False))
    table, ids = (frame.replace({"sm_name": names, "cell_type": cells}) for frame in (FRAME, ID_MAP))
    asked = ("--id_map", text(tmp_path, ids, "ids.csv"), "--protocol", "leave_cell_type_out", "--model", "additive")
    run(kaggle_train, "--de_train", text(tmp_path, table), *asked, "--outdir", tmp_path)
    scores = pd.read_parquet(tmp_path / "row_scores.parquet").sort_values("row")
    assert list(scores["sm_name"]) == list(table["sm_name"])
    assert list(scores["cell_type"]) == list(table["cell_type"])
    found = pd.read_parquet(tmp_path / "additive.test.parquet")
    assert list(found["sm_name"]) == list(ids["sm_name"])


def test_compounds_as_an_index_and_row_names_are_no_features(tmp_path):
    vectors = pd.DataFrame({"sm_name": FRAME["sm_name"].unique(), "v": 1.0, "w": 2.0})
    for path in (
        parquet(tmp_path, vectors.set_index("sm_name")),
        parquet(tmp_path, vectors[::-1]),
        text(tmp_path, vectors, index=True),
    ):
        column, names, values = read_vectors(path)
        assert column == "sm_name"
        assert set(names) == set(vectors["sm_name"])
        assert values.shape == (len(vectors), 2)
        assert np.unique(values).tolist() == [1, 2]


def test_pairs_and_moments_of_other_programs(tmp_path):
    network = ("--model", "lstm", "--encoding", "fingerprint", "--seeds", 1, "--epochs", 1, "--patience", 0)
    run(kaggle_train, "--de_train", SMALL / "de_train.parquet", *network, "--outdir", tmp_path, "--device", "cpu")
    pairs = pd.DataFrame({"note": ["x", "y"], "SMILES": ["CCO", " CCN"], "cell_type": ["NK cells ", "NK cells"]})
    asked = ("--model", tmp_path / "lstm.safetensors", "--pairs", text(tmp_path, pairs, sep=";", encoding="utf-8-sig"))
    run(predict_perturbation, *asked, "--outdir", tmp_path / "out")
    assert len(pd.read_csv(tmp_path / "out/perturbation.csv")) == 2 * len(GENES)
    source = {
        name: pd.read_csv(DATA / f"{name}.csv") for name in ("train_keys", "id_map", "cell_type_mean", "cell_type_std")
    }
    for name, options in (("plain", {}), ("other", {"sep": ";", "decimal": ",", "encoding": "utf-8-sig"})):
        options_of = {
            "train_keys": "--train_keys",
            "id_map": "--id_map",
            "cell_type_mean": "--mean",
            "cell_type_std": "--std",
        }
        files = [
            part for one in source for part in (options_of[one], text(tmp_path, source[one], f"{one}.csv", **options))
        ]
        run(simulate_perturbation, *files, "--n_genes", 10, "--outdir", tmp_path / name)
    plain, other = (pd.read_parquet(tmp_path / name / "de_train.parquet") for name in ("plain", "other"))
    pd.testing.assert_frame_equal(plain, other)


def test_keys_of_a_simulation_are_those_of_a_table(tmp_path):
    def source(keys: pd.DataFrame) -> list[str]:
        of_table = ("id_map.csv", "cell_type_mean.csv", "cell_type_std.csv")
        files = (text(tmp_path, keys, "keys.csv"), *(DATA / name for name in of_table))
        return [
            str(part)
            for pair in zip(("--train_keys", "--id_map", "--mean", "--std"), files, strict=True)
            for part in pair
        ]

    keys = pd.read_csv(DATA / "train_keys.csv")
    run(simulate_perturbation, *source(keys[["SMILES", "sm_name", "cell_type"]]), "--outdir", tmp_path / "few")
    found = pd.read_parquet(tmp_path / "few/de_train.parquet")
    assert list(found["sm_lincs_id"]) == list(keys["sm_name"])
    assert not found["control"].any()
    refuse(simulate_perturbation, source(pd.concat([keys, keys.head(1)])), tmp_path / "no", "keys.csv", "2 times")


BROKEN = {
    "cut.h5ad": lambda folder: h5ad(folder).read_bytes()[:20_000],
    "packed.h5ad.gz": lambda folder: packed(folder).read_bytes(),
    "cut.parquet": lambda folder: parquet(folder, FRAME).read_bytes()[:-100],
}


@pytest.mark.parametrize("name", BROKEN)
def test_summary_of_a_table_that_no_training_could_read(name, tmp_path):
    (tmp_path / name).write_bytes(BROKEN[name](tmp_path))
    (tmp_path / "none").mkdir()
    arguments = ["--de_train", str(tmp_path / name), "--row_scores", str(tmp_path / "none")]
    refuse(kaggle_summary, arguments, tmp_path / "out", f"{name}: ", "write it again" if "cut" in name else "unpack it")


@pytest.mark.parametrize("words", ["1.0", "not json"])
def test_metadata_of_another_program_say_nothing(words, tmp_path):
    table = pa.Table.from_pandas(FRAME, preserve_index=False).replace_schema_metadata({"pharmacell": words})
    pq.write_table(table, tmp_path / "t.parquet")
    assert not is_simulated(tmp_path / "t.parquet")


def test_models_that_would_write_nothing(tmp_path):
    arguments = ["--de_train", str(SMALL / "de_train.parquet"), "--model", "zeros"]
    refuse(kaggle_train, arguments, tmp_path / "out", "nothing to write; add --protocol or --id_map")


@pytest.mark.parametrize(
    ("layer", "unit"),
    [
        (None, "signed −log10 p"),
        ("clipped_sign_log10_pval", "signed −log10 p"),
        ("lfc", "log2 fold change"),
        ("t", "value of t"),
    ],
)
def test_figures_say_what_the_layer_holds(layer, unit):
    empty = pd.DataFrame()
    assert Comparison(empty, empty, empty, empty, empty, {}, False, {}, layer).unit == unit
