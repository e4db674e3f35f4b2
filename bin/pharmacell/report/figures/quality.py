"""Quality control: what was measured on every cell, and what was removed."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import BLUE, GREY, VERMILION, panels, thin

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRICS = {"n_genes": "genes detected", "total_counts": "total counts", "pct_mt": "mitochondrial counts (%)"}
DEPTH = ("n_genes", "total_counts")


def draw_quality(
    metrics: "pd.DataFrame", thresholds: dict[str, float], title: str, simulated: bool, seed: int
) -> "Figure":
    """Draw violins of each metric before and after filtering, and counts against genes.

    Parameters
    ----------
    metrics
        One row a cell that was read: ``n_genes``, ``total_counts`` (counts), ``pct_mt`` (per cent), ``kept`` (bool).
        Metrics that are NaN throughout (data that are no counts) are left out; without any, cells are merely counted.
    thresholds
        Limit of each metric that has one, drawn as a dashed line.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    seed
        Seed of the choice of points.
    """
    kept = metrics["kept"].to_numpy(dtype=bool)
    known = [name for name in METRICS if np.isfinite(metrics[name].to_numpy(dtype=float)).any()]
    scatter = all(name in known for name in DEPTH)
    figure, axes = panels(max(1, len(known) + scatter), 4, title, simulated, size=(1.9, 2.3))
    if not known:
        draw_numbers(axes[0], kept)
    for axis, name in zip(axes, known, strict=False):
        draw_violins(axis, metrics[name].to_numpy(dtype=float), kept, thresholds.get(name))
        axis.set_title(METRICS[name])
    if scatter:
        draw_depth(axes[-1], metrics.iloc[thin(len(metrics), seed)])
    return figure


def draw_violins(axis: "Axes", values: np.ndarray, kept: np.ndarray, threshold: float | None) -> None:
    """Draw the distribution of one metric, all cells beside the kept ones; values and kept are (n_cells,).

    Parameters
    ----------
    axis
        Where to draw.
    values
        The metric, [n_cells].
    kept
        Whether quality control kept the cell, bool [n_cells].
    threshold
        Limit of quality control; None: no limit.
    """
    both = {"before": values[np.isfinite(values)], "after": values[kept & np.isfinite(values)]}
    for position, (part, colour) in enumerate(zip(both.values(), (GREY, BLUE), strict=True)):
        if part.size == 0:
            continue
        if np.ptp(part) > 0:
            body = axis.violinplot(part, positions=[position], widths=0.8, showextrema=False)["bodies"][0]
            body.set(facecolor=colour, edgecolor="none", alpha=0.8)
        axis.plot(position, np.median(part), "o", color="white", markeredgecolor="black", markersize=4)
    if threshold is not None:
        axis.axhline(threshold, color="black", linestyle="--", linewidth=0.8)
    axis.set_xticks([0, 1], [f"{name}\nn = {part.size:,}" for name, part in both.items()])
    axis.set_ylim(bottom=0)


def draw_depth(axis: "Axes", cells: "pd.DataFrame") -> None:
    """Draw total counts against genes detected on logarithmic axes, removed cells in another colour.

    Parameters
    ----------
    axis
        Where to draw.
    cells
        ``n_genes, total_counts, kept`` of each cell.
    """
    for kept, name, colour in ((True, "kept", BLUE), (False, "removed", VERMILION)):
        part = cells[cells["kept"].astype(bool) == kept]
        axis.scatter(
            part["total_counts"].clip(lower=1),
            part["n_genes"].clip(lower=1),
            s=3,
            color=colour,
            alpha=0.5,
            linewidths=0,
            rasterized=True,
            label=f"{name} ({len(part):,})",
        )
    axis.set(xscale="log", yscale="log", xlabel="total counts", ylabel="genes detected", title="depth")
    for ticks in (axis.xaxis, axis.yaxis):
        ticks.set_minor_formatter("")
    axis.legend(markerscale=2, loc="lower right", handletextpad=0.1)


def draw_numbers(axis: "Axes", kept: np.ndarray) -> None:
    """Draw how many cells were read and kept, for data without counts.

    Parameters
    ----------
    axis
        Where to draw.
    kept
        Whether quality control kept the cell, bool [n_cells].
    """
    numbers = {"read": kept.size, "kept": int(kept.sum())}
    axis.bar_label(axis.bar(list(numbers), list(numbers.values()), color=(GREY, BLUE), width=0.6), fmt="{:,.0f}")
    axis.set(ylabel="cells", title="no counts: depth is not defined")
