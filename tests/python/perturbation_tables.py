"""Small perturbation tables with known structure."""

import numpy as np

from pharmacell.perturbation.table import PerturbationTable

# Pairs of one Murcko scaffold, and molecules without a ring
SMILES = (
    "c1ccccc1C",
    "c1ccccc1CC",
    "c1ccncc1C",
    "c1ccncc1CO",
    "C1CCCCC1O",
    "C1CCCCC1N",
    "c1ccc2ccccc2c1",
    "CC(=O)O",
    "CCO",
    "CCN",
    "c1ccoc1C",
    "c1ccsc1C",
)
CELL_TYPES = ("B cells", "NK cells", "T cells")


def small_table(
    n_genes: int = 30, seed: int = 0, noise: float = 0.3, rare: str | None = "B cells", signal: float = 1.0
) -> PerturbationTable:
    """Make a table of 12 compounds and 3 cell types: cell-type effect + compound effect + noise.

    The rare cell type has the last four compounds only.
    """
    rng = np.random.default_rng(seed)
    keys = [(cell, drug) for drug in range(len(SMILES)) for cell in CELL_TYPES if cell != rare or drug >= 8]
    cell_type = np.array([cell for cell, _ in keys])
    drug = np.array([number for _, number in keys])
    of_cell = {cell: rng.normal(size=n_genes) for cell in CELL_TYPES}
    of_drug = rng.normal(size=(len(SMILES), n_genes))
    y = signal * (np.stack([of_cell[cell] for cell in cell_type]) + of_drug[drug])
    y = y + noise * rng.normal(size=y.shape)
    return PerturbationTable(
        cell_type=cell_type,
        sm_name=np.array([f"drug {number}" for number in drug]),
        sm_lincs_id=np.array([f"LSM-{number}" for number in drug]),
        smiles=np.array(SMILES)[drug],
        control=drug == 0,
        genes=[f"GENE{number}" for number in range(n_genes)],
        y=y.astype(np.float32),
    )
