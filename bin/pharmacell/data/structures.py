"""Structures of drugs as SMILES, by any of a drug's names."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pharmacell.data.drugs import find_drugs

TABLE = Path(__file__).parent / "drug_smiles.csv"  # where it comes from stands in DRUG_TABLE.md


def smiles_of(drugs: Sequence[str]) -> pd.Series:
    """Return the SMILES of each drug, empty where none is known or a name may stand for several structures.

    Parameters
    ----------
    drugs
        Names or synonyms.
    """
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False).set_index("name")["smiles"]
    known = table.index.tolist()
    found = {}
    for drug in drugs:
        names = [drug] if drug in table.index else find_drugs(drug, known)
        structures = set(table[names])
        found[drug] = structures.pop() if len(structures) == 1 else ""
    return pd.Series(found, dtype=str).reindex(list(drugs))
