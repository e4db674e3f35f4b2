"""Scores of perturbation models beside the baselines: accuracy, signs, cell types, compounds."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.perturbation.metrics import LOWER_IS_BETTER
from pharmacell.report.figures.style import BLUE, GREEN, GREY, ORANGE, PAGE, PURPLE, VERMILION, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRIC_TITLES = {
    "mrrmse": "MRRMSE",
    "mae": "MAE",
    "mae_sign_right": "MAE, sign right",
    "mae_sign_wrong": "MAE, sign wrong",
    "sign_accuracy": "sign accuracy",
    "sign_accuracy_significant": "sign accuracy, p ≤ 0.05",
    "sign_accuracy_strong": "sign accuracy, p ≤ 0.01",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "cosine": "cosine",
    "deg_overlap": "overlap of top 100",
}
OF_OTHER_VALUES = {  # the same bounds in other units
    "sign_accuracy_significant": "sign accuracy, abs ≥ 1.3",
    "sign_accuracy_strong": "sign accuracy, abs ≥ 2",
}
ACCURACY = ("mrrmse", "mae", "sign_accuracy_significant", "pearson", "spearman", "deg_overlap")
SIGNS = {"mae_sign_wrong": VERMILION, "mae": GREY, "mae_sign_right": BLUE}
KIND_COLOURS = {"baseline": GREY, "classical": GREEN, "network": PURPLE}
TOP_COLOURS = (PURPLE, BLUE, ORANGE)
MOST_NAMED = 60  # compounds whose names fit below a figure
EXTREMES = 10  # compounds at each end
ROW = 0.17  # inches of a model's line


def metric_titles(p_values: bool) -> dict[str, str]:
    """Return how figures and the report name each score.

    Parameters
    ----------
    p_values
        Whether the values are signed -log10 p.
    """
    return METRIC_TITLES if p_values else METRIC_TITLES | OF_OTHER_VALUES


def draw_accuracy(gains: "pd.DataFrame", titles: dict[str, str], title: str) -> "Figure":
    """Draw each model's score and, around it, the interval of its gain over the best baseline (the dotted line).

    Parameters
    ----------
    gains
        ``name, kind, metric, value, baseline_value, low, high`` of one protocol; ``low`` and ``high`` are the gain's.
    titles
        Of the scores.
    title
        Of the figure.
    """
    names = list(dict.fromkeys(gains["name"]))
    figure, axes = panels(len(ACCURACY), 3, title, False, size=(2.5, 0.9 + ROW * len(names)))
    for position, (axis, metric) in enumerate(zip(axes, ACCURACY, strict=True)):
        rows = gains[gains["metric"] == metric].set_index("name").loc[names]
        sign = -1 if metric in LOWER_IS_BETTER else 1
        for height, row in enumerate(rows.itertuples()):
            colour = KIND_COLOURS[row.kind]
            if row.kind != "baseline" and np.isfinite(row.baseline_value):
                ends = [row.baseline_value + sign * row.low, row.baseline_value + sign * row.high]
                axis.plot(ends, [height, height], color=colour, linewidth=1.6, solid_capstyle="butt", alpha=0.6)
            axis.plot(row.value, height, "o", color=colour, markersize=4)
        if np.isfinite(rows["baseline_value"].iloc[0]):
            axis.axvline(rows["baseline_value"].iloc[0], color=GREY, linestyle=":", linewidth=1)
        better = "less is better" if metric in LOWER_IS_BETTER else "more is better"
        name_rows(axis, names if position % 3 == 0 else [], len(names))
        axis.set(title=titles[metric], xlabel=better)
        axis.locator_params(axis="x", nbins=4)
    return figure


def draw_signs(gains: "pd.DataFrame", unit: str, title: str) -> "Figure":
    """Draw the mean absolute error over all genes, where the sign is right and where it is wrong, for each model.

    Parameters
    ----------
    gains
        ``name, kind, metric, value`` of one protocol.
    unit
        Of the values.
    title
        Of the figure.
    """
    names = list(dict.fromkeys(gains["name"]))
    figure, (axis,) = panels(1, 1, title, False, size=(5.2, 0.9 + ROW * len(names)))
    for metric, colour in SIGNS.items():
        rows = gains[gains["metric"] == metric].set_index("name").loc[names]
        axis.plot(rows["value"], np.arange(len(names)), "o", color=colour, markersize=5, label=METRIC_TITLES[metric])
    name_rows(axis, names, len(names))
    axis.set(xlabel=f"mean absolute error of {unit}")
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def draw_sign_right(table: "pd.DataFrame", models: list[str], title: str) -> "Figure":
    """Draw the mean absolute error over the genes whose sign is right, a line for each model, compound by compound.

    Compounds stand in the order of the first model, the least error first.

    Parameters
    ----------
    table
        ``name, sm_name, metric, mean`` of one protocol.
    models
        Names of the models, the best first.
    title
        Of the figure.
    """
    wide = table[table["metric"] == "mae_sign_right"].pivot(index="sm_name", columns="name", values="mean")[models]
    wide = wide.sort_values(models[0], kind="stable")
    named = len(wide) <= MOST_NAMED
    figure, (axis,) = panels(1, 1, title, False, size=(PAGE, 2.9 if named else 2.3))
    for model, colour in zip(models, TOP_COLOURS, strict=False):
        axis.plot(np.arange(len(wide)), wide[model], "o-", color=colour, markersize=3, linewidth=0.8, label=model)
    axis.set(ylabel="MAE where the sign is right", xlim=(-0.7, len(wide) - 0.3))
    axis.set_ylim(bottom=0)
    if named:
        axis.set_xticks(range(len(wide)), [short(name) for name in wide.index], rotation=90)
    else:
        axis.set(xlabel=f"{len(wide)} compounds, in the order of {models[0]}")
    axis.legend()
    return figure


def short(name: str) -> str:
    """Return a compound's name, cut where it is long.

    Parameters
    ----------
    name
        Of the compound.
    """
    return name if len(name) < 30 else f"{name[:28]}…"


def draw_cell_types(table: "pd.DataFrame", title: str) -> "Figure":
    """Draw MRRMSE of each model in each cell type: mean, and from the least to the greatest row.

    Parameters
    ----------
    table
        ``name, kind, cell_type, metric, n_rows, mean, min, max`` of one protocol.
    title
        Of the figure.
    """
    table = table[table["metric"] == "mrrmse"]
    names, cell_types = (list(dict.fromkeys(table[column])) for column in ("name", "cell_type"))
    figure, axes = panels(len(cell_types), 3, title, False, size=(2.5, 0.9 + ROW * len(names)))
    for position, (axis, cell_type) in enumerate(zip(axes, cell_types, strict=True)):
        rows = table[table["cell_type"] == cell_type].set_index("name").loc[names]
        for height, row in enumerate(rows.itertuples()):
            axis.plot([row.min, row.max], [height, height], color=KIND_COLOURS[row.kind], linewidth=0.8, alpha=0.6)
            axis.plot(row.mean, height, "o", color=KIND_COLOURS[row.kind], markersize=4)
        axis.set_xscale("log")
        for formatter in (axis.xaxis.set_major_formatter, axis.xaxis.set_minor_formatter):
            formatter(lambda value, _position: f"{value:g}" if f"{value:e}"[0] in "1235" else "")
        name_rows(axis, names if position % 3 == 0 else [], len(names))
        axis.set(title=f"{cell_type} ({rows['n_rows'].iloc[0]} rows)", xlabel="MRRMSE")
    return figure


def draw_compounds(table: "pd.DataFrame", model: str, baseline: str, title: str) -> "Figure":
    """Draw the ten compounds with the least and the ten with the greatest MRRMSE of a model, beside a baseline's.

    Parameters
    ----------
    table
        ``name, sm_name, metric, mean, min, max`` of one protocol.
    model, baseline
        Names of what is compared.
    title
        Of the figure.
    """
    table = table[table["metric"] == "mrrmse"].set_index("sm_name")
    ours, theirs = (table[table["name"] == name] for name in (model, baseline))
    ordered = ours.sort_values("mean", kind="stable")
    n_shown = min(EXTREMES, -(-len(ordered) // 2))
    shown = [("best", ordered.iloc[:n_shown]), ("worst", ordered.iloc[-n_shown:])]
    figure, axes = panels(2, 2, title, False, size=(3.6, 0.8 + ROW * n_shown))
    for axis, (which, rows) in zip(axes, shown, strict=True):
        heights = np.arange(len(rows))
        axis.hlines(heights, rows["min"], rows["max"], color=PURPLE, linewidth=1, alpha=0.6)
        axis.plot(rows["mean"], heights, "o", color=PURPLE, markersize=4, label=model)
        axis.plot(theirs.loc[rows.index, "mean"], heights, "|", color=ORANGE, markersize=8, label=baseline)
        name_rows(axis, [short(name) for name in rows.index], len(rows))
        axis.set(title=f"{which} {len(rows)}", xlabel="MRRMSE")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def name_rows(axis: "Axes", names: list[str], n_rows: int) -> None:
    """Put the names at the left, first at the top; none for a panel beside another one.

    Parameters
    ----------
    axis
        Where to draw.
    names
        From the top down; empty for a panel beside another one.
    n_rows
        Rows of the panel.
    """
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(n_rows - 0.5, -0.5)
    if not names:
        axis.set_yticks([])
