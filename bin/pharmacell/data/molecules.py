"""Molecules as rdkit reads them: one spelling for one molecule, and nothing else taken for one."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdkit.Chem import Mol


def parse_molecule(smiles: str) -> "Mol | None":
    """Parse a SMILES without a word to standard error.

    Parameters
    ----------
    smiles
        Blanks around it are ignored. Salts and mixtures, whose parts a dot separates, are one molecule.

    Returns
    -------
    rdkit.Chem.Mol
        None where rdkit cannot parse it, it is empty, or text follows it (rdkit takes such text for a name).
    """
    from rdkit import Chem, rdBase

    text = str(smiles).strip()
    if not text or len(text.split()) > 1:
        return None
    rdBase.DisableLog("rdApp.*")  # it writes several lines for each failure; the caller says it in one
    molecule = Chem.MolFromSmiles(text)
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


@lru_cache(maxsize=100_000)
def canonical_smiles(smiles: str) -> str | None:
    """Return the SMILES that rdkit writes for a molecule, however it was spelled; None where it is none.

    Parameters
    ----------
    smiles
        See :func:`parse_molecule`.
    """
    from rdkit import Chem

    molecule = parse_molecule(smiles)
    return None if molecule is None else Chem.MolToSmiles(molecule)


def unparsable(smiles: Iterable[str]) -> list[str]:
    """Return the distinct texts that are no molecule.

    Parameters
    ----------
    smiles
        Any number of them.
    """
    return [one for one in dict.fromkeys(str(value) for value in smiles) if canonical_smiles(one) is None]
