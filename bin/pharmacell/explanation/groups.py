"""Expression of the key genes in groups of cells, as the heatmap and the dot plot show it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pharmacell.explanation.expression import Expression

MOST_GROUPS = 24


def cell_groups(cells: Expression) -> np.ndarray:
    """Return each cell's group: its origin where known and not too manifold, else its predicted class.

    Parameters
    ----------
    cells
        Expression and labels.
    """
    groups = cells.groups
    if groups is not None and 1 < len(set(groups)) <= MOST_GROUPS:
        return groups
    return np.where(cells.labels == 1, "predicted sensitive", "predicted resistant")


def expression_by_group(cells: Expression, genes: Sequence[str]) -> pd.DataFrame:
    """Return the expression of genes in each group, the groups with the lowest mean probability first.

    Parameters
    ----------
    cells
        Expression and labels.
    genes
        Which genes.

    Returns
    -------
    DataFrame
        ``gene, group, mean, share, n_cells, probability, sensitive``: mean expression, share of cells that express the
        gene (above 0), and the group's number of cells, mean probability and share of cells predicted sensitive.
    """
    x = cells.x[:, pd.Index(cells.genes).get_indexer(list(genes))]
    groups, tables = cell_groups(cells), []
    for name in sorted(set(groups)):
        own = groups == name
        tables.append(
            pd.DataFrame(
                {
                    "gene": list(genes),
                    "group": name,
                    "mean": x[own].mean(0),
                    "share": (x[own] > 0).mean(0),
                    "n_cells": int(own.sum()),
                    "probability": cells.probability[own].mean(),
                    "sensitive": cells.labels[own].mean(),
                }
            )
        )
    return pd.concat(sorted(tables, key=lambda table: table["probability"].iloc[0]), ignore_index=True)
