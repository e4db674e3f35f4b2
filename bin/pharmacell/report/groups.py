"""The chapter on groups: how the prediction differs between groups of cells."""

from typing import TYPE_CHECKING

from pharmacell.data.columns import OBS_GROUP
from pharmacell.report.writer import table
from pharmacell.response.columns import CELL_ID, CLASS_NAMES, LABEL, PROBABILITY, TRUTH

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.report.results import Results
    from pharmacell.report.writer import Writer

ROWS = 60  # groups in the table; the others are in predictions.csv


def cells_with_groups(results: "Results") -> "pd.DataFrame | None":
    """Return the predictions with the group of each cell; None where there are no groups.

    Parameters
    ----------
    results
        One sample's results.
    """
    if OBS_GROUP not in results.obs:
        return None
    cells = results.predictions.copy()
    groups = results.obs[OBS_GROUP].astype(str)
    cells["group"] = groups.set_axis(groups.index.astype(str)).reindex(cells[CELL_ID]).to_numpy()
    if results.significance is not None:
        cells = cells.merge(results.significance[[CELL_ID, "call"]], on=CELL_ID, how="left")
    return cells


def write_groups(write: "Writer", results: "Results") -> None:
    """Write a row for each group, the most sensitive first; nothing where there are no groups.

    Parameters
    ----------
    write
        Writes the sections.
    results
        One sample's results.
    """
    cells = cells_with_groups(results)
    if cells is None:
        return
    summaries = {str(name): row(group) for name, group in cells.groupby("group")}
    order = sorted(summaries, key=lambda name: -cells.loc[cells["group"] == name, PROBABILITY].mean())
    note = f" The first {ROWS} of {len(order):,} are shown." if len(order) > ROWS else ""
    write.text(
        "groups",
        results.label,
        table({name: summaries[name] for name in order[:ROWS]}, "group"),
        f"The most sensitive group comes first.{note}",
        part="table",
    )


def row(cells: "pd.DataFrame") -> dict[str, str]:
    """Return what is said of one group: column to text.

    Parameters
    ----------
    cells
        Its cells, with probability, label, and truth and call where they are known.
    """
    values = {
        "cells": f"{len(cells):,}",
        "predicted sensitive": f"{100 * cells[LABEL].mean():.0f} %",
        "mean probability": f"{cells[PROBABILITY].mean():.2f}",
    }
    if "call" in cells:
        for name in reversed(CLASS_NAMES):
            values[f"stand out as {name}"] = f"{100 * (cells['call'] == name).mean():.0f} %"
    if TRUTH in cells:
        known = cells[TRUTH].notna()
        values["truly sensitive"] = f"{100 * cells.loc[known, TRUTH].mean():.0f} %" if known.any() else "not known"
    return values
