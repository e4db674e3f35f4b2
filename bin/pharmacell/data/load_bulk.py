"""Load a bulk data set: GDSC, or the user's own tables."""

from pathlib import Path

import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.bulk import Bulk
from pharmacell.data.response import add_labels, merge_releases


def load_bulk(
    bulk: str | None,
    expression: str | Path | None,
    response: str | Path | None,
    measure: str,
    cache_dir: str | Path | None,
) -> Bulk:
    """Load GDSC (``bulk="gdsc"``) or the user's two tables.

    Parameters
    ----------
    bulk
        Name of a built-in data set.
    expression, response
        The user's tables, or None.
    measure
        What the response table holds.
    cache_dir
        Where built-in data are kept; None for the usual folder.

    Raises
    ------
    InputError
        If both or half of the sources are given, or one cannot be used.
    """
    if (expression is None) != (response is None):
        missing = "--bulk_response" if response is None else "--bulk_expression"
        raise InputError(f"{missing}: missing; a bulk data set of your own needs both tables")
    if expression is not None and response is not None:
        from pharmacell.data.own_bulk import load_own_bulk

        return load_own_bulk(Path(expression), Path(response), measure)
    if bulk != "gdsc":
        raise InputError(f"--bulk: '{bulk}' is not known; use gdsc, or --bulk_expression and --bulk_response")
    return load_gdsc_bulk(cache_dir)


def load_gdsc_bulk(cache_dir: str | Path | None) -> Bulk:
    """Load GDSC, see :func:`pharmacell.data.gdsc.load_gdsc`.

    Parameters
    ----------
    cache_dir
        Where it is kept; None for the usual folder.
    """
    from pharmacell.data.gdsc import SCALE, default_cache, load_gdsc
    from pharmacell.data.genes import canonical_columns

    expression, measurements, notes = load_gdsc(cache_dir or default_cache())
    expression, gene_notes = canonical_columns(expression, "GDSC")
    lines = pd.DataFrame({"database": "GDSC", "tissue": "unknown"}, index=expression.index)
    return Bulk(expression, lines, measurements, "ln_ic50", "GDSC1 and GDSC2", SCALE, notes + gene_notes)


def label_bulk(bulk: Bulk, method: str, quantile: float, threshold: float | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return response and summary of all drugs; see :func:`pharmacell.data.response.add_labels`.

    Parameters
    ----------
    bulk
        As loaded.
    method, quantile, threshold
        How lines are called sensitive.
    """
    return add_labels(merge_releases(bulk.measurements, bulk.measure), method, quantile, threshold)
