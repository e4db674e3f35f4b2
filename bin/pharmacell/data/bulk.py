"""The bulk data set: expression and drug response of cell lines, from GDSC or from the user's tables."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.data.input_file import check_file, reason
from pharmacell.data.names import line_key, nearest_names

if TYPE_CHECKING:
    from anndata import AnnData


SCALE_BY_GENE = "zscore_per_gene"  # expression without the level of a gene against the others


@dataclass(frozen=True)
class Bulk:
    """Cell lines with expression and response.

    Attributes
    ----------
    expression
        float32, canonical lines x human gene symbols, both unique.
    lines
        Indexed as ``expression``: ``database``, ``tissue``.
    measurements
        ``drug, line, database, value``.
    measure
        What ``value`` is: ``ln_ic50``, ``auc`` or ``label``.
    database
        Where it comes from, in a few words.
    scale
        What the expression values are.
    notes
        What was merged or left out.
    """

    expression: pd.DataFrame
    lines: pd.DataFrame
    measurements: pd.DataFrame
    measure: str
    database: str
    scale: str
    notes: list[str] = field(default_factory=list)


def without_lines(bulk: Bulk, names: Iterable[str]) -> Bulk:
    """Return a bulk data set without some lines, which then are neither trained on nor tested.

    Parameters
    ----------
    bulk
        As loaded.
    names
        Of the lines, without regard to case and punctuation.

    Raises
    ------
    InputError
        If there is no such line, or none is left.
    """
    keys = {line_key(name): name for name in names}
    if not keys:
        return bulk
    known = bulk.expression.index
    if unknown := [name for key, name in keys.items() if key not in known]:
        near = ", ".join(nearest_names(line_key(unknown[0]), {line: line for line in known}))
        raise InputError(f"--exclude_lines: {bulk.database} has no line '{unknown[0]}'; nearest: {near}")
    kept = ~known.isin(keys)
    if not kept.any():
        raise InputError(f"--exclude_lines: no line of {bulk.database} is left; exclude fewer")
    note = f"{len(keys)} lines are excluded, as asked: {', '.join(sorted(keys))}"
    measured = bulk.measurements[~bulk.measurements["line"].isin(keys)].reset_index(drop=True)
    return replace(
        bulk,
        expression=bulk.expression[kept],
        lines=bulk.lines[kept],
        measurements=measured,
        notes=[*bulk.notes, note],
    )


def require_levels(scale: str) -> None:
    """Refuse to make cells of lines whose genes were standardised one by one.

    A simulated cell has counts in proportion to ``exp`` of its line's profile, which needs to know what a line has
    much of; after standardisation by gene every gene would be as high as any other.

    Parameters
    ----------
    scale
        What the expression values are.

    Raises
    ------
    InputError
        If the level of a gene against the others is lost.
    """
    if scale == SCALE_BY_GENE:
        raise InputError(
            "bulk expression: each gene was standardised over the lines (z-scores), so what a line has much of is lost "
            "and no cells can be simulated from it; give the table before that step (log TPM or log intensities), or "
            "use --config published"
        )


def check_database(facts: Mapping[str, object], path: str | Path) -> None:
    """Refuse a bulk data set that an earlier version wrote.

    Parameters
    ----------
    facts
        Its ``uns["pharmacell"]``.
    path
        Of the file.

    Raises
    ------
    InputError
        If what is called ``database`` now is called ``source`` there.
    """
    if "source" in facts and "database" not in facts:
        raise InputError(
            f"{path}: an earlier version wrote this file: what it calls 'source' is called 'database' now; run "
            "prepare_bulk again"
        )


def write_bulk(bulk: Bulk, response: pd.DataFrame, summary: pd.DataFrame, outdir: str | Path) -> None:
    """Write ``bulk.h5ad``, ``response.parquet`` and ``drug_summary.csv``.

    Parameters
    ----------
    bulk
        Lines with expression.
    response
        All drugs, long, with classes; see :func:`pharmacell.data.response.add_labels`.
    summary
        One row for each drug asked for.
    outdir
        Folder of the three files.
    """
    import anndata as ad

    outdir = Path(outdir)
    lines = ad.AnnData(
        np.ascontiguousarray(bulk.expression.to_numpy(np.float32)),
        obs=bulk.lines.astype("category"),
        var=pd.DataFrame(index=bulk.expression.columns.astype(str)),
        uns={"pharmacell": {"kind": "bulk", "database": bulk.database, "scale": bulk.scale, "notes": bulk.notes}},
    )
    with whole_file(outdir / "bulk.h5ad") as partial:
        lines.write_h5ad(partial)
    with whole_file(outdir / "response.parquet") as partial:
        response.to_parquet(partial, index=False)
    with whole_file(outdir / "drug_summary.csv") as partial:
        summary.to_csv(partial, index=False)


def bulk_digest(lines: "AnnData", response: pd.DataFrame) -> str:
    """Return a hash of a bulk data set, of its values and not of how its files are written: SHA-256, hexadecimal.

    Parameters
    ----------
    lines, response
        As :func:`read_bulk` returns them.
    """
    digest = hashlib.sha256(np.ascontiguousarray(lines.X, dtype=np.float32).tobytes())
    for names in (lines.obs_names, lines.var_names, *(lines.obs[column] for column in sorted(lines.obs))):
        digest.update("\n".join(map(str, names)).encode())
    for column in sorted(response):
        values = response[column].astype(str) if response[column].dtype.name == "category" else response[column]
        digest.update(pd.util.hash_pandas_object(values, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def read_bulk(bulk: str | Path, response: str | Path) -> tuple["AnnData", pd.DataFrame]:
    """Read what :func:`write_bulk` wrote.

    Parameters
    ----------
    bulk, response
        ``bulk.h5ad`` and ``response.parquet``.

    Raises
    ------
    InputError
        If a file is missing or was not written by ``prepare_bulk``.
    """
    import anndata as ad

    check_file(Path(bulk), [".h5ad"])
    check_file(Path(response), [".parquet"])
    try:
        lines = ad.read_h5ad(bulk)
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{bulk}: cannot be read as h5ad ({reason(error)}); run prepare_bulk.py") from None
    if lines.uns.get("pharmacell", {}).get("kind") != "bulk":
        raise InputError(f"{bulk}: not a bulk data set; give the bulk.h5ad that prepare_bulk.py writes")
    check_database(lines.uns["pharmacell"], bulk)
    try:
        table = pd.read_parquet(response)
    except (OSError, ValueError) as error:
        raise InputError(f"{response}: cannot be read as parquet ({reason(error)}); run prepare_bulk.py") from None
    missing = [column for column in ("drug", "line", "z", "label") if column not in table]
    if missing:
        raise InputError(f"{response}: no column '{missing[0]}'; give the response.parquet that prepare_bulk.py writes")
    return lines, table
