"""Prediction and score before and after treatment."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.style import BLACK, BLUE, GREY, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_treatment(table: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw each part's share of cells predicted sensitive and, where it is defined for one, the model's AUROC.

    Parameters
    ----------
    table
        ``treatment, model, metric, value, low, high``; the first model of a part is the one that predicts.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    parts = list(dict.fromkeys(table["treatment"]))
    own = table[table["model"] == table["model"].iloc[0]].set_index(["metric", "treatment"])
    n_cells, share = own["value"]["n_cells"], own["value"]["share_sensitive"]
    scores = own.loc["auroc"].dropna(subset="value") if "auroc" in own.index else own.iloc[:0]
    figure, axes = panels(1 + bool(len(scores)), 2, title, simulated, size=(3.4, 0.8 + 0.3 * len(parts)))
    drawn = axes[0].barh(range(len(parts)), [100 * share[part] for part in parts], color=BLUE, height=0.6)
    axes[0].bar_label(drawn, fmt="{:.0f} %", padding=2, fontsize=7)
    axes[0].set_yticks(range(len(parts)), [f"{part} ({n_cells[part]:,.0f})" for part in parts])
    axes[0].set(title="predicted sensitive (%)", xlim=(0, 115))
    if len(scores):
        for part, row in scores.iterrows():
            height = parts.index(part)
            axes[1].plot([row["low"], row["high"]], [height, height], color=BLACK, linewidth=2, solid_capstyle="butt")
            axes[1].plot(row["value"], height, "o", color=BLACK, markersize=5)
        axes[1].axvline(0.5, color=GREY, linestyle=":", linewidth=1)
        axes[1].set_yticks([])
        axes[1].set(title="AUROC", xlim=(-0.03, 1.03))
    for axis in axes:
        axis.set_ylim(len(parts) - 0.4, -0.6)
    return figure
