"""Whether a probability means what it says: predicted against observed."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.style import BLACK, GREY, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pharmacell.response.model_card import ReliabilityBin


def draw_reliability(bins: "list[ReliabilityBin]", error: float, title: str, simulated: bool) -> "Figure":
    """Draw predicted probability against observed share, and how many predictions stand behind each point.

    Parameters
    ----------
    bins
        From low to high.
    error
        Expected calibration error.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    figure, (axis, counts) = panels(2, 2, title, simulated, size=(3.3, 3.2))
    predicted, observed, n = zip(*((entry.predicted, entry.observed, entry.n) for entry in bins), strict=True)
    axis.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="as predicted")
    axis.vlines(predicted, predicted, observed, color=GREY, linewidth=2.5, alpha=0.6, label="distance")
    axis.plot(predicted, observed, "o-", color=BLACK, markersize=4, label="observed")
    axis.set(
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
        aspect="equal",
        title=f"expected calibration error {error:.3f}",
        xlabel="predicted probability of being sensitive",
        ylabel="observed share of sensitive",
    )
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)

    bars = counts.barh(range(len(n)), n, color=GREY, height=0.75)
    counts.bar_label(bars, fmt="{:,.0f}", padding=2, fontsize=7)
    counts.set_yticks(range(len(n)), [f"{value:.2f}" for value in predicted])
    counts.margins(x=0.15)
    counts.set(
        title="predictions behind each point",
        xlabel="held-out lines as simulated cells",
        ylabel="mean predicted probability",
    )
    return figure
