"""What the fits of a benchmark left behind, read and checked."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.benchmark.columns import COSTS, FIT, FITS, FOLD, PLAN, PREDICTIONS, WHOLE_OR_MISSING
from pharmacell.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

TEXT = ("dataset", "drug", "model", "sampling", "protocol", "cell_id")
WHOLE = ("repeat", "fold")
AGAIN = "run the step that writes it again"


def read_table(path: str | Path, columns: list[str]) -> "pd.DataFrame":
    """Read a csv or parquet file and return these columns, with ``heads`` as a whole number or missing.

    Parameters
    ----------
    path
        File, csv or parquet.
    columns
        Those wanted.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, or a whole number is none.
    """
    import pandas as pd

    try:
        if str(path).endswith(".parquet"):
            table = pd.read_parquet(path)
        else:  # names such as NA are names
            table = pd.read_csv(
                path,
                dtype=dict.fromkeys(TEXT, str),
                keep_default_na=False,
                na_values={name: [""] for name in ("heads", *COSTS)},
            )
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a table ({error}); {AGAIN}") from error
    if missing := [name for name in columns if name not in table]:
        raise InputError(f"{path}: the column {missing[0]!r} is missing; {AGAIN}")
    table = table[columns]
    try:
        types = {name: str for name in TEXT if name in columns} | {name: "int64" for name in WHOLE if name in columns}
        return table.astype(types | {name: kind for name, kind in WHOLE_OR_MISSING.items() if name in columns})
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: a column of whole numbers holds something else ({error}); {AGAIN}") from error


def read_expected(path: str | Path) -> "pd.DataFrame":
    """Read which fits the table consists of, one row each; columns ``FIT``.

    Parameters
    ----------
    path
        ``SAMPLE.expected.csv``, or several joined.

    Raises
    ------
    InputError
        If the file cannot be used or names a fit twice.
    """
    expected = read_table(path, FIT)
    if expected.empty:
        raise InputError(f"{path}: no row, so there is nothing to summarise; {AGAIN}")
    if (twice := expected.duplicated()).any():
        raise InputError(f"{path}: row {int(np.argmax(twice)) + 2} stands there twice; {AGAIN}")
    return expected


class FoldPlan:
    """Which cells each fold tests.

    Parameters
    ----------
    paths
        Fold plans (csv with ``dataset, protocol, repeat, fold, cell_id``), one or more for each dataset.

    Raises
    ------
    InputError
        If a plan cannot be read.
    """

    def __init__(self, paths: list[Path]):
        import pandas as pd

        plan = pd.concat([read_table(path, PLAN) for path in paths], ignore_index=True)
        self.cells = {place: frozenset(cells) for place, cells in plan.groupby(FOLD)["cell_id"]}
        sizes = plan.groupby(FOLD).size().rename("n_test").reset_index()
        sizes["n_others"] = sizes.groupby(FOLD[:3])["n_test"].transform("sum") - sizes["n_test"]
        self.sizes = sizes

    def with_ratios(self, expected: "pd.DataFrame", fits: "pd.DataFrame") -> "pd.DataFrame":
        """Return the fits of the table with the cells that each tests for each cell that it learnt from.

        Parameters
        ----------
        expected
            The fits of the table, columns ``FIT``.
        fits
            Sizes of every fit, columns ``FITS``; a fit without a row there counts as having learnt from all cells of
            the other folds.

        Returns
        -------
        DataFrame
            Columns ``FIT`` and ``ratio``.
        """
        table = expected.merge(self.sizes, on=FOLD, how="left").merge(fits[[*FIT, "n_train"]], on=FIT, how="left")
        n_train = table["n_train"].fillna(table["n_others"])
        return table[FIT].assign(ratio=table["n_test"] / n_train.mask(n_train == 0))

    def check(self, expected: "pd.DataFrame") -> None:
        """Check that every fit of the table has its cells in the plan.

        Parameters
        ----------
        expected
            The fits of the table, columns ``FIT``.

        Raises
        ------
        InputError
            If one has not.
        """
        for place in expected[FOLD].drop_duplicates().itertuples(index=False):
            if tuple(place) not in self.cells:
                raise InputError(
                    f"{place.dataset}: the fold plan lacks fold {place.fold} of repeat {place.repeat} "
                    f"under protocol {place.protocol}; give the plan that this benchmark was made with"
                )


def read_slices(paths: list[Path], plan: FoldPlan) -> Iterator["pd.DataFrame"]:
    """Yield the predictions of one file after another, so that only one is in memory.

    Parameters
    ----------
    paths
        Predictions of the slices (parquet).
    plan
        Which cells each fold tests.

    Yields
    ------
    DataFrame
        Columns ``PREDICTIONS``.

    Raises
    ------
    InputError
        If a file cannot be used, holds a cell twice or one that its fold does not test, or a fold stands in two files.
    """
    seen: dict[tuple, Path] = {}
    for path in paths:
        table = read_table(path, PREDICTIONS)
        if not table["truth"].isin((0, 1)).all():
            raise InputError(f"{path}: the column 'truth' holds something other than 0 and 1; {AGAIN}")
        for key, rows in table.groupby(FIT, dropna=False, sort=False):
            name = dict(zip(FIT, key, strict=True))
            where = f"fold {name['fold']} of repeat {name['repeat']} ({name['model']} on {name['dataset']})"
            if (first := seen.setdefault(tuple(map(str, key)), path)) is not path:
                raise InputError(f"{path}: {where} stands in {first.name} already; keep one of them")
            cells = rows["cell_id"]
            if len(twice := cells[cells.duplicated()]):
                raise InputError(f"{path}: {where} predicts the cell {twice.iloc[0]!r} twice; {AGAIN}")
            if strange := set(cells) - plan.cells.get(tuple(name[part] for part in FOLD), frozenset()):
                raise InputError(
                    f"{path}: {where} predicts the cell {min(strange)!r}, which the plan does not test "
                    f"there; give the plan that this benchmark was made with"
                )
        yield table


def read_fits(paths: list[Path]) -> "pd.DataFrame":
    """Return time and memory of every fit, columns ``FITS``; no row when there is no file.

    Parameters
    ----------
    paths
        Costs of the slices (csv).

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    import pandas as pd

    if not paths:
        return pd.DataFrame({name: [] for name in FITS}).astype(WHOLE_OR_MISSING)
    return pd.concat([read_table(path, FITS) for path in paths], ignore_index=True)
