"""A bulk data set from the user's own tables, wide or long."""

from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.bulk import Bulk
from pharmacell.data.genes import MIN_MATCHED, canonical_columns, map_names
from pharmacell.data.input_file import check_file, reason, suffix_of
from pharmacell.data.names import line_key
from pharmacell.data.scale import look_at, settle_scale

SUFFIXES = (".csv", ".tsv", ".parquet", ".h5ad")
LINE = ("line", "cell_line", "cell_line_name", "cellline", "model", "sample")
GENE = ("gene", "symbol", "gene_symbol", "gene_name")
DRUG = ("drug", "drug_name", "compound")
VALUE = ("value", "ln_ic50", "ic50", "auc", "label", "response", "expression")
DATABASE, TISSUE = "database", "tissue"
PER_MILLION = 1e6


def load_own_bulk(expression: Path, response: Path, measure: str) -> Bulk:
    """Load expression and response tables.

    Parameters
    ----------
    expression
        Wide (lines x genes or genes x lines) or long (``line, gene, value``). ``database`` and ``tissue`` may stand
        beside the genes, in long tables beside the values.
    response
        Wide (lines x drugs) or long (``line, drug, value``), with an optional ``database``.
    measure
        ``ln_ic50``, ``ic50`` (its logarithm is taken), ``auc`` or ``label``.

    Raises
    ------
    InputError
        If a table cannot be used, or no line has both.

    Notes
    -----
    Counts and TPM are brought to a million per line and log1p. Lines of one canonical name are one line: within a
    database their values are averaged; with several databases each gene is standardised within each database first.
    """
    for path in (expression, response):
        check_file(path, SUFFIXES)
    measurements, measure = _read_response(response, measure)
    values, lines, scale, notes = _read_expression(expression)
    shared = values.index.intersection(measurements["line"].unique())
    if shared.empty:
        raise InputError(
            f"{response}: none of its lines (such as {', '.join(measurements['line'].unique()[:3])}) is in "
            f"{expression} (such as {', '.join(values.index[:3])}); line names must agree but for case and punctuation"
        )
    notes.append(
        f"{len(shared)} lines have both expression and response, of {len(values)} and {measurements['line'].nunique()}"
    )
    measurements = measurements[measurements["line"].isin(shared)].reset_index(drop=True)
    return Bulk(values.loc[shared], lines.loc[shared], measurements, measure, expression.name, scale, notes)


def _read_table(path: Path) -> pd.DataFrame:
    """Read a table; the names of rows are in the first column."""
    import anndata as ad

    try:
        if suffix_of(path) == ".h5ad":
            data = ad.read_h5ad(path)
            table = pd.concat([data.obs[data.obs.columns.intersection([DATABASE, TISSUE])], data.to_df()], axis=1)
        elif suffix_of(path) == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, sep="," if suffix_of(path) == ".csv" else "\t", low_memory=False)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)}); the file is damaged or of another kind") from None
    if not isinstance(table.index, pd.RangeIndex):
        table = table.rename_axis(table.index.name or "line").reset_index()
    if table.empty or table.shape[1] < 2:
        raise InputError(f"{path}: {len(table)} rows and {table.shape[1]} columns; there is nothing to read")
    return table


