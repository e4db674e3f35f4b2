"""Load a bulk data set: GDSC, or the user's own tables."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.bulk import Bulk
from pharmacell.data.response import add_labels, merge_releases

BUILT_IN = ("gdsc", "gdsc+ccle")


def load_bulk(
    bulk: str | None,
    expression: str | Path | None,
    response: str | Path | None,
    measure: str,
    cache_dir: str | Path | None,
) -> Bulk:
    """Load GDSC (``bulk="gdsc"``), with CCLE's responses (``gdsc+ccle``), or the user's two tables.

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
    if bulk not in BUILT_IN:
        raise InputError(
            f"--bulk: '{bulk}' is not known; use {' or '.join(BUILT_IN)}, or --bulk_expression and --bulk_response"
        )
    found = load_gdsc_bulk(cache_dir)
    return found if bulk == "gdsc" else with_ccle(found, cache_dir)


def load_gdsc_bulk(cache_dir: str | Path | None) -> Bulk:
    """Load GDSC, see :func:`pharmacell.data.gdsc.load_gdsc`.

    Parameters
    ----------
    cache_dir
        Where it is kept; None for the usual folder.
    """
    from pharmacell.data.gdsc import SCALE, default_cache, load_gdsc
    from pharmacell.data.genes import canonical_columns
    from pharmacell.data.tissues import tissues_of

    expression, measurements, notes = load_gdsc(cache_dir or default_cache())
    expression, gene_notes = canonical_columns(expression, "GDSC")
    lines = pd.DataFrame({"database": "GDSC", "tissue": tissues_of(expression.index)}, index=expression.index)
    return Bulk(expression, lines, measurements, "ln_ic50", "GDSC1 and GDSC2", SCALE, notes + gene_notes)


def with_ccle(bulk: Bulk, cache_dir: str | Path | None) -> Bulk:
    """Add CCLE's responses of 24 drugs to GDSC's, for the lines whose expression is known.

    A line that both measured stays one line. Responses are standardised within each database before they are averaged
    (:func:`pharmacell.data.response.merge_releases`), because the databases differ: labels of unadjusted responses can
    be told from the database alone.

    Parameters
    ----------
    bulk
        GDSC.
    cache_dir
        Where built-in data are kept; None for the usual folder.
    """
    from pharmacell.data.drugs import find_drugs
    from pharmacell.data.gdsc import CCLE, default_cache, load_ccle

    ccle = load_ccle(cache_dir or default_cache())
    known = bulk.measurements["drug"].unique().tolist()
    same = {drug: found[0] for drug in ccle["drug"].unique() if len(found := find_drugs(drug, known)) == 1}
    measured = ccle[ccle["line"].isin(bulk.expression.index)].assign(
        drug=lambda table: table["drug"].replace(same), measure="activity_area", study=CCLE
    )
    drugs = measured["drug"].drop_duplicates()
    note = (
        f"CCLE: {len(drugs)} drugs, {drugs.isin(known).sum()} of them in GDSC too, on {measured['line'].nunique()} of "
        f"{ccle['line'].nunique()} lines whose expression is known"
    )
    of_gdsc = bulk.measurements.assign(measure=bulk.measure, study="GDSC")
    return replace(
        bulk,
        measurements=pd.concat([of_gdsc, measured], ignore_index=True),
        database=f"{bulk.database} and {CCLE}",
        notes=[*bulk.notes, note],
    )


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
