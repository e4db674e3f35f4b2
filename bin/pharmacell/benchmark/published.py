"""Numbers that the paper prints, to stand beside those of a run."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.benchmark.columns import PUBLISHED_NUMBERS
from pharmacell.core.errors import InputError
from pharmacell.evaluate.fold_scores import FOLD_METRICS

if TYPE_CHECKING:
    import pandas as pd

# Tables 1, 3 and 4 of the paper; F1 there is not 2PR / (P + R), so it is probably averaged over classes
SLOT = Path(__file__).with_name("published.csv")
DATASETS = ("data1", "data2", "data3", "data4")
TABLES = ("1", "3", "4")


def read_published(path: str | Path = SLOT) -> "pd.DataFrame":
    """Read published numbers; each must say where it stands.

    Parameters
    ----------
    path
        csv, columns ``PUBLISHED_NUMBERS``: ``table`` 1, 3 or 4; ``dataset`` data1 to data4; ``model`` as registered;
        ``sampling`` as printed, may be empty; ``metric`` as in the scores; ``sd`` may be empty; ``source`` a citation.

    Raises
    ------
    InputError
        If a column is missing or a row cannot be used.
    """
    import pandas as pd

    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as csv ({error}); give a table with {','.join(PUBLISHED_NUMBERS)}"
        ) from error
    if missing := [name for name in PUBLISHED_NUMBERS if name not in table]:
        raise InputError(f"{path}: the column {missing[0]!r} is missing; it needs {','.join(PUBLISHED_NUMBERS)}")
    allowed = {"table": TABLES, "dataset": DATASETS, "metric": FOLD_METRICS}
    for number, row in enumerate(table.to_dict("records"), start=2):
        for name, values in allowed.items():
            if row[name] not in values:
                raise InputError(f"{path}: row {number}: {name} is {row[name]!r}; use one of {', '.join(values)}")
        if not row["source"].strip():
            raise InputError(f"{path}: row {number}: no source; say where the number is printed, or leave it out")
    for name in ("mean", "sd"):
        table[name] = pd.to_numeric(table[name].replace("", None), errors="coerce")
    if (bad := table["mean"].isna()).any():
        raise InputError(f"{path}: row {int(np.argmax(bad)) + 2}: the mean is no number; give it as printed")
    return table[PUBLISHED_NUMBERS]
