"""Drug response of cell lines: one row per drug and line, standardised and cut into two classes."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.drugs import choose_drugs, is_choice, match_drug
from pharmacell.data.names import drug_key

METHODS = ("quantile", "extremes", "threshold", "waterfall")
DROPPED = -1  # the label of a line that is neither
LINEAR = 0.95  # Pearson correlation above which a waterfall has no bend
FEWEST_REPEATED = 20  # lines that two releases measured; with fewer their correlation is off by 0.2 and more


@dataclass(frozen=True)
class ResponseReliability:
    """How far releases of a bulk data set agree on the response to a drug.

    Attributes
    ----------
    correlation
        Pearson correlation between two releases where both measured a line; of more than two the mean over pairs,
        weighted by the lines that both measured.
    n_lines
        Lines that more than one release measured.
    """

    correlation: float
    n_lines: int


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
        ``drug, line, value, z, reliability, reliability_lines, measure``, sorted, one row per drug and line. ``value``
        is the mean over databases; ``z`` is standardised over the lines of each database and drug, averaged, and shrunk
        where a database is missing (:func:`shrinkage`): lower is more sensitive. Rows of another measure count in ``z``
        alone, and with several studies ``study`` names those of each row, as CCLE+GDSC. ``reliability`` is the
        correlation between databases (:class:`ResponseReliability`), the same for all lines of a drug, NaN where fewer
        than 20 lines were measured twice; ``reliability_lines`` counts these.
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
    by_line = table.groupby(["key", "line"], observed=True)
    merged = by_line[["value", "z"]].mean().assign(measured=by_line.size()).reset_index()
    merged = merged.merge(_reliabilities(table), left_on="key", right_index=True)
    merged["z"] *= shrinkage(merged.pop("measured"), merged.pop("releases"), merged["reliability"])
    merged.insert(0, "drug", merged.pop("key").map(names))
    merged["measure"] = measure
    return merged.sort_values(["drug", "line"], ignore_index=True)


def shrinkage(measured: pd.Series, releases: pd.Series, reliability: pd.Series) -> pd.Series:
    """Return by what the mean of a line's measurements is multiplied when not all releases measured it.

    Of K releases whose measurements of a line correlate by rho, k measured the line. The mean of k standardised
    measurements has variance rho + (1 - rho) / k, so lines with few would fill both ends of the order and with them
    the classes. Each missing measurement is therefore put in as its best linear prediction from the others,
    k rho / (1 + (k - 1) rho) times their mean (Kelley's regressed score; Spearman 1910, Brown 1910), and the mean over
    all K is k (1 + (K - 1) rho) / (K (1 + (k - 1) rho)) times the mean over k. To divide by the standard deviation
    instead would leave every group of lines the same share of the ends, though more of the ends of single measurements
    is noise. Lines that all releases measured stay as they are, and so do drugs with one release.

    Parameters
    ----------
    measured
        Releases that measured the line, k.
    releases
        Releases that measured the drug, K.
    reliability
        Correlation between two releases, rho; below 0 counts as 0, NaN shrinks nothing.
    """
    rho = reliability.clip(lower=0.0)
    return (measured * (1 + (releases - 1) * rho) / (releases * (1 + (measured - 1) * rho))).fillna(1.0)


def _reliabilities(table: pd.DataFrame) -> pd.DataFrame:
    """Return ``releases, reliability, reliability_lines`` of each drug, from ``key, database, line, z``."""
    rows = {}
    for key, measurements in table.groupby("key", observed=True):
        releases = [part.set_index("line")["z"] for _, part in measurements.groupby("database", observed=True)]
        pairs = [pd.concat(pair, axis=1, join="inner").to_numpy() for pair in combinations(releases, 2)]
        pairs = [pair for pair in pairs if len(pair) >= FEWEST_REPEATED and (pair.std(0) > 0).all()]
        correlations = [np.corrcoef(pair.T)[0, 1] for pair in pairs]
        mean = np.average(correlations, weights=[len(pair) for pair in pairs]) if pairs else np.nan
        repeated = int((measurements["line"].value_counts() > 1).sum()) if len(releases) > 1 else 0
        rows[key] = (len(releases), mean, repeated)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["releases", "reliability", "reliability_lines"])


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
        ``drug, n_lines, n_sensitive, n_resistant, binarise, cut, measure, reliability, reliability_lines``, of the
        lines with a class; ``cut`` is in units of ``z``, for ``threshold`` in units of ``value``.

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
        quality = lines[["reliability", "reliability_lines"]].iloc[0]
        rows.append((drug, sum(counts), *counts, method, cut, measure, quality.iloc[0], int(quality.iloc[1])))
    columns = ["drug", "n_lines", "n_sensitive", "n_resistant", "binarise", "cut", "measure"]
    columns += ["reliability", "reliability_lines"]
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
        As the user wrote them: names, ``all``, ``target:T`` or ``pathway:P``. Of several drugs that one of the last
        three stands for, those with lines of one class only are left out.
    source
        What the table is called in a message.

    Raises
    ------
    InputError
        If a drug is unknown, or a named one has lines of one class only.
    """
    rows = []
    both = summary[["n_sensitive", "n_resistant"]].min(axis=1) > 0
    for drug in drugs:
        if is_choice(drug):
            found = choose_drugs(drug, summary["drug"].tolist(), source)
            rows += [row for _, row in summary[both & summary["drug"].isin(found)].iterrows()]
            continue
        name = match_drug(drug, summary["drug"], source)
        row = summary.loc[summary["drug"] == name].iloc[0]
        if min(row["n_sensitive"], row["n_resistant"]) == 0:
            raise InputError(
                f"{source}: {name} has {row['n_sensitive']} sensitive and {row['n_resistant']} resistant lines "
                f"(binarise: {row['binarise']}, cut: {row['cut']:.4g}); choose another --binarise or cut"
            )
        rows.append(row)
    return pd.DataFrame(rows, columns=summary.columns).drop_duplicates("drug").reset_index(drop=True)
