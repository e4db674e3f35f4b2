"""Synthetic input files for the commands that are measured as a user runs them."""

from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata.io import sparse_dataset, write_elem

from pharmacell.data.genes import gene_table

COMMANDS = Path(__file__).resolve().parent.parent / "bin"
CELLS_AT_ONCE = 2000
KINDS_OF_CELLS, SHARE_DETECTED = 12, 0.05


def write_lines(folder: Path, n_lines: int, names: list[str]) -> None:
    """Write bulk.h5ad and response.parquet of random lines for a drug named d."""
    rng = np.random.default_rng(0)
    genes = pd.DataFrame(index=names)
    lines = pd.DataFrame({"database": "synthetic", "tissue": "unknown"}, [f"LINE{number}" for number in range(n_lines)])
    bulk = ad.AnnData(rng.normal(size=(n_lines, len(names))).astype(np.float32), lines, genes)
    bulk.uns["pharmacell"] = {"kind": "bulk", "database": "synthetic", "scale": "zscore"}
    bulk.write_h5ad(folder / "bulk.h5ad")
    z = rng.normal(size=n_lines)
    pd.DataFrame(
        {
            "drug": "d",
            "line": lines.index,
            "value": z,
            "z": z,
            "measure": "ln_ic50",
            "label": (z < np.quantile(z, 0.3)).astype(np.int8),
        }
    ).to_parquet(folder / "response.parquet")


def symbols(n_genes: int) -> list[str]:
    """Return symbols of human genes, none of them mitochondrial."""
    known = sorted(set(gene_table().symbols.values()))
    return [symbol for symbol in known if not symbol.startswith("MT-")][:n_genes]


def write_counts(path: Path, n_cells: int, genes: list[str]) -> None:
    """Write an h5ad of counts of a dozen kinds of cells, one value in twenty not zero, a few cells at a time."""
    rng = np.random.default_rng(0)
    detected = rng.lognormal(0, 1, (KINDS_OF_CELLS, len(genes)))
    detected = (SHARE_DETECTED * detected / detected.mean(1, keepdims=True)).clip(max=0.9).astype(np.float32)
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_elem(file, "obs", pd.DataFrame(index=[f"cell{number}" for number in range(n_cells)]))
        write_elem(file, "var", pd.DataFrame(index=genes))
        write_elem(file, "uns", {"pharmacell": {"simulated": True}})
        for start in range(0, n_cells, CELLS_AT_ONCE):
            n = min(CELLS_AT_ONCE, n_cells - start)
            depth = rng.lognormal(0, 0.3, (n, 1)).astype(np.float32)
            chance = detected[rng.integers(KINDS_OF_CELLS, size=n)] * depth
            block = sp.csr_matrix(rng.random(chance.shape, np.float32) < chance, dtype=np.float32)
            block.data = rng.geometric(0.6, block.nnz).astype(np.float32)
            if start == 0:
                write_elem(file, "X", block)
            else:
                sparse_dataset(file["X"]).append(block)
