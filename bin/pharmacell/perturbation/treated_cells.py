"""Cells of a sample as they might be under a treatment: their expression, moved by predicted fold changes."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.data.cells import CellMatrix
from pharmacell.data.genes import map_names

if TYPE_CHECKING:
    import anndata as ad

TREATMENT = "simulated_treatment"  # column of obs: untreated, or the number of the molecule
MOLECULE = "simulated_smiles"  # column of obs; qc reads a treatment's words, and the SMILES of a hydroxamic acid has NO
UNTREATED = "untreated"
FOLD_CHANGE = re.compile(r"(log2?_?)?(lfc|fc|fold_?changes?)", re.IGNORECASE)  # names of layers of log2 fold changes


def fold_change_layer(card: dict) -> int:
    """Return which layer of a model is log2 fold changes, going by the names of the layers that it was trained on.

    Parameters
    ----------
    card
        Of the model.

    Returns
    -------
    int
        0 or, for the second layer, 1.

    Raises
    ------
    InputError
        If it was trained on anything else, such as signed p-values, which say nothing of the size of a change.
    """
    layers = [card.get("layer"), *([card["second_layer"]] if "second_layer" in card else [])]
    for number, layer in enumerate(layers):
        if FOLD_CHANGE.fullmatch(str(layer)):
            return number
    named = " and ".join(str(layer) for layer in layers if layer) or "a table without layers"
    raise InputError(
        f"--as_h5ad: the model was trained on {named}, not on log2 fold changes; train one on an h5ad with "
        "kaggle_train --layer logFC or --second_layer logFC"
    )


def with_treated(
    basal: Path, genes: list[str], fold_changes: np.ndarray, molecules: list[str]
) -> "tuple[ad.AnnData, int]":
    """Return the cells of a sample and, for each molecule, the same cells with every gene moved by its fold change.

    Values are logarithms (log1p) of a cell's share of counts: a gene of share p gets p 2^f, and all genes of the cell
    are scaled to the sum that they had. A gene that a cell does not express stays at 0, and one without a prediction
    moves with the scaling only.

    Parameters
    ----------
    basal
        Cells of the cell type, an h5ad that qc wrote.
    genes
        Of the predictions, any names.
    fold_changes
        log2 fold changes f, [n_molecules, n_genes].
    molecules
        SMILES of each treatment.

    Returns
    -------
    cells
        All untreated cells, then those of each molecule; ``obs["simulated_treatment"]`` tells them apart
        (``untreated``, ``molecule 1``, ...), and ``obs["simulated_smiles"]`` names the molecule.
    n_shared
        Genes of the sample that have a prediction.

    Raises
    ------
    InputError
        If the sample holds no logged expression, or shares no gene with the model.
    """
    import anndata as ad

    cells = CellMatrix(basal)
    if cells.uns.get("scale") == "zscore":
        raise InputError(f"{basal}: its values are z-scores; fold changes need expression, such as counts")
    symbols = pd.Index(map_names(genes).symbols)
    first = ~symbols.duplicated() & symbols.notna()
    column = pd.Series(np.arange(len(genes))[first], symbols[first])
    shared = cells.genes.isin(column.index)
    if not shared.any():
        raise InputError(f"{basal}: shares no gene with the model, whose genes are {', '.join(genes[:3])}, ...")
    moves = np.zeros((len(molecules), len(cells.genes)), np.float64)
    moves[:, shared] = fold_changes[:, column[cells.genes[shared]].to_numpy()]
    x = sparse.csr_matrix(cells.block(slice(None), np.arange(len(cells.genes))))
    parts = [x] + [moved(x, move) for move in moves]
    treatments = [("", UNTREATED, "")]
    treatments += [(f"-treated{n}", f"molecule {n}", smiles) for n, smiles in enumerate(molecules, start=1)]
    obs = pd.concat(
        [
            cells.obs.assign(**{TREATMENT: name, MOLECULE: smiles}).rename(index=lambda cell, end=end: f"{cell}{end}")
            for end, name, smiles in treatments
        ]
    )
    obs = obs.drop(columns=[name for name in obs if name.startswith("pharmacell_")])  # of the cells as they were
    uns = {"pharmacell": {"simulated": True}}
    found = ad.AnnData(sparse.vstack(parts, format="csr"), obs=obs, var=pd.DataFrame(index=cells.genes), uns=uns)
    return found, int(shared.sum())


def moved(x: sparse.csr_matrix, fold_change: np.ndarray) -> sparse.csr_matrix:
    """Return logged cells after fold changes of their genes, each cell with the sum that it had.

    Parameters
    ----------
    x
        log1p of shares of counts, float32 [n_cells, n_genes].
    fold_change
        log2, of each gene, [n_genes].
    """
    shares = np.expm1(x.data.astype(np.float64))
    changed = sparse.csr_matrix((shares * np.exp2(fold_change[x.indices]), x.indices, x.indptr), shape=x.shape)
    before = np.asarray(sparse.csr_matrix((shares, x.indices, x.indptr), shape=x.shape).sum(axis=1)).ravel()
    after = np.asarray(changed.sum(axis=1)).ravel()
    scale = np.divide(before, after, out=np.ones_like(before), where=after > 0)
    changed.data = np.log1p(changed.data * np.repeat(scale, np.diff(x.indptr))).astype(np.float32)
    return changed


def write_cells(cells: "ad.AnnData", path: Path) -> None:
    """Write an h5ad, whole or not at all.

    Parameters
    ----------
    cells
        From :func:`with_treated`.
    path
        Of the file.
    """
    with whole_file(path) as partial:
        cells.write_h5ad(partial, compression="gzip")
