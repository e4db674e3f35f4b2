"""The tissue that a cell line comes from, for lines of GDSC."""

from pathlib import Path

import pandas as pd

from pharmacell.data.folds import UNKNOWN

TABLE = Path(__file__).parent / "line_table.csv"


def tissue_of_detail() -> dict[str, str]:
    """Return the tissue that lines of a more exact origin belong to, such as ``melanoma`` to ``skin``.

    Origins whose lines are in several tissues are left out.
    """
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    found = table.groupby("tissue_detail")["tissue"].agg(["first", "nunique"])
    return found.loc[(found["nunique"] == 1) & (found.index != ""), "first"].to_dict()


def tissues_of(lines: pd.Index) -> pd.Series:
    """Return the tissue of each line, ``unknown`` where it is not in the table.

    Parameters
    ----------
    lines
        Canonical names of lines of GDSC.
    """
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False).set_index("line")["tissue"]
    return table.reindex(lines).fillna(UNKNOWN)
