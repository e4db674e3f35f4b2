"""The chapter on pseudotime."""

import html
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.words import sentence, with_interval

if TYPE_CHECKING:
    from pharmacell.report.results import Results, TrajectoryResults
    from pharmacell.report.writer import Writer

FEW_GROUPS = 5  # with fewer, resamples hardly differ


def write_trajectory(write: "Writer", results: "Results") -> None:
    """Write why the cells have no order; nothing when they have one, or when it was left out.

    Parameters
    ----------
    write
        Writes the sections.
    results
        One sample's results.
    """
    found = results.trajectory
    if found is not None and not found.summary["computed"]:
        write.text("trajectory", results.label, f"<p>{html.escape(overview(found))}</p>")


def overview(found: "TrajectoryResults") -> str:
    """Say from where the cells are ordered, and what was left out.

    Parameters
    ----------
    found
        What was found.
    """
    summary, start = found.summary, ""
    if summary["computed"]:
        kind = "named by --root" if summary["root_by"] == "--root" else "of the highest mean probability"
        used = f"{summary['n_used']:,} of {summary['n_cells']:,}"
        start = f"{used} cells are ordered, beginning with {summary['root']} ({kind}). "
    return start + " ".join(sentence(note) for note in summary["notes"])


def correlated(found: "TrajectoryResults") -> str:
    """State both correlations with the probability.

    Parameters
    ----------
    found
        What was found.
    """
    rows = found.correlations.set_index("method")
    if not np.isfinite(rows["value"]).all():
        return "All ordered cells have the same probability, so no correlation is defined."
    values = {name: with_interval(*rows.loc[name, ["value", "low", "high"]]) for name in ("spearman", "pearson")}
    first = rows.iloc[0]
    units = f"{first['n_units']:,.0f} {first['resampled']}"
    text = (
        f"Correlation of pseudotime and probability: Spearman {values['spearman']}, Pearson {values['pearson']}, "
        f"with 95 % bootstrap intervals over {units}."
    )
    if first["resampled"] == "groups" and first["n_units"] < FEW_GROUPS:
        text += " So few groups make a rough interval."
    return text
