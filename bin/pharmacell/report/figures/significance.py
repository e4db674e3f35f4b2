"""How many cells stand out from what permuted bulk responses would give."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import GREY, RESPONSE_COLOURS, RESPONSE_NAMES, panels
from pharmacell.response.columns import HIGHER, LOWER, NOT_SIGNIFICANT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PALE_BLUE, PALE_VERMILION = "#99c7e0", "#eebf99"
COLOURS = {
    RESPONSE_NAMES[1]: RESPONSE_COLOURS[1],
    HIGHER: PALE_BLUE,
    LOWER: PALE_VERMILION,
    RESPONSE_NAMES[0]: RESPONSE_COLOURS[0],
    NOT_SIGNIFICANT: GREY,
}
BINS = 20


def draw_significance(significance: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw the number of cells of each call, and the histogram of the p-values, stacked by call.

    Parameters
    ----------
    significance
        One row a cell: ``p`` and ``call``, one of the keys of :data:`COLOURS`.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    figure, (bars, histogram) = panels(2, 2, title, simulated, size=(4.2, 2.6))
    parts = {call: significance.loc[significance["call"] == call, "p"].to_numpy() for call in COLOURS}
    drawn = bars.bar(list(parts), [len(part) for part in parts.values()], color=list(COLOURS.values()), width=0.65)
    bars.bar_label(drawn, fmt="{:,.0f}", padding=2)
    names = [call.replace(" than the ", "\nthan the\n").replace("not ", "not\n") for call in parts]
    bars.set_xticks(range(len(parts)), names)
    bars.margins(y=0.12)
    bars.set(title="calls at a false discovery rate of 5 %", ylabel="cells")

    histogram.hist(list(parts.values()), bins=np.linspace(0, 1, BINS + 1), stacked=True, color=list(COLOURS.values()))
    histogram.axhline(
        len(significance) / BINS, color="black", linestyle="--", linewidth=0.8, label="if responses meant nothing"
    )
    histogram.margins(y=0.2)
    histogram.set(xlim=(0, 1), title="p-values, one a cell", xlabel="p-value", ylabel="cells")
    histogram.legend(loc="upper right")
    return figure
