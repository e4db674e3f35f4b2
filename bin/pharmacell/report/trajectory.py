"""The chapter on pseudotime."""

import html
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.words import sentence, with_interval

if TYPE_CHECKING:
    from pharmacell.report.figures.style import Drawn
    from pharmacell.report.results import Results, TrajectoryResults
    from pharmacell.report.writer import Writer

# Figures and what each is about; MultiQC sorts a chapter's sections by name
PARTS = {
    "trajectory_map": "cells in diffusion space",
    "trajectory_scatter": "pseudotime and probability",
    "trajectory_heatmap": "top key genes",
    "trajectory_curves": "top key genes as curves",
}
FEW_GROUPS = 5  # with fewer, resamples hardly differ


def write_trajectory(write: "Writer", results: "Results", drawn: dict[str, "Drawn"]) -> None:
    """Write the figures of the pseudotime, or why there are none; nothing when it was left out."""
    found = results.trajectory
    if found is None:
        return
    if not found.facts["computed"]:
        write.text("trajectory", results.label, f"<p>{html.escape(told(found))}</p>")
        return
    texts = {"trajectory_map": told(found), "trajectory_scatter": correlated(found)}
    for name, part in PARTS.items():
        write.picture("trajectory", drawn.get(name), texts.get(name, ""), part)


def told(found: "TrajectoryResults") -> str:
    """Say from where the cells are ordered, and what was left out."""
    facts, start = found.facts, ""
    if facts["computed"]:
        kind = "named by --root" if facts["root_by"] == "--root" else "of the highest mean probability"
        start = (
            f"{facts['n_used']:,} of {facts['n_cells']:,} cells are ordered, beginning with {facts['root']} ({kind}). "
        )
    return start + " ".join(sentence(note) for note in facts["notes"])


def correlated(found: "TrajectoryResults") -> str:
    """State both correlations with the probability."""
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
