"""Drug response of cell lines: one row per drug and line, standardised and cut into two classes."""

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.drugs import match_drug
from pharmacell.data.names import drug_key

METHODS = ("quantile", "extremes", "threshold", "waterfall")
DROPPED = -1  # the label of a line that is neither
LINEAR = 0.95  # Pearson correlation above which a waterfall has no bend


def merge_releases(raw: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Bring all measurements of a line and drug to one row.

    Parameters
    ----------
    raw
        Columns ``drug``, ``line`` (canonical), ``database``, ``value``; several rows per drug and line are allowed.
        With several studies also ``study`` and the ``measure`` of each row.
    measure
        What ``value`` is: ``ln_ic50``, ``auc`` (both: lower is more sensitive) or ``label`` (1 sensitive).

    Returns
    -------
    pandas.DataFrame
        ``drug, line, value, z, measure``, sorted, one row per drug and line. ``value`` is the mean over databases;
        ``z`` is standardised over the lines of each database and drug, then averaged: lower is more sensitive. Rows of
        another measure count in ``z`` alone, and with several studies ``study`` names those of each row, as CCLE+GDSC.
    """
    if "study" in raw:
        return _merge_studies(raw, measure)
    table = raw.assign(key=raw["drug"].map({drug: drug_key(drug) for drug in raw["drug"].unique()}))
    names = table.groupby("key", observed=True)["drug"].agg(lambda drugs: drugs.value_counts().index[0]).str.strip()
    table = table.groupby(["key", "database", "line"], observed=True)["value"].mean().reset_index()
    by_release = table.groupby(["key", "database"], observed=True)["value"]
    spread = by_release.transform("std", ddof=0)
    centred = table["value"] - by_release.transform("mean")
    table["z"] = (centred / spread.where(spread > 0, 1.0).fillna(1.0)) * (-1.0 if measure == "label" else 1.0)
    merged = table.groupby(["key", "line"], observed=True)[["value", "z"]].mean().reset_index()
    merged.insert(0, "drug", merged.pop("key").map(names))
    merged["measure"] = measure
    return merged.sort_values(["drug", "line"], ignore_index=True)


def _merge_studies(raw: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Merge the rows of several studies; see :func:`merge_releases`."""
    higher_is_sensitive = raw["measure"] == "activity_area"
    signed = raw.assign(value=raw["value"].where(~higher_is_sensitive, -raw["value"]))
    merged = merge_releases(signed.drop(columns=["study", "measure"]), measure)
    named = raw.assign(key=raw["drug"].map({drug: drug_key(drug) for drug in raw["drug"].unique()}))
    by_line = named.groupby(["key", "line"], observed=True)
    facts = by_line["study"].agg(lambda names: "+".join(sorted(set(names)))).to_frame()
    facts["value"] = named[~higher_is_sensitive].groupby(["key", "line"], observed=True)["value"].mean()
    places = pd.MultiIndex.from_arrays([merged["drug"].map(drug_key), merged["line"]])
    return merged.assign(
        value=facts["value"].reindex(places).to_numpy(), study=facts["study"].reindex(places).to_numpy()
    )


def add_labels(
    response: pd.DataFrame, method: str, quantile: float = 0.3, threshold: float | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Call each line sensitive (1) or resistant (0), or neither (-1), drug by drug.

    Parameters
    ----------
    response
        From :func:`merge_releases`.
    method
        ``quantile``: the lowest ``quantile`` of ``z``; ``extremes``: these, and as resistant the highest ``quantile``,
        while lines between are neither; ``threshold``: ``value`` at most ``threshold``; ``waterfall``:
        at or below the bend of the sorted ``z`` (:func:`waterfall_cut`). A ``label`` measure is taken as it is.
    quantile
        Share of the lines that counts as sensitive, between 0 and 1.
    threshold
        In the unit of ``value``.

    Returns
    -------
    response : pandas.DataFrame
        With ``label`` (int8).
    summary : pandas.DataFrame
        ``drug, n_lines, n_sensitive, n_resistant, binarise, cut, measure``, of the lines with a class; ``cut`` is in
        units of ``z``, for ``threshold`` in units of ``value``.

    Raises
    ------
    InputError
        If ``threshold`` is asked for and not given, or the two ends of ``extremes`` overlap.
    """
    if method == "extremes" and quantile > 0.5:
        raise InputError(
            f"--binarise extremes: --sensitive_quantile {quantile:g} at both ends overlap; give at most 0.5"
        )
    if method == "threshold" and threshold is None:
        raise InputError("--binarise threshold: no threshold is given; add --sensitive_threshold")
    measure = response["measure"].iloc[0]
    if method == "threshold" and response["value"].isna().any():
        raise InputError(
            "--binarise threshold: some lines have a response in another unit alone (CCLE's activity areas); choose "
            "another --binarise, or --bulk gdsc"
        )
    if measure == "label":
        method, column, cut_of = "given", "value", None
    elif method == "threshold":
        column, cut_of = "value", lambda values: threshold
    else:
        column = "z"
        cut_of = waterfall_cut if method == "waterfall" else lambda values: float(np.quantile(values, quantile))
    pieces, rows = [], []
    for drug, lines in response.groupby("drug", sort=False):
        values = lines[column].to_numpy()
        cut = np.nan if cut_of is None else cut_of(values)
        labels = (values > 0.5 if cut_of is None else values <= cut).astype(np.int8)
        if method == "extremes":
            labels[(labels == 0) & (values < np.quantile(values, 1 - quantile))] = DROPPED
        pieces.append(lines.assign(label=labels))
        counts = [int((labels == label).sum()) for label in (1, 0)]
        rows.append((drug, sum(counts), *counts, method, cut, measure))
    columns = ["drug", "n_lines", "n_sensitive", "n_resistant", "binarise", "cut", "measure"]
    return pd.concat(pieces, ignore_index=True), pd.DataFrame(rows, columns=columns)


def waterfall_cut(values: np.ndarray) -> float:
    """Find the bend of the sorted responses.

    Parameters
    ----------
    values
        One value per line, shape (n_lines,); lower is more sensitive.

    Returns
    -------
    float
        The value farthest from the straight line between the lowest and the highest; the median when the sorted values
        lie on a straight line (Pearson correlation with the rank above 0.95).

    References
    ----------
    Barretina et al., Nature 483, 603 (2012), supplementary methods. Their third class, lines near the bend, is not
    kept: each line belongs to the side it lies on.
    """
    ordered = np.sort(np.asarray(values, dtype=float))
    if len(ordered) < 3 or ordered[0] == ordered[-1]:
        return float(np.median(ordered))
    rank = np.linspace(0.0, 1.0, len(ordered))
    if np.corrcoef(rank, ordered)[0, 1] > LINEAR:
        return float(np.median(ordered))
    height = (ordered - ordered[0]) / (ordered[-1] - ordered[0])
    return float(ordered[np.argmax(np.abs(height - rank))])


def select_drugs(summary: pd.DataFrame, drugs: list[str], source: str) -> pd.DataFrame:
    """Return the summary rows of the drugs asked for, in their order.

    Parameters
    ----------
    summary
        One row for each drug of the table.
    drugs
        As the user wrote them.
    source
        What the table is called in a message.

    Raises
    ------
    InputError
        If a drug is unknown or has lines of one class only.
    """
    rows = []
    for drug in drugs:
        name = match_drug(drug, summary["drug"], source)
        row = summary.loc[summary["drug"] == name].iloc[0]
        if min(row["n_sensitive"], row["n_resistant"]) == 0:
            raise InputError(
                f"{source}: {name} has {row['n_sensitive']} sensitive and {row['n_resistant']} resistant lines "
                f"(binarise: {row['binarise']}, cut: {row['cut']:.4g}); choose another --binarise or cut"
            )
        rows.append(row)
    return pd.DataFrame(rows, columns=summary.columns).drop_duplicates("drug").reset_index(drop=True)
