"""Structures of drugs."""

from rdkit import Chem

from pharmacell.data.molecules import unparsable
from pharmacell.data.structures import TABLE, smiles_of


def test_a_drug_is_found_by_its_name_its_synonym_and_its_salt():
    found = smiles_of(["erlotinib", "Tarceva", "Erlotinib hydrochloride", "no such drug"])
    assert Chem.MolFromSmiles(found["erlotinib"]).HasSubstructMatch(Chem.MolFromSmarts("c1ncnc2ccccc12"))
    assert found["Tarceva"] == found["Erlotinib hydrochloride"] == found["erlotinib"]
    assert found["no such drug"] == ""


def test_every_structure_of_the_table_is_a_molecule():
    smiles = [line.rsplit(",", 1)[1] for line in TABLE.read_text().splitlines()[1:]]
    assert len(smiles) == 429
    assert not unparsable(smiles)
