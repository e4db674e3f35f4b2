"""Key genes along an ordering of the cells: smoothed curves and means of successive bins."""

from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.cells import CellMatrix
from pharmacell.data.input_file import check_file, reason

KEY_GENES = ("gene", "class", "attribution", "fdr", "log_fold_change")
SIGNIFICANT = 0.05
N_GENES = 10
N_BINS = 50
GRID = 50  # points of a curve
BANDWIDTH = 0.3  # of the ordering, to either side
NORMAL = 1.96  # 95 % of a normal distribution are within so many standard errors
CURVES = ("feature", "class", "position", "pseudotime", "value", "low", "high")
BINS = ("feature", "class", "bin", "pseudotime", "n_cells", "value")


def read_key_genes(path: Path, genes: pd.Index) -> pd.DataFrame:
    """Read the table of key genes and return the top ten, ``gene`` and ``class``.

    They speak for their class by being expressed higher in it: those of less than 5 % false discovery rate come first,
    then those of the largest attribution. Half are of either class; where one has fewer, the other fills up.

    Parameters
    ----------
    path
        ``key_genes.csv``; may have no rows.
    genes
        The sample's genes.

    Raises
    ------
    InputError
        If it cannot be read, lacks a column or names no gene of the sample.
    """
    check_file(path, [".csv"])
    try:
        table = pd.read_csv(
            path,
            dtype={"gene": str, "class": str},
            keep_default_na=False,
            na_values={name: [""] for name in KEY_GENES[2:]},
        )  # NA is a name, not a missing one
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read as csv ({reason(error)}); run key_genes again") from error
    if missing := [name for name in KEY_GENES if name not in table]:
        raise InputError(f"{path}: the column {missing[0]!r} is missing; run key_genes again")
    if len(table) and not table["gene"].isin(genes).any():
        raise InputError(f"{path}: none of its genes is in the sample; give the key genes of this sample")
    # Where the test is not defined, the log fold change and the rate are missing: such genes are not ruled out
    table = table[table["gene"].isin(genes) & (table["attribution"] > 0) & ~(table["log_fold_change"] < 0)]
    ranked = (
        table.assign(doubtful=~(table["fdr"] < SIGNIFICANT))
        .sort_values(["doubtful", "attribution"], ascending=[True, False], kind="stable")
        .drop_duplicates("gene")
    )
    place = ranked.groupby("class").cumcount()
    chosen = ranked.loc[place.sort_values(kind="stable").index[:N_GENES]]
    return chosen[["gene", "class"]].sort_values("class", ascending=False, kind="stable").reset_index(drop=True)


def expression(cells: CellMatrix, genes: list[str], positions: np.ndarray) -> np.ndarray:
    """Return the expression of genes in the cells at these sorted positions, float32 [n, n_genes], read in chunks.

    Parameters
    ----------
    cells
        The sample.
    genes
        Which genes.
    positions
        Of the cells, sorted, [n].
    """
    found, start = np.empty((len(positions), len(genes)), np.float32), 0
    for block in cells.chunks(genes):
        inside = slice(*np.searchsorted(positions, [start, start + len(block)]))
        found[inside] = block[positions[inside] - start]
        start += len(block)
    return found


def along(pseudotime: np.ndarray, values: pd.DataFrame, classes: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return each feature along the ordering of the cells.

    Parameters
    ----------
    pseudotime
        Finite, [n_cells].
    values
        A column for each feature, [n_cells, n_features].
    classes
        Class of each feature.

    Returns
    -------
    curves
        Columns ``feature, class, position, pseudotime, value, low, high``; position is the share of cells before.
        The band holds the mean with 95 % certainty at each point, if cells are independent.
    bins
        Columns ``feature, class, bin, pseudotime, n_cells, value``: means over bins of equally many cells.
    """
    order = np.argsort(pseudotime, kind="stable")
    time, y = pseudotime[order], values.to_numpy(float)[order]
    grid = np.linspace(0, 1, GRID)
    mean, error = local_lines(y, grid)
    at = np.interp(grid, np.linspace(0, 1, len(time)), time)
    curves = [
        pd.DataFrame(
            {
                "feature": name,
                "class": kind,
                "position": grid,
                "pseudotime": at,
                "value": mean[:, i],
                "low": mean[:, i] - NORMAL * error[:, i],
                "high": mean[:, i] + NORMAL * error[:, i],
            }
        )
        for i, (name, kind) in enumerate(zip(values, classes, strict=True))
    ]
    rows = np.array_split(np.arange(len(time)), min(N_BINS, len(time)))
    bins = [
        (name, kind, number, time[row].mean(), len(row), y[row, i].mean())
        for i, (name, kind) in enumerate(zip(values, classes, strict=True))
        for number, row in enumerate(rows)
    ]
    return pd.concat(curves, ignore_index=True), pd.DataFrame(bins, columns=list(BINS))


def local_lines(y: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smooth values of ordered cells by local lines (Fan and Gijbels 1996, Eq. 2.4) with tricube weights.

    With u the distance of a cell from a grid point, w its weight and s_k = sum w u^k, the curve at that point is
    sum l y with l = w (s_2 - s_1 u) / (s_0 s_2 - s_1^2), and its variance sum l^2 r^2, r the residuals.

    Parameters
    ----------
    y
        Values in the order of the cells, which stand evenly from 0 to 1, [n_cells, n_features].
    grid
        Positions of the curve, [n_grid].

    Returns
    -------
    mean, standard error
        [n_grid, n_features] each.
    """
    position = np.linspace(0, 1, len(y))
    u = position[None, :] - grid[:, None]  # [n_grid, n_cells]
    w = np.clip(1 - np.abs(u / BANDWIDTH) ** 3, 0, None) ** 3
    s0, s1, s2 = ((w * u**k).sum(1, keepdims=True) for k in range(3))
    weights = w * (s2 - s1 * u) / (s0 * s2 - s1**2)
    mean = weights @ y
    fitted = np.column_stack([np.interp(position, grid, column) for column in mean.T])
    return mean, np.sqrt(weights**2 @ (y - fitted) ** 2)
