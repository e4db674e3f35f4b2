"""Where a cell type's values lie and how far they spread, estimated also where few rows of it are known."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.perturbation.singular_vectors import right_singular_vectors

if TYPE_CHECKING:
    from pharmacell.perturbation.table import PerturbationTable

RANK = 20  # of the compounds' effects
PRIOR_ROWS = 10.0  # what a scale shared by all cell types counts beside a cell type's own rows
ROUNDS = 3  # of fitting effects and centres in turn
SMALLEST = 1e-3  # scale of a gene that does not vary


@dataclass(frozen=True)
class CellScale:
    """The model ``y = centre of the cell type + scale of the cell type * effect of the compound + noise``.

    A cell type with many cells has larger values of -log10 p for every effect, so compounds agree between cell types
    only once each gene is divided by its spread in the cell type.

    Parameters
    ----------
    cell_types
        Of the training rows, ascending.
    centre, scale
        float32 [1 + n_cell_types, n_genes]; row 0 stands for a cell type that was never seen.
    compounds
        Of the training rows, ascending.
    effects
        In units of the scale, of rank 20 at most, float32 [n_compounds, n_genes].
    """

    cell_types: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    compounds: np.ndarray
    effects: np.ndarray

    @classmethod
    def fit(cls, train: "PerturbationTable") -> "CellScale":
        """Fit by turns: effects from standardised values, centres from what the effects leave.

        A gene's variance in a cell type of n rows is ``(n own + 10 shared) / (n + 10)``; the shared one is the gene's
        variance over all rows, times how much more the cell type varies than all. An effect seen in n rows is shrunk
        by ``n / (n + 1)``. Centres take account of which compounds a cell type has, because a cell type of which little
        is known often has the strong ones.

        Parameters
        ----------
        train
            The training rows.
        """
        cell_types, cell = np.unique(train.cell_type, return_inverse=True)
        compounds, compound = np.unique(train.sm_name, return_inverse=True)
        of_cell = (cell == np.arange(len(cell_types))[:, None]).astype(np.float32)
        of_compound = (compound == np.arange(len(compounds))[:, None]).astype(np.float32)
        n_rows = of_cell.sum(axis=1, keepdims=True)
        of_cell /= n_rows
        of_compound /= of_compound.sum(axis=1, keepdims=True) + 1
        centre = of_cell @ train.y
        squares = (train.y - centre[cell]) ** 2
        own, shared = of_cell @ squares, squares.mean(axis=0)
        more = (own / shared.clip(SMALLEST**2)).mean(axis=1, keepdims=True)
        scale = np.sqrt((n_rows * own + PRIOR_ROWS * more * shared) / (n_rows + PRIOR_ROWS)).clip(SMALLEST)
        effects = np.zeros((len(compounds), train.y.shape[1]), np.float32)
        for _ in range(ROUNDS):
            effects = of_compound @ ((train.y - centre[cell]) / scale[cell])
            kept = right_singular_vectors(effects, min(RANK, len(effects)))
            effects = effects @ kept.T @ kept
            centre = of_cell @ (train.y - scale[cell] * effects[compound])
        first = [train.y.mean(axis=0, keepdims=True), np.sqrt(shared)[None].clip(SMALLEST)]
        centre, scale = (np.concatenate(rows, dtype=np.float32) for rows in zip(first, (centre, scale), strict=True))
        return cls(cell_types, centre, scale, compounds, effects)
