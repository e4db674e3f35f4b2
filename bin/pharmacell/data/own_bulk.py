"""A bulk data set from the user's own tables, wide or long."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.bulk import SCALE_BY_GENE, Bulk
from pharmacell.data.genes import MIN_MATCHED, canonical_columns, map_names
from pharmacell.data.input_file import check_file, reason, suffix_of
from pharmacell.data.names import drug_key, line_key, text_id
from pharmacell.data.scale import look_at, settle_scale
from pharmacell.data.text_table import TEXT_SUFFIXES, read_table

SUFFIXES = (*TEXT_SUFFIXES, ".parquet", ".h5ad")
LINE = ("line", "cell_line", "cell_line_name", "cellline", "model", "sample", "cosmic_id", "depmap_id")
GENE = ("gene", "symbol", "gene_symbol", "gene_name")
DRUG = ("drug", "drug_name", "compound", "compound_name", "drug_id")
VALUE = ("value", "ln_ic50", "ic50", "auc", "label", "response", "expression")
DATABASE, TISSUE = "database", "tissue"
UNNAMED = ("", "unnamed: 0")
DESCRIBING = (*LINE, *GENE, *DRUG, DATABASE, TISSUE)  # columns of names, which are text whatever they look like
PER_MILLION = 1e6
NEAR = 0.1  # of mean 0 and deviation 1
SHARE_STANDARD = 0.9  # of the genes that have them where a table was standardised gene by gene


def load_own_bulk(expression: Path, response: Path, measure: str) -> Bulk:
    """Load expression and response tables.

    Parameters
    ----------
    expression
        Wide (lines x genes or genes x lines) or long (``line, gene, value``). ``database`` and ``tissue`` may stand
        beside the genes, in long tables beside the values.
    response
        Wide (lines x drugs or drugs x lines) or long (``line, drug, value``), with an optional ``database``.
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
    values, lines, scale, notes = _read_expression(expression)
    measurements, measure, said = _read_response(response, measure, values.index)
    notes += said
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
    """Read a table; the names of rows are in the first column. Columns of names are text, and so is the header."""
    import anndata as ad

    try:
        if suffix_of(path) == ".h5ad":
            data = ad.read_h5ad(path)
            table = pd.concat([data.obs[data.obs.columns.intersection([DATABASE, TISSUE])], data.to_df()], axis=1)
        elif suffix_of(path) == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = read_table(path, lambda name: name.lower() in DESCRIBING)
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise InputError(f"{path}: cannot be read ({reason(error)}); the file is damaged or of another kind") from None
    if not isinstance(table.index, pd.RangeIndex):
        table = table.rename_axis(table.index.name or "line").reset_index()
    if table.empty or table.shape[1] < 2:
        raise InputError(f"{path}: {len(table)} rows and {table.shape[1]} columns; there is nothing to read")
    return _without_row_numbers(table.set_axis([str(name) for name in table.columns], axis=1))


