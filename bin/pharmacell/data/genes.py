"""Gene names."""

import pandas as pd


def canonical_columns(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, list[str]]:
    return table, []
