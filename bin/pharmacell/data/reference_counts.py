"""Counts of real cells of known lines, summed up by line: what a platform makes of them shows what it adds."""

from pathlib import Path

import pandas as pd

TABLE = Path(__file__).parent / "reference_counts.parquet"


def reference_counts() -> pd.DataFrame:
    """Return counts of genes, one column for each plate and line, int [n_genes, n_profiles].

    The index has symbols; genes of which no cell has a count are not in it. The columns are a MultiIndex of ``plate``
    and ``line``, the latter canonical. Source and licence stand in ``REFERENCE_COUNTS.md``.
    """
    table = pd.read_parquet(TABLE)
    table.columns = pd.MultiIndex.from_tuples([name.split(":") for name in table.columns], names=["plate", "line"])
    return table
