"""Scores of the model beside those of the baselines, with their bootstrap intervals."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.style import GREY, MODEL_COLOURS, MODEL_NAMES, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

METRIC_NAMES = {"auroc": "AUROC", "average_precision": "average precision", "f1": "F1", "mcc": "MCC"}
CHANCE = {"auroc": 0.5, "mcc": 0.0}


def draw_intervals(scores: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw each metric's value and interval for each model.

    Parameters
    ----------
    scores
        Long table ``model, metric, value, low, high``; of its metrics those in ``METRIC_NAMES`` are drawn.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    shown = [name for name in METRIC_NAMES if scores.loc[scores["metric"] == name, "value"].notna().any()]
    models = list(dict.fromkeys(scores["model"]))
    figure, axes = panels(max(1, len(shown)), 4, title, simulated, size=(1.9, 0.8 + 0.25 * len(models)))
    for position, (axis, metric) in enumerate(zip(axes, shown, strict=False)):
        rows = scores[scores["metric"] == metric].set_index("model").reindex(models)
        for height, (model, row) in enumerate(rows.iterrows()):
            colour = MODEL_COLOURS.get(model, GREY)
            axis.plot([row["low"], row["high"]], [height, height], color=colour, linewidth=2, solid_capstyle="butt")
            axis.plot(row["value"], height, "o", color=colour, markersize=5)
            axis.annotate(
                f"{row['value']:.2f}",
                (row["value"], height),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
        if (level := chance(scores, metric)) is not None:
            axis.axvline(level, color=GREY, linestyle=":", linewidth=1)
        names = [MODEL_NAMES.get(model, model) for model in models] if position == 0 else []
        axis.set_yticks(range(len(models)) if names else [], names)
        axis.set(ylim=(len(models) - 0.5, -0.7), title=METRIC_NAMES[metric])
        axis.set_xlim(min(0.4, *rows["low"].fillna(0.4), *rows["value"].fillna(0.4)) - 0.03, 1.03)
    return figure


def chance(scores: "pd.DataFrame", metric: str) -> float | None:
    """Return what guessing reaches: 0.5 for AUROC, 0 for MCC, the prevalence for average precision; else None.

    Parameters
    ----------
    scores
        ``model, metric, value, low, high``.
    metric
        Name of the score.
    """
    prevalence = scores.loc[scores["metric"] == "prevalence", "value"]
    if metric == "average_precision" and len(prevalence):
        return float(prevalence.iloc[0])
    return CHANCE.get(metric)
