"""Expression and labels of the cells on which gene lists are compared."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.cells import CellMatrix
from pharmacell.data.columns import OBS_GROUP, OBS_TRUTH, UNKNOWN
from pharmacell.explanation.deg_scores import FEWEST_CELLS
from pharmacell.response.columns import CLASS_NAMES, OBS_LABEL, OBS_PROBABILITY

MOST_CELLS = 5_000  # of larger samples, so many drawn at random are dense in memory


@dataclass(frozen=True)
class Expression:
    """Cells of a sample, all of them or as many as fit.

    Parameters
    ----------
    x
        Expression as quality control left it, float32 [n_cells, n_genes].
    genes
        The model's genes.
    obs
        The cells' annotation.
    labels
        Predicted labels, 1 or 0, [n_cells].
    truth
        True labels, 1 or 0, [n_cells]; None when they are not known or too few cells are of one class.
    log_scale
        Whether ``x`` is log1p; otherwise it is standardised.
    """

    x: np.ndarray
    genes: list[str]
    obs: pd.DataFrame
    labels: np.ndarray
    truth: np.ndarray | None
    log_scale: bool

    @property
    def probability(self) -> np.ndarray:
        """Predicted probability of being sensitive, [n_cells]."""
        return self.obs[OBS_PROBABILITY].to_numpy(float)

    @property
    def groups(self) -> np.ndarray | None:
        """Origin of each cell, or None."""
        return self.obs[OBS_GROUP].astype(str).to_numpy() if OBS_GROUP in self.obs else None


def predicted_labels(cells: CellMatrix) -> np.ndarray:
    """Return the predicted labels of all cells, int64 1 or 0, [n_cells].

    Parameters
    ----------
    cells
        The predicted sample.

    Raises
    ------
    InputError
        If the file holds no predictions.
    """
    if OBS_LABEL not in cells.obs:
        raise InputError(f"{cells.file.filename}: obs has no {OBS_LABEL}; give the SAMPLE.predicted.h5ad of predict")
    return (cells.obs[OBS_LABEL].astype(str) == CLASS_NAMES[1]).to_numpy(np.int64)


def true_labels(obs: pd.DataFrame) -> np.ndarray | None:
    """Return the true labels of cells, int64 1 or 0; None unless all are known, at least three of each class.

    Parameters
    ----------
    obs
        The cells' annotation, with ``truth`` where it is known.
    """
    if OBS_TRUTH not in obs:
        return None
    truth = obs[OBS_TRUTH].to_numpy(np.int64)
    return None if (truth == UNKNOWN).any() or not enough_of_both(truth) else truth


def enough_of_both(labels: np.ndarray) -> bool:
    """Tell whether both classes have the fewest cells that a comparison takes.

    Parameters
    ----------
    labels
        1 or 0, [n_cells].
    """
    return bool((np.bincount(labels, minlength=2) >= FEWEST_CELLS).all())


def read_expression(
    cells: CellMatrix, genes: Sequence[str], labels: np.ndarray, rng: np.random.Generator
) -> Expression:
    """Read up to 5,000 cells, drawn at random.

    Parameters
    ----------
    cells
        The predicted sample.
    genes
        The model's genes.
    labels
        Predicted labels of all cells.
    rng
        Draws the cells.
    """
    rows, x = cells.sample(genes, MOST_CELLS, rng)
    obs = cells.obs.iloc[rows]
    return Expression(x, list(genes), obs, labels[rows], true_labels(obs), cells.uns.get("scale") != "zscore")
