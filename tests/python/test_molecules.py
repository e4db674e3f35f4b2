"""One molecule is one molecule, however its SMILES is spelled, in training and in prediction."""

from pathlib import Path

import pandas as pd
import pytest
from bad_input import refuse
from click.testing import CliRunner
from rdkit import Chem
from synthetic_perturbation import SMALL

from pharmacell.benchmark.dataset import read_smiles
from pharmacell.cli.kaggle_train import kaggle_train
from pharmacell.cli.predict_perturbation import predict_perturbation
from pharmacell.core.errors import InputError
from pharmacell.data.molecules import canonical_smiles

FRAME = pd.read_parquet(SMALL / "de_train.parquet")
CELL_TYPE = FRAME["cell_type"].iloc[0]
ASPIRIN = ("CC(=O)Oc1ccccc1C(=O)O", "O=C(C)OC1=CC=CC=C1C(O)=O", "OC(=O)c1ccccc1OC(C)=O")
NO_MOLECULE = ("", "CCO ethanol", "CCO |$;;$|", ".", "C1CC(")


def respelled(smiles: str) -> str:
    """Write a molecule from its last atom on, with localised double bonds."""
    molecule = Chem.MolFromSmiles(smiles)
    Chem.Kekulize(molecule, clearAromaticFlags=True)
    return Chem.MolToSmiles(molecule, rootedAtAtom=molecule.GetNumAtoms() - 1, canonical=False, kekuleSmiles=True)


def train(folder: Path, table: pd.DataFrame) -> Path:
    folder.mkdir()
    table.to_parquet(folder / "table.parquet")
    files = ["--de_train", folder / "table.parquet", "--id_map", SMALL / "id_map.csv"]
    options = ["--model", "lstm", "--encoding", "smiles", "--protocol", "leave_compound_out", "--seeds", 1]
    arguments = [*files, *options, "--epochs", 1, "--outdir", folder, "--threads", 1, "--device", "cpu"]
    result = CliRunner().invoke(kaggle_train, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """The table as it is, and with every molecule in another spelling."""
    folder = tmp_path_factory.mktemp("molecules")
    train(folder / "given", FRAME)
    other = FRAME.assign(SMILES=FRAME["SMILES"].map(respelled))
    assert (other["SMILES"] != FRAME["SMILES"]).all()
    train(folder / "respelled", other)
    return folder


def test_training_does_not_depend_on_the_spelling(trained):
    first, second = (pd.read_parquet(trained / name / "lstm.test.parquet") for name in ("given", "respelled"))
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_three_spellings_of_a_new_molecule_give_one_prediction(trained, tmp_path):
    options = [option for smiles in ASPIRIN for option in ("--smiles", smiles)]
    arguments = ["--model", trained / "given" / "lstm.safetensors", *options, "--cell_type", CELL_TYPE]
    arguments += ["--outdir", tmp_path, "--threads", 1]
    result = CliRunner().invoke(predict_perturbation, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr
    found = pd.read_csv(tmp_path / "perturbation.csv").pivot(index="gene", columns="SMILES", values="prediction")
    assert set(found.columns) == set(ASPIRIN)
    assert (found.nunique(axis=1) == 1).all()


@pytest.mark.parametrize("smiles", NO_MOLECULE)
def test_what_is_no_molecule_is_refused(smiles, trained, tmp_path):
    arguments = ["--model", str(trained / "given" / "lstm.safetensors"), "--cell_type", CELL_TYPE]
    refuse(predict_perturbation, [*arguments, "--smiles", smiles], tmp_path / "a", f"'{smiles}'", "not the SMILES")
    FRAME.assign(SMILES=FRAME["SMILES"].where(FRAME["sm_name"] != FRAME["sm_name"][0], smiles)).to_parquet(
        tmp_path / "table.parquet"
    )
    refuse(kaggle_train, ["--de_train", str(tmp_path / "table.parquet")], tmp_path / "b", "SMILES")


def test_salts_and_mixtures_are_kept_in_one_order():
    assert canonical_smiles("[Na+].[Cl-]") == canonical_smiles("[Cl-].[Na+]") == "[Cl-].[Na+]"
    assert canonical_smiles("CN.Cl") != canonical_smiles("CN")
    assert canonical_smiles("C[C@H](N)O") != canonical_smiles("C[C@@H](N)O")


def smiles_table(folder: Path, *rows: tuple[str, str]) -> Path:
    pd.DataFrame(rows, columns=["drug", "smiles"]).to_csv(folder / "smiles.csv", index=False)
    return folder / "smiles.csv"


def test_structure_of_a_benchmarks_drug(tmp_path):
    path = smiles_table(tmp_path, ("Erlotinib", ASPIRIN[1]), ("erlotinib", ASPIRIN[2]), ("1005", "CCO"))
    assert read_smiles(path, "Tarceva") == ASPIRIN[0]
    assert read_smiles(path, "1005") == "CCO"
    assert read_smiles(path, "Docetaxel") is None


@pytest.mark.parametrize("smiles", NO_MOLECULE)
def test_structure_that_is_none(smiles, tmp_path):
    with pytest.raises(InputError, match="not the SMILES of a molecule"):
        read_smiles(smiles_table(tmp_path, ("Erlotinib", smiles)), "erlotinib")


def test_several_structures_of_a_drug(tmp_path):
    with pytest.raises(InputError, match="2 different structures"):
        read_smiles(smiles_table(tmp_path, ("Erlotinib", "CCO"), ("erlotinib", "CCN")), "erlotinib")