def _without_row_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Leave out a first column without a name that counts the rows, as ``to_csv`` of pandas and R write it."""
    first = pd.to_numeric(table.iloc[:, 0], errors="coerce").to_numpy()
    counts = any(np.array_equal(first, np.arange(start, start + len(table))) for start in (0, 1))
    unnamed = table.columns[0].strip().lower() in UNNAMED
    named = any(_find(table, names) for names in (LINE, GENE, DRUG))
    return table.iloc[:, 1:] if unnamed and named and counts else table


def _ids(values: pd.Series | pd.Index, path: Path, kind: str) -> list[str | None]:
    """Return ids as text, None where there is none.

    Raises
    ------
    InputError
        If a spreadsheet has written one with an exponent.
    """
    try:
        return [text_id(value) for value in values]
    except ValueError as error:
        raise InputError(f"{path}: {kind}: {error}; write the table again with the ids as text") from None


def _find(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    """Return the column that goes by one of the names, in any case."""
    by_name = {str(column).lower(): column for column in reversed(table.columns)}
    return next((by_name[name] for name in names if name in by_name), None)


def _read_response(path: Path, measure: str, lines: pd.Index) -> tuple[pd.DataFrame, str, list[str]]:
    """Return ``drug, line, database, value`` without missing values, the measure, and what was done."""
    table = _long(_read_table(path), path, measure, lines)
    table = table.assign(line=_ids(table["line"], path, "line"), drug=_ids(table["drug"], path, "drug"))
    table["value"] = _numbers(table, path)
    unnamed = int((table[["line", "drug"]].isna().any(axis=1) & table["value"].notna()).sum())
    notes = [f"{path.name}: {unnamed} values without a line or a drug are left out"] if unnamed else []
    table = table.dropna(subset=["line", "drug", "value"])
    if table.empty:
        raise InputError(f"{path}: no response value at all")
    table = table.assign(line=table["line"].map(line_key))
    table, measure = _check_measure(table, measure, path)
    table, said = within_range(table)
    notes += [f"{path.name}: {sentence}" for sentence in said]
    if again := int(table.assign(drug=table["drug"].map(drug_key)).duplicated(["drug", "line", DATABASE]).sum()):
        notes.append(f"{path.name}: {again} values repeat a line, drug and database; each such set is averaged")
    return table[["drug", "line", DATABASE, "value"]].reset_index(drop=True), measure, notes


def _long(table: pd.DataFrame, path: Path, measure: str, lines: pd.Index) -> pd.DataFrame:
    """Return ``drug, line, database, value`` as they stand in a response table of any layout.

    Parameters
    ----------
    table, path
        What was read, and from where.
    measure
        May be the name of the column of values.
    lines
        Canonical names of the lines with expression: a wide table has lines in its rows, unless more of its columns
        are among these.
    """
    line, drug = _find(table, LINE), _find(table, DRUG)
    value, database = _find(table, (measure, *VALUE)), _find(table, (DATABASE,))
    first = line or next(name for name in table.columns if name != drug)
    if drug and value:
        table = table.rename(columns={first: "line", drug: "drug", value: "value", database: DATABASE})
    else:
        described = [name for name in table.columns if name.lower() in DESCRIBING]
        names, rows = "drug", first
        if _known(table.columns, lines) > _known(table[first], lines):
            names, rows = "line", drug or table.columns[0]
        elif drug:
            raise InputError(f"{path}: no column with the response; call it 'value' or '{measure}'")
        table = table.melt(id_vars=list(dict.fromkeys([rows, *described])), var_name=names, value_name="value")
        table = table.rename(columns={rows: "line" if names == "drug" else "drug", database: DATABASE})
    return table.assign(**{DATABASE: table[DATABASE].astype(str) if database else "own"})


def _known(names: Iterable, lines: pd.Index) -> float:
    """Return the share of names that are lines."""
    return float(pd.Index([line_key(name) for name in names]).isin(lines).mean())


def _numbers(table: pd.DataFrame, path: Path) -> pd.Series:
    """Return the responses as numbers."""
    given = table["value"]
    numbers = pd.to_numeric(given, errors="coerce")
    wrong = numbers.isna() & given.notna() & (given.astype(str).str.strip() != "")
    if wrong.any():
        row = table.loc[wrong.idxmax()]
        raise InputError(f"{path}: line {row['line']}, drug {row['drug']}: '{row['value']}' is not a number")
    return numbers


def within_range(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Replace infinite responses by the most extreme finite one of the drug; leave out drugs that have none.

    Parameters
    ----------
    table
        ``drug, value``. An IC50 that no dose reached is often written as Inf, one below the lowest dose as 0, whose
        logarithm is -Inf: such lines are the most resistant, and the most sensitive, that were seen.

    Returns
    -------
    table : pandas.DataFrame
        With finite values only.
    notes : list of str
        What was replaced.
    """
    infinite = np.isinf(table["value"])
    if not infinite.any():
        return table, []
    by_drug = table["value"].where(~infinite).groupby(table["drug"].map(drug_key))
    values = table["value"].where(table["value"] != np.inf, by_drug.transform("max"))
    values = values.where(values != -np.inf, by_drug.transform("min"))
    notes = [f"{infinite.sum()} infinite responses, or IC50 of 0, count as the drug's most extreme finite one"]
    if len(lost := sorted(table.loc[values.isna(), "drug"].unique())):
        notes.append(f"left out {', '.join(lost)}: no finite response")
    return table.assign(value=values).dropna(subset="value"), notes


