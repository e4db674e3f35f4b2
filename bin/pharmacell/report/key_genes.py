"""The chapter on the genes behind the predictions."""

import html
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.words import sentence, with_interval

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.report.results import KeyGeneResults, Results
    from pharmacell.report.writer import Writer

ROWS = 12  # of each class in the table
COLUMNS = {
    "gene": "gene",
    "attribution": "mean attribution",
    "std": "spread over replicas",
    "fdr": "FDR",
    "log_fold_change": "log fold change",
    "expressed": "expressed",
    "is_deg": "DEG",
}


def write_key_genes(write: "Writer", results: "Results") -> None:
    """Write what was found and the first key genes; nothing when predictions were not explained.

    Parameters
    ----------
    write
        Writes the sections.
    results
        One sample's results.
    """
    found = results.key_genes
    if found is None:
        return
    content = "".join(f"<p>{html.escape(text)}</p>" for text in (overview(found), missing(found)) if text)
    write.text("key_genes", results.label, content + top_table(found.table), part="overview")


def overview(found: "KeyGeneResults") -> str:
    """Say what was explained, against what, and how many key genes are differentially expressed.

    Parameters
    ----------
    found
        What was found.
    """
    summary = found.summary
    text = (
        f"Explained is the {summary['explained']}, in {summary['n_cells']:,} cells ({summary['n_sensitive']:,} "
        f"predicted sensitive, {summary['n_resistant']:,} resistant) and {summary['n_genes']:,} genes."
    )
    if summary["n_cells_attributed"] < summary["n_cells"]:
        text += (
            f" Attributed are {summary['n_cells_attributed']:,} of the cells, drawn with the shares of predicted "
            "classes and groups that all cells have."
        )
    if not len(found.table):
        return text
    known = summary["truth_known"]
    if summary["ig_baseline"] == "resistant":
        text += (
            f" Sensitive cells are compared with the mean resistant cell and resistant cells with the mean "
            f"sensitive one, by {'true' if known else 'predicted'} labels."
        )
    else:
        text += " Cells are compared with the mean cell of the sample."
    for name, each in summary["degs_among_top"].items():
        text += (
            f" Of the first {each['top']} genes towards {name}, {each['degs']} are differentially expressed "
            f"between the {'true' if summary['degs_of'] == 'truth' else 'predicted'} classes; chance would give "
            f"{each['by_chance']:.0f}."
        )
    if not known:
        text += " The truth is not known: everything rests on predicted labels."
    return text + " An attribution says what the model uses; it is not a cause."


def missing(found: "KeyGeneResults") -> str:
    """Say which parts are not there, and why; empty when all are.

    Parameters
    ----------
    found
        What was found.
    """
    parts: dict[str, list[str]] = {}
    for part, reason in found.summary["missing"].items():
        parts.setdefault(reason, []).append(part)
    return " ".join(f"Not there: {', '.join(names)}. {sentence(reason)}" for reason, names in parts.items())


def completeness(found: "KeyGeneResults") -> str:
    """State how far the attributions of integrated gradients sum to what they explain.

    Parameters
    ----------
    found
        What was found.
    """
    gaps = found.summary.get("completeness_gap", {})
    return " ".join(
        f"Towards {name}, a cell's attributions miss the network's logit difference by "
        f"{100 * gap['mean']:.2f} % of its mean."
        for name, gap in gaps.items()
    )


def separated(found: "KeyGeneResults") -> str:
    """Say whether key genes separate the classes better than differentially expressed genes.

    Parameters
    ----------
    found
        What was found.
    """
    if "separation" not in found.tables:
        return ""
    rows = found.tables["separation"].set_index("score")
    row = rows.loc["difference"]
    verdict = "It cannot be told whether key genes or DEGs separate the classes better."
    if row["low"] > 0:
        verdict = "Key genes separate the classes better than DEGs."
    elif row["high"] < 0:
        verdict = "DEGs separate the classes better than key genes."
    text = (
        f"{verdict} AUROC of key genes {with_interval(*rows.loc['key genes', ['auroc', 'low', 'high']])}, of DEGs "
        f"{with_interval(*rows.loc['DEGs', ['auroc', 'low', 'high']])}; difference "
        f"{with_interval(*row[['auroc', 'low', 'high']])}, p = {row['p']:.2g}, whole {row['drawn']} drawn."
    )
    if row["labels"] == "predicted":
        text += " The classes are predicted ones, from which both lists were made, so both AUROCs flatter."
    return text.replace("whole cells", "cells")


def top_table(table: "pd.DataFrame") -> str:
    """Return the first genes of each class as an html table.

    Parameters
    ----------
    table
        Genes of each class, the most important first.
    """
    if not len(table):
        return ""
    parts = []
    for name, rows in table.groupby("class", sort=False):
        head = "".join(f"<th>{html.escape(title)}</th>" for title in COLUMNS.values())
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(shown(row[key]))}</td>' for key in COLUMNS)}</tr>"
            for row in rows.head(ROWS).to_dict("records")
        )
        parts.append(
            f"<p><b>Towards {html.escape(str(name))}</b></p>"
            f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'
        )
    return "".join(parts)


def shown(value: object) -> str:
    """Return a value of the table as text.

    Parameters
    ----------
    value
        A truth value, a number or a word.
    """
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return f"{value:.2g}" if isinstance(value, float) else str(value)
