"""Which rows belong together because they share a compound or a Murcko scaffold."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.data.molecules import parse_molecule

if TYPE_CHECKING:
    from rdkit.Chem import Mol


def compound_groups(names: Sequence[str] | np.ndarray, smiles: Sequence[str] | np.ndarray) -> np.ndarray:
    """Give each row the number of its compound.

    Rows belong together when they share a name or a structure (canonical SMILES), also by way of other rows: one drug
    under two names, or two salts under one name, is one compound.

    Parameters
    ----------
    names, smiles
        Of each row.

    Returns
    -------
    numpy.ndarray
        int64 [n_rows].

    Raises
    ------
    InputError
        If a SMILES cannot be parsed.
    """
    return linked([names, [_canonical(text) for text in smiles]])


def scaffold_groups(names: Sequence[str] | np.ndarray, smiles: Sequence[str] | np.ndarray) -> np.ndarray:
    """Give each row the number of its Murcko scaffold (Bemis and Murcko 1996); see :func:`compound_groups`.

    A molecule without a ring has no scaffold; each is a group by itself, because such molecules need not be alike.

    Parameters
    ----------
    names, smiles
        Of each row.
    """
    return linked([names, [_scaffold(text) for text in smiles]])


def linked(columns: Sequence[Sequence[str] | np.ndarray]) -> np.ndarray:
    """Return the connected component of rows that share a value in any of the columns, int64 [n_rows].

    Parameters
    ----------
    columns
        Values of each row, all of one length.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_rows, offset, links = len(columns[0]), len(columns[0]), []
    for column in columns:
        codes = np.unique(np.asarray(column, dtype=str), return_inverse=True)[1]
        links.append(codes + offset)
        offset += codes.max(initial=-1) + 1
    rows = np.tile(np.arange(n_rows), len(columns))
    graph = coo_array((np.ones(len(rows), np.int8), (rows, np.concatenate(links))), shape=(offset, offset))
    components = connected_components(graph, directed=False)[1][:n_rows]
    return np.unique(components, return_inverse=True)[1].astype(np.int64)


def _molecule(smiles: str) -> "Mol":
    """Parse a SMILES."""
    molecule = parse_molecule(smiles)
    if molecule is None:
        raise InputError(f"perturbation table: the SMILES {smiles!r} cannot be parsed; correct it")
    return molecule


def _canonical(smiles: str) -> str:
    from rdkit import Chem

    return Chem.MolToSmiles(_molecule(smiles))


def _scaffold(smiles: str) -> str:
    from rdkit import Chem
    from rdkit.Chem.Scaffolds import MurckoScaffold

    molecule = _molecule(smiles)
    scaffold = Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(molecule))
    return scaffold or f"no ring: {Chem.MolToSmiles(molecule)}"