def _find(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    """Return the column that goes by one of the names, in any case."""
    by_name = {str(column).lower(): column for column in reversed(table.columns)}
    return next((by_name[name] for name in names if name in by_name), None)


def _read_response(path: Path, measure: str) -> tuple[pd.DataFrame, str]:
    """Return ``drug, line, database, value`` without missing values, and the measure."""
    table = _read_table(path)
    line, drug = _find(table, LINE) or table.columns[0], _find(table, DRUG)
    database = _find(table, (DATABASE,))
    if drug is not None:
        value = _find(table, (measure, *VALUE))
        if value is None:
            raise InputError(f"{path}: no column with the response; call it 'value' or '{measure}'")
        table = table.rename(columns={line: "line", drug: "drug", value: "value"})
    else:
        described = [line] + ([database] if database else [])
        table = table.melt(id_vars=described, var_name="drug", value_name="value").rename(columns={line: "line"})
    table[DATABASE] = table[database].astype(str) if database else "own"
    given = table["value"]
    table["value"] = pd.to_numeric(given, errors="coerce")
    wrong = table["value"].isna() & given.notna()
    if wrong.any():
        row = table.loc[wrong.idxmax()]
        raise InputError(f"{path}: line {row['line']}, drug {row['drug']}: '{given[wrong.idxmax()]}' is not a number")
    table = table.dropna(subset=["line", "drug", "value"])
    if table.empty:
        raise InputError(f"{path}: no response value at all")
    table = table.assign(line=table["line"].map(line_key), drug=table["drug"].astype(str))
    table, measure = _check_measure(table, measure, path)
    return table[["drug", "line", DATABASE, "value"]].reset_index(drop=True), measure


def _check_measure(table: pd.DataFrame, measure: str, path: Path) -> tuple[pd.DataFrame, str]:
    """Check the values against the measure; take the logarithm of an IC50."""
    if measure == "label" and not table["value"].isin([0, 1]).all():
        wrong = table[~table["value"].isin([0, 1])].iloc[0]
        raise InputError(
            f"{path}: line {wrong['line']}, drug {wrong['drug']}: label {wrong['value']:g} is neither 1 "
            "(sensitive) nor 0 (resistant)"
        )
    if measure != "ic50":
        return table, measure
    if (table["value"] <= 0).any():
        wrong = table[table["value"] <= 0].iloc[0]
        raise InputError(
            f"{path}: line {wrong['line']}, drug {wrong['drug']}: an IC50 of {wrong['value']:g} is not "
            "possible; if it is a logarithm, use --response_measure ln_ic50"
        )
    return table.assign(value=np.log(table["value"])), "ln_ic50"


def _read_expression(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, str, list[str]]:
    """Return expression (canonical lines x symbols), ``database`` and ``tissue`` of the lines, scale and notes."""
    table, lines = _wide(_read_table(path), path)
    table, notes = canonical_columns(_numeric(table, path), path.name)
    matrix = table.to_numpy(np.float32)
    seen = look_at(matrix)
    if seen.bad is not None:
        row, column = seen.bad
        raise InputError(f"{path}: line {table.index[row]}, gene {table.columns[column]}: the value is missing")
    scale, statement = settle_scale(seen, "auto", str(path))
    notes.append(f"{path.name}: {statement}")
    if scale in ("counts", "tpm"):
        total = matrix.sum(axis=1, keepdims=True)
        matrix = np.log1p(matrix / np.where(total > 0, total, 1) * PER_MILLION)
        scale = "log1p"
    keys = pd.Index([line_key(name) for name in table.index], name="line")
    table, lines = pd.DataFrame(matrix, index=keys, columns=table.columns), lines.set_axis(keys)
    databases = sorted(lines[DATABASE].unique())
    if len(databases) > 1:
        groups = table.groupby(lines[DATABASE].to_numpy())
        spread = groups.transform("std", ddof=0)
        table = (table - groups.transform("mean")) / spread.where(spread > 0, 1.0)
        scale = "zscore_per_gene_and_database"
        notes.append(f"{path.name}: each gene is standardised within each of {', '.join(databases)}")
    if not keys.is_unique:
        notes.append(f"{path.name}: {len(keys)} profiles are merged to {keys.nunique()} lines")
    merged = lines.groupby(level=0).agg({DATABASE: lambda names: "+".join(sorted(set(names))), TISSUE: "first"})
    return table.groupby(level=0).mean().astype(np.float32), merged, scale, notes


def _wide(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return lines x genes, and ``database`` and ``tissue``, row by row."""
    line, gene = _find(table, LINE), _find(table, GENE)
    value = _find(table, VALUE)
    database, tissue = _find(table, (DATABASE,)), _find(table, (TISSUE,))
    described = {database: DATABASE, tissue: TISSUE}
    described.pop(None, None)
    if line and gene and value:
        table = table.rename(columns={line: "line", **described})
        for column, default in ((DATABASE, "own"), (TISSUE, "unknown")):
            table[column] = table[column].fillna(default) if column in table else default
        wide = table.pivot_table(index=["line", DATABASE, TISSUE], columns=gene, values=value, aggfunc="mean")
        lines = wide.index.to_frame(index=False)
        return wide.set_axis(wide.index.get_level_values("line").astype(str)), lines[[DATABASE, TISSUE]]
    table = table.set_index(line or table.columns[0])
    lines = table[list(described)].rename(columns=described)
    table = table.drop(columns=list(described))
    in_rows, in_columns = map_names(table.index[:500]).share, map_names(table.columns[:500]).share
    if in_rows >= MIN_MATCHED and in_rows > in_columns:
        table, lines = table.T, pd.DataFrame(index=table.columns)
    lines = lines.reindex(columns=[DATABASE, TISSUE]).astype(object)
    return table.set_axis(table.index.astype(str)), lines.fillna({DATABASE: "own", TISSUE: "unknown"}).astype(str)


def _numeric(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Make sure that all values are numbers."""
    for name in table.select_dtypes(exclude="number").columns:
        numbers = pd.to_numeric(table[name], errors="coerce")
        wrong = (numbers.isna() & table[name].notna()).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            given = table[name].iloc[row]
            raise InputError(f"{path}: row {table.index[row]}, column {name}: '{given}' is not a number")
        table = table.assign(**{str(name): numbers})
    return table
