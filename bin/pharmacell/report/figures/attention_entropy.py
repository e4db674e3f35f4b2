"""How evenly each attention head looks at the tokens."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.style import GREY, RESPONSE_COLOURS, RESPONSE_NAMES, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_attention_entropy(entropy: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw a dot for each replica, head and class; the bar is the standard deviation over cells.

    Parameters
    ----------
    entropy
        ``replica, head, class, entropy, std``.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    heads, replicas = sorted(entropy["head"].unique()), sorted(entropy["replica"].unique())
    figure, (axis,) = panels(1, 1, title, simulated, size=(3.5, 2.7))
    for label in (1, 0):
        rows = entropy[entropy["class"] == RESPONSE_NAMES[label]]
        within = (rows["replica"] - sum(replicas) / len(replicas)) * 0.6 / max(len(replicas), 2)
        x = rows["head"] + within + (0.04 if label else -0.04)
        axis.errorbar(
            x,
            rows["entropy"],
            rows["std"],
            fmt="o",
            color=RESPONSE_COLOURS[label],
            markersize=3,
            elinewidth=0.7,
            label=RESPONSE_NAMES[label],
        )
    axis.axhline(1, color=GREY, linestyle=":", linewidth=1)
    axis.set_xticks(heads, [head + 1 for head in heads])
    axis.set(xlabel="attention head (a dot a replica)", ylabel="entropy, share of the largest")
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure
