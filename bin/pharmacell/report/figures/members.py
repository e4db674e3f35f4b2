"""What each member of the ensemble weighs and can do by itself."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.style import GREY, MODEL_COLOURS, MODEL_NAMES, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pharmacell.response.model_card import Interval

NAMES = MODEL_NAMES | {"network": "network alone", "ensemble": "all together"}


def draw_members(
    weights: dict[str, float], members: dict[str, float], whole: "Interval", title: str, simulated: bool
) -> "Figure":
    """Draw weights as bars, and AUROC as dots with that of the whole ensemble below them.

    Parameters
    ----------
    weights
        Weight of each member; they sum to 1.
    members
        AUROC of each member by itself, under the same names.
    whole
        The ensemble's AUROC.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    rows = [*weights, "ensemble"]
    figure, (bars, dots) = panels(2, 2, title, simulated, size=(3.4, 0.9 + 0.3 * len(rows)))
    drawn = bars.barh(
        range(len(weights)), weights.values(), color=[MODEL_COLOURS[name] for name in weights], height=0.65
    )
    bars.bar_label(drawn, fmt="{:.2f}", padding=2, fontsize=7)
    bars.set_yticks(range(len(rows)), [NAMES[name] for name in rows])
    bars.set(title="weight", xlim=(0, max(1.15 * max(weights.values()), 0.1)))

    for height, name in enumerate(weights):
        point(dots, members[name], height, MODEL_COLOURS[name])
    last = len(weights)
    dots.plot(
        [whole.low, whole.high], [last, last], color=MODEL_COLOURS["ensemble"], linewidth=2, solid_capstyle="butt"
    )
    point(dots, whole.value, last, MODEL_COLOURS["ensemble"])
    dots.axvline(0.5, color=GREY, linestyle=":", linewidth=1)
    dots.set_yticks([])
    values = [*members.values(), whole.value, whole.low, whole.high]
    dots.set(
        title="AUROC on held-out lines as simulated cells", xlim=(min(0.45, min(values) - 0.03), max(values) + 0.05)
    )
    for axis in (bars, dots):
        axis.set_ylim(last + 0.5, -0.7)
    return figure


def point(axis: "Axes", value: float, height: int, colour: str) -> None:
    """Draw one value as a dot with its number above it.

    Parameters
    ----------
    axis
        Where to draw.
    value
        Where, along the horizontal axis.
    height
        Where, along the vertical axis.
    colour
        Of the dot.
    """
    axis.plot(value, height, "o", color=colour, markersize=5)
    axis.annotate(f"{value:.2f}", (value, height), xytext=(0, 5), textcoords="offset points", ha="center", fontsize=7)
