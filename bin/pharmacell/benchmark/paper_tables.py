"""The tables of the paper, as csv and as LaTeX."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.benchmark.columns import SETTING, WHOLE_OR_MISSING
from pharmacell.benchmark.main_settings import REFERENCE
from pharmacell.benchmark.statistics import RANKED
from pharmacell.core.files import whole_file

if TYPE_CHECKING:
    import pandas as pd

METRIC_TITLES = {
    "auroc": "AUROC",
    "average_precision": "average precision",
    "lift": "average precision above chance",
    "f1": "F1",
    "f1_weighted": "weighted F1",
    "precision": "precision",
    "recall": "recall",
    "mcc": "MCC",
    "balanced_accuracy": "balanced accuracy",
    "brier": "Brier score",
    "expected_calibration_error": "calibration error",
    "prevalence": "prevalence",
}
OURS, PUBLISHED = "this run", "published"
CAPTIONS = {
    "table1": f"Resampling of the training part, {REFERENCE}.",
    "table3": "Scores of every model and setting.",
    "table4": "Models on each dataset, each in the setting that stands for it.",
}
EXPLANATION = (
    "Mean and standard deviation over the means of the repeats; with a missing fit no mean is given, and "
    "folds in which a score does not exist are counted in brackets."
)


def cell(row: dict) -> str:
    """Return ``0.812 ± 0.013``, or what is missing or undefined instead.

    Parameters
    ----------
    row
        ``mean``, ``sd``, ``n_expected``, ``n_missing`` and ``n_undefined`` of one score.
    """
    if row["n_missing"]:
        return f"missing ({row['n_missing']} of {row['n_expected']} folds)"
    if not np.isfinite(row["mean"]):
        return "undefined"
    some = f" ({row['n_undefined']} of {row['n_expected']} folds undefined)" if row["n_undefined"] else ""
    return number(row["mean"], row["sd"]) + some


def number(mean: float, sd: float) -> str:
    """Return ``0.812 ± 0.013``, or the mean alone when there is no standard deviation.

    Parameters
    ----------
    mean, sd
        Of a score; ``sd`` may be NaN.
    """
    return f"{mean:.3f} ± {sd:.3f}" if np.isfinite(sd) else f"{mean:.3f}"


def paper_tables(
    means: "pd.DataFrame", main: "pd.DataFrame", ranks: "pd.DataFrame", published: "pd.DataFrame"
) -> dict[str, "pd.DataFrame"]:
    """Return Tables 1, 3 and 4 as they are printed.

    Parameters
    ----------
    means
        As :func:`pharmacell.benchmark.mean_scores.mean_scores` returns it.
    main
        The setting that stands for each model, columns ``SETTING``.
    ranks
        Mean rank of each model over the datasets: ``protocol, metric, model, mean_rank``.
    published
        As :func:`pharmacell.benchmark.published.read_published` returns it.

    Returns
    -------
    dict
        ``table1``, ``table3`` and ``table4``; the column ``source`` says whose numbers a row holds.
    """
    means = means.assign(text=[cell(row) for row in means.to_dict("records")], source=OURS)
    chosen = main[main["model"] == REFERENCE].drop(columns="sampling")
    sampled = means.merge(chosen, on=[name for name in SETTING if name != "sampling"])
    beside = published[published["dataset"].isin(means["dataset"])].assign(
        source=PUBLISHED,
        text=lambda rows: [number(*pair) for pair in zip(rows["mean"], rows["sd"], strict=True)],
        drug="",
        protocol="",
        heads=None,
    )
    by_table = {name: beside[beside["table"] == name] for name in ("1", "3", "4")}
    return {
        "table1": one_row_each(sampled, by_table["1"], ["protocol", "dataset", "drug", "model", "heads", "sampling"]),
        "table3": one_row_each(means, by_table["3"], ["protocol", "dataset", "drug", "model", "heads", "sampling"]),
        "table4": one_column_each(means.merge(main, on=SETTING), by_table["4"], ranks),
    }


def one_row_each(ours: "pd.DataFrame", published: "pd.DataFrame", keys: list[str]) -> "pd.DataFrame":
    """Return a row for each setting and a column for each score.

    Parameters
    ----------
    ours
        Scores of this run: keys, ``metric``, ``source`` and ``text``.
    published
        The paper's, with the same columns.
    keys
        Columns that name a setting.
    """
    import pandas as pd

    parts = [wide(part, [*keys, "source"], "metric", list(METRIC_TITLES)) for part in (ours, published) if len(part)]
    if not parts:
        return pd.DataFrame(columns=[*keys, "source", *METRIC_TITLES])
    return pd.concat(parts, ignore_index=True).astype(WHOLE_OR_MISSING)


def one_column_each(ours: "pd.DataFrame", published: "pd.DataFrame", ranks: "pd.DataFrame") -> "pd.DataFrame":
    """Return a row for each score and model, a column for each dataset, and the mean rank over the datasets.

    Parameters
    ----------
    ours, published
        See :func:`one_row_each`.
    ranks
        Mean rank of each model over the datasets, columns ``RANKS``.
    """
    import pandas as pd

    keys = ["protocol", "metric", "model", "heads", "sampling", "source"]
    datasets = list(dict.fromkeys(ours["dataset"]))
    parts = [wide(part[part["metric"].isin(RANKED)], keys, "dataset", datasets) for part in (ours, published)]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True).astype(WHOLE_OR_MISSING)
    table = table.merge(
        ranks.assign(source=OURS, mean_rank=ranks["mean_rank"].round(2)),
        how="left",
        on=["protocol", "metric", "model", "source"],
    )
    order = {name: number for number, name in enumerate(RANKED)}
    return table.sort_values(
        ["protocol", "metric"], key=lambda column: column.map(order).fillna(column), kind="stable", ignore_index=True
    )


def wide(table: "pd.DataFrame", keys: list[str], across: str, columns: list[str]) -> "pd.DataFrame":
    """Spread ``text`` over the values of one column, with rows and columns in the order in which they are given.

    Parameters
    ----------
    table
        Long, with a column ``text``.
    keys
        Columns that name a row.
    across
        Column whose values become columns.
    columns
        These values, in their order.
    """
    table = table.assign(heads=table["heads"].astype("Int64"))
    rows = table[keys].drop_duplicates()
    for name in columns:
        values = table[table[across] == name].drop_duplicates(keys)[[*keys, "text"]].rename(columns={"text": name})
        rows = rows.merge(values, on=keys, how="left")
    return rows.fillna(dict.fromkeys(columns, "")).reset_index(drop=True)


def write_table(table: "pd.DataFrame", folder: Path, name: str) -> None:
    """Write a table as csv, and as LaTeX (longtable and booktabs).

    Parameters
    ----------
    table
        As it is printed.
    folder
        Where the files go.
    name
        Of the files, a key of ``CAPTIONS``.
    """
    with whole_file(folder / f"{name}.csv") as partial:
        table.to_csv(partial, index=False)
    titles = {column: METRIC_TITLES.get(column, column.replace("_", " ")) for column in table}
    text = table.astype(object).where(table.notna(), "").rename(columns=titles)
    if "metric" in text:
        text["metric"] = text["metric"].map(METRIC_TITLES)
    style = text.style.hide(axis="index").format(escape="latex", precision=2).format_index(escape="latex", axis=1)
    with whole_file(folder / f"{name}.tex") as partial:
        partial.write_text(
            "% needs \\usepackage{longtable,booktabs}\n"
            + style.to_latex(
                environment="longtable",
                hrules=True,
                column_format="l" * text.shape[1],
                label=f"tab:{name}",
                caption=f"{CAPTIONS[name]} {EXPLANATION}",
            ).replace("±", r"$\pm$")
        )