def _check_measure(table: pd.DataFrame, measure: str, path: Path) -> tuple[pd.DataFrame, str]:
    """Check the values against the measure; take the logarithm of an IC50."""
    if measure == "label" and not table["value"].isin([0, 1]).all():
        wrong = table[~table["value"].isin([0, 1])].iloc[0]
        raise InputError(
            f"{path}: line {wrong['line']}, drug {wrong['drug']}: label {wrong['value']:g} is neither 1 "
            "(sensitive) nor 0 (resistant)"
        )
    if measure == "auc" and np.isinf(table["value"]).any():
        wrong = table[np.isinf(table["value"])].iloc[0]
        raise InputError(f"{path}: line {wrong['line']}, drug {wrong['drug']}: an AUC cannot be infinite; leave it out")
    if measure != "ic50":
        return table, measure
    if (table["value"] < 0).any():
        wrong = table[table["value"] < 0].iloc[0]
        raise InputError(
            f"{path}: line {wrong['line']}, drug {wrong['drug']}: an IC50 of {wrong['value']:g} is not "
            "possible; if it is a logarithm, use --response_measure ln_ic50"
        )
    with np.errstate(divide="ignore"):  # of 0: below the lowest dose
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
    if scale == "zscore" and is_standardised_by_gene(matrix):
        scale = SCALE_BY_GENE
        notes.append(
            f"{path.name}: each gene is standardised over the lines, so no cells can be simulated from them; "
            "--config default needs expression before that step"
        )
    keys = pd.Index([line_key(name) for name in table.index], name="line")
    table, lines = pd.DataFrame(matrix, index=keys, columns=table.columns), lines.set_axis(keys)
    databases = sorted(lines[DATABASE].unique())
    if len(databases) > 1:
        table = adjusted_by_database(table, lines[DATABASE].to_numpy())
        notes.append(f"{path.name}: each gene has the same mean and deviation in each of {', '.join(databases)}")
    if not keys.is_unique:
        notes.append(f"{path.name}: {len(keys)} profiles are merged to {keys.nunique()} lines")
    merged = lines.groupby(level=0).agg({DATABASE: lambda names: "+".join(sorted(set(names))), TISSUE: "first"})
    return table.groupby(level=0).mean().astype(np.float32), merged, scale, notes


def is_standardised_by_gene(matrix: np.ndarray) -> bool:
    """Tell whether nearly every gene has mean 0 and deviation 1 over the lines.

    Parameters
    ----------
    matrix
        Lines x genes.
    """
    mean, deviation = matrix.mean(0), matrix.std(0)
    varies = deviation > 0
    standard = (np.abs(mean) < NEAR) & (np.abs(deviation - 1) < NEAR)
    return bool(varies.any()) and float(standard[varies].mean()) >= SHARE_STANDARD


def adjusted_by_database(table: pd.DataFrame, database: np.ndarray) -> pd.DataFrame:
    """Give each gene one mean and one deviation in all databases, so that its level against other genes is kept.

    Both are the mean over the databases, each of which counts once.

    Parameters
    ----------
    table
        Profiles x genes.
    database
        Of each profile.
    """
    groups = table.groupby(database)
    mean, spread = groups.transform("mean"), groups.transform("std", ddof=0)
    return (table - mean) / spread.where(spread > 0, 1.0) * groups.std(ddof=0).mean() + groups.mean().mean()


def _wide(table: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return lines x genes, and ``database`` and ``tissue``, row by row; rows without a line are left out."""
    line, gene = _find(table, LINE), _find(table, GENE)
    value = _find(table, VALUE)
    database, tissue = _find(table, (DATABASE,)), _find(table, (TISSUE,))
    described = {old: new for old, new in ((database, DATABASE), (tissue, TISSUE)) if old}
    if line and gene and value:
        table = table.rename(columns={line: "line", **described})
        table = table.assign(line=_ids(table["line"], path, "line")).dropna(subset=["line", gene])
        for column, default in ((DATABASE, "own"), (TISSUE, "unknown")):
            table[column] = table[column].fillna(default) if column in table else default
        wide = table.pivot_table(index=["line", DATABASE, TISSUE], columns=gene, values=value, aggfunc="mean")
        lines = wide.index.to_frame(index=False)
        return wide.set_axis(wide.index.get_level_values("line").astype(str)), lines[[DATABASE, TISSUE]]
    table = table.set_index(line or table.columns[0])
    lines = table[list(described)].rename(columns=described)
    table = table.drop(columns=[name for name in table.columns if name.lower() in DESCRIBING])
    in_rows, in_columns = (map_names(names[:500].astype(str)).share for names in (table.index, table.columns))
    if in_rows >= MIN_MATCHED and in_rows > in_columns:
        table, lines = table.T, pd.DataFrame(index=table.columns)
    ids = _ids(table.index, path, "line")
    named = np.array([name is not None for name in ids])
    lines = lines.reindex(columns=[DATABASE, TISSUE]).astype(object)
    lines = lines.fillna({DATABASE: "own", TISSUE: "unknown"}).astype(str)[named]
    return table[named].set_axis([name for name in ids if name is not None]), lines


def _numeric(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Make sure that all values are numbers."""
    text = [place for place, kind in enumerate(table.dtypes) if not pd.api.types.is_numeric_dtype(kind)]
    if not text:
        return table
    columns = [table.iloc[:, place] for place in range(table.shape[1])]
    for place in text:
        given = columns[place]
        columns[place] = pd.to_numeric(given, errors="coerce")
        wrong = (columns[place].isna() & given.notna()).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{path}: row {table.index[row]}, column {given.name}: '{given.iloc[row]}' is not a number"
            )
    return pd.concat(columns, axis=1)
