"""The perturbation table: every format gives the same rows, and bad input ends with one line before training."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from bad_input import refuse
from synthetic_perturbation import SMALL

from pharmacell.cli.kaggle_train import kaggle_train
from pharmacell.core.errors import InputError
from pharmacell.data.molecules import canonical_smiles
from pharmacell.perturbation.formats import KEYS, is_simulated
from pharmacell.perturbation.table import PerturbationTable, read_id_map

FRAME = pd.read_parquet(SMALL / "de_train.parquet")
GENES = [name for name in FRAME if name not in KEYS]


def as_parquet(folder: Path) -> Path:
    FRAME.to_parquet(folder / "t.parquet")
    return folder / "t.parquet"


def as_wide(folder: Path) -> Path:
    FRAME.to_csv(folder / "t.csv", index=False)
    return folder / "t.csv"


def as_long(folder: Path) -> Path:
    FRAME.melt(id_vars=list(KEYS), var_name="gene").to_csv(folder / "t.tsv.gz", sep="\t", index=False)
    return folder / "t.tsv.gz"


def as_h5ad(folder: Path) -> Path:
    obs = FRAME[list(KEYS)].rename(columns={"cell_type": "sm_cell_type"}).assign(split="train")
    obs.index = obs.index.astype(str)
    y = FRAME[GENES].to_numpy()
    layers = {"sign_log10_pval": y, "logFC": -y}
    ad.AnnData(obs=obs, var=pd.DataFrame(index=GENES), layers=layers).write_h5ad(folder / "t.h5ad")
    return folder / "t.h5ad"


@pytest.mark.parametrize("write", [as_parquet, as_wide, as_long, as_h5ad])
def test_formats_agree(write, tmp_path):
    table = PerturbationTable.read(write(tmp_path))
    assert table.genes == GENES
    assert table.y.dtype == np.float32
    np.testing.assert_allclose(table.y, FRAME[GENES].to_numpy(), rtol=1e-5)
    keys = FRAME[list(KEYS[:4])].assign(SMILES=FRAME["SMILES"].map(canonical_smiles))
    pd.testing.assert_frame_equal(table.keys, keys.astype(table.keys.dtypes))
    assert (table.control == FRAME["control"]).all()


def test_layers_of_an_h5ad(tmp_path):
    path = as_h5ad(tmp_path)
    np.testing.assert_allclose(PerturbationTable.read(path, "logFC").y, -FRAME[GENES].to_numpy(), rtol=1e-5)
    assert set(PerturbationTable.read(path).split) == {"train"}
    with pytest.raises(InputError, match=r"no layer P\.Value; it has logFC, sign_log10_pval"):
        PerturbationTable.read(path, "P.Value")


def test_what_is_simulated_says_so(tmp_path):
    assert is_simulated(SMALL / "de_train.parquet")
    assert json.loads((SMALL / "simulation.json").read_text())["simulated"]
    assert not is_simulated(as_parquet(tmp_path))
    assert not is_simulated(as_wide(tmp_path))


def changed(**columns) -> pd.DataFrame:
    """Return the table with other values in the first row."""
    frame = FRAME.copy()
    for name, value in columns.items():
        if frame[name].dtype == bool:
            frame[name] = frame[name].astype(object)
        frame.loc[0, name] = value
    return frame


BAD = {
    "missing": (FRAME.drop(columns="sm_name"), ("sm_name is missing",)),
    "renamed": (FRAME.rename(columns={"SMILES": "smiles"}), ("SMILES is missing",)),
    "no rows": (FRAME.head(0), ("no rows",)),
    "no genes": (FRAME[list(KEYS)], ("no gene columns",)),
    "twice": (pd.concat([FRAME, FRAME.head(1)]), (FRAME["sm_name"][0], "2 times")),
    "nan": (changed(**{GENES[3]: np.nan}), (GENES[3], FRAME["sm_name"][0])),
    "infinite": (changed(**{GENES[4]: np.inf}), (GENES[4], "infinite")),
    "text": (FRAME.assign(**{GENES[2]: "high"}), (GENES[2],)),
    "no SMILES": (
        FRAME.assign(SMILES=FRAME["SMILES"].where(FRAME["sm_name"] != FRAME["sm_name"][0])),
        (f"{FRAME['sm_name'][0]} (none)", "--drop_unparsable"),
    ),
    "two doses": (
        pd.concat([FRAME.assign(dose=1.0), FRAME.head(1).assign(dose=10.0)]),
        ("2 times", "one dose and time"),
    ),
    "names of no genes": (FRAME.rename(columns={g: f"feature_{g}" for g in GENES}), ("only 0 of the 80", "--genes")),
    "SMILES": (
        FRAME.assign(SMILES=FRAME["SMILES"].where(FRAME["sm_name"] != FRAME["sm_name"][0], "C1CC(")),
        (FRAME["sm_name"][0], "C1CC(", "--drop_unparsable"),
    ),
    "two SMILES": (changed(SMILES="CCO"), ("2 different SMILES",)),
    "empty key": (changed(cell_type=None), ("cell_type is empty in data row 1",)),
    "control": (changed(control="perhaps"), ("control", "perhaps")),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_tables(name, tmp_path):
    frame, words = BAD[name]
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    refuse(kaggle_train, ["--de_train", str(path)], tmp_path / "out", str(path), *words)


L1000 = SMALL.parent / "l1000" / "a375_24h_signlogp.csv.gz"


def test_real_plate_with_missing_structures_and_a_column_of_counts(capsys):
    with pytest.raises(InputError, match=r"BRD-A18328003 \(none\).* and 3 more; .*--drop_unparsable .* 8 of 59 rows"):
        PerturbationTable.read(L1000)
    capsys.readouterr()
    table = PerturbationTable.read(L1000, drop_unparsable=True)
    assert (len(table), len(table.genes)) == (51, 978)
    assert "n_wells" not in table.genes
    left, dropped = capsys.readouterr().err.splitlines()
    assert "left out: n_wells" in left
    assert "left out 8 of 59 rows" in dropped


def in_obs(folder: Path, frame: pd.DataFrame) -> Path:
    """Write an h5ad whose obs holds all that is no gene."""
    obs = frame.drop(columns=GENES)
    obs.index = obs.index.astype(str)
    layers = {"sign_log10_pval": frame[GENES].to_numpy()}
    ad.AnnData(obs=obs, var=pd.DataFrame(index=GENES), layers=layers).write_h5ad(folder / "t.h5ad")
    return folder / "t.h5ad"


def in_parquet(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(folder / "t.parquet")
    return folder / "t.parquet"


def in_csv(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(folder / "t.csv")
    return folder / "t.csv"


@pytest.mark.parametrize("write", [in_obs, in_parquet, in_csv])
def test_columns_that_describe_a_row_are_no_genes(write, tmp_path, capsys):
    more = {"id": range(len(FRAME)), "dose_uM": 1.5, "timepoint_hr": 24, "n_cells": 100, "plate": "P1", "is_de": True}
    table = PerturbationTable.read(write(tmp_path, FRAME.assign(**more)))
    assert table.genes == GENES
    np.testing.assert_allclose(table.y, FRAME[GENES].to_numpy(), rtol=1e-5)
    said = capsys.readouterr().err
    if write is not in_obs:
        assert "left out: id, dose_uM, timepoint_hr, n_cells, plate and 1 more" in said


def test_ensembl_and_mouse_names_are_genes(tmp_path):
    names = [f"ENSG{number:011d}" for number in range(40)] + [f"ENSMUSG{number:011d}.2" for number in range(38)]
    names += ["Trp53", "mt-Co1"]
    renamed = FRAME.rename(columns=dict(zip(GENES, names, strict=True)))
    assert PerturbationTable.read(in_csv(tmp_path, renamed.assign(time=24))).genes == names


def test_genes_that_the_user_names(tmp_path, capsys):
    renamed = FRAME.rename(columns={GENES[0]: "odd_name", GENES[1]: "time"})
    (tmp_path / "genes.csv").write_text("gene,chromosome\ntime,1\nodd_name,2\nABSENT,3\n")
    table = PerturbationTable.read(in_parquet(tmp_path, renamed), genes=tmp_path / "genes.csv")
    assert table.genes == ["odd_name", "time"]
    np.testing.assert_allclose(table.y, FRAME[GENES[:2]].to_numpy(), rtol=1e-5)
    assert "1 genes of --genes are no columns, such as ABSENT" in capsys.readouterr().err
    assert PerturbationTable.read(in_obs(tmp_path, FRAME), genes=by_line(tmp_path, GENES[5:7])).genes == GENES[5:7]
    for text, words in (("ABSENT\n", "none of the 1 genes of --genes is a column"), ("\n", "names no gene")):
        (tmp_path / "genes.txt").write_text(text)
        arguments = ["--de_train", tmp_path / "t.parquet", "--genes", tmp_path / "genes.txt"]
        refuse(kaggle_train, list(map(str, arguments)), tmp_path / "out", words)


def by_line(folder: Path, names: list[str]) -> Path:
    (folder / "some.txt").write_text("\n".join(names))
    return folder / "some.txt"


def test_unparsable_rows_are_dropped_when_told(tmp_path):
    frame, _ = BAD["SMILES"]
    frame.to_parquet(tmp_path / "t.parquet")
    table = PerturbationTable.read(tmp_path / "t.parquet", drop_unparsable=True)
    assert len(table) == (FRAME["sm_name"] != FRAME["sm_name"][0]).sum()
    assert FRAME["sm_name"][0] not in table.sm_name
    none = FRAME.assign(SMILES="C1CC(").groupby("cell_type").head(1).drop_duplicates("sm_name")
    none.to_parquet(tmp_path / "none.parquet")
    with pytest.raises(InputError, match="nothing is left"):
        PerturbationTable.read(tmp_path / "none.parquet", drop_unparsable=True)


def id_map(folder: Path, **values) -> list[str]:
    """Write an id map with another first row."""
    frame = pd.read_csv(SMALL / "id_map.csv")
    for name, value in values.items():
        frame.loc[0, name] = value
    frame.to_csv(folder / "id_map.csv", index=False)
    return ["--id_map", str(folder / "id_map.csv")]


def sample(folder: Path, change) -> list[str]:
    """Write a changed sample submission."""
    change(pd.read_csv(SMALL / "sample_submission.csv")).to_csv(folder / "sample.csv", index=False)
    return [*id_map(folder), "--sample_submission", str(folder / "sample.csv")]


REFUSED = {
    "unknown compound": (lambda folder: id_map(folder, sm_name="Elixir"), ("Elixir", "not in the training table")),
    "unknown cell type": (lambda folder: id_map(folder, cell_type="Mast cells"), ("Mast cells",)),
    "id twice": (lambda folder: id_map(folder, id=1), ("id 1 stands there twice",)),
    "genes missing": (lambda folder: sample(folder, lambda f: f.drop(columns=GENES[5])), ("1 missing", GENES[5])),
    "more genes": (lambda folder: sample(folder, lambda f: f.assign(XYZ=0)), ("1 more", "XYZ")),
    "other order": (lambda folder: sample(folder, lambda f: f[["id", GENES[1], GENES[0], *GENES[2:]]]), ("order",)),
    "other ids": (lambda folder: sample(folder, lambda f: f.iloc[::-1]), ("ids",)),
    "sample alone": (lambda folder: sample(folder, lambda f: f)[2:], ("--id_map",)),
    "unknown model": (lambda folder: ["--model", "oracle"], ("oracle", "gru3_attn")),
    "unknown protocol": (lambda folder: ["--protocol", "guess"], ("guess", "leave_compound_out")),
    "nothing to do": (lambda folder: ["--no_final"], ("--no_final",)),
    "layers": (lambda folder: ["--n_layers", "2"], ("--n_layers",)),
    "vectors for nothing": (
        lambda folder: ["--compound_embedding", str(SMALL / "de_train.parquet"), "--encoding", "smiles"],
        ("--compound_embedding: only the encodings",),
    ),
    "no vectors": (lambda folder: ["--encoding", "embedding"], ("--compound_embedding",)),
    "layer of a parquet": (lambda folder: ["--layer", "logFC"], ("only an h5ad has layers",)),
    "no split": (lambda folder: ["--protocol", "predefined"], ("split",)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_training(name, tmp_path, monkeypatch):
    from pharmacell.perturbation.models.stacked_network import StackedNetwork

    def never(*_):
        raise AssertionError("training began")

    monkeypatch.setattr(StackedNetwork, "fit", never)
    make, words = REFUSED[name]
    refuse(kaggle_train, ["--de_train", str(SMALL / "de_train.parquet"), *make(tmp_path)], tmp_path / "out", *words)


def test_id_map_brings_the_structures(tmp_path):
    table = PerturbationTable.read(SMALL / "de_train.parquet")
    found = read_id_map(SMALL / "id_map.csv", table)
    assert list(found["id"]) == [str(number) for number in range(len(found))]
    known = table.keys.drop_duplicates("sm_name").set_index("sm_name")["SMILES"]
    assert (found["SMILES"].to_numpy() == known[found["sm_name"]].to_numpy()).all()
