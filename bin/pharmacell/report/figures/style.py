"""The look of every figure, and how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.files import whole_file
from pharmacell.core.seeds import generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which stay apart for all common kinds of colour blindness
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW, BLACK, GREY = "#E69F00", "#56B4E9", "#F0E442", "#000000", "#999999"
SEQUENCE = (GREEN, PURPLE, ORANGE, SKY, BLACK, YELLOW, BLUE, VERMILION)  # those of the response come last
RESPONSE_COLOURS = {1: BLUE, 0: VERMILION}
RESPONSE_NAMES = {1: "sensitive", 0: "resistant"}
MODEL_COLOURS = {"ensemble": BLACK, "network": SKY, "signature": ORANGE, "ridge": GREEN, "logistic": PURPLE}
MODEL_NAMES = {
    "ensemble": "PharmaCell (ensemble)",
    "network": "network alone (ATSDP-NET)",
    "signature": "gene signature",
    "ridge": "ridge regression",
    "logistic": "logistic regression",
}

COLUMN = 3.5  # inches, one column of a journal page; two columns are 7.2
PAGE = 7.2
POINTS_AT_MOST = 50_000
DOTS = 200  # per inch
SETTINGS = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "figure.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "pharmacell",
}


@dataclass(frozen=True)
class Drawn:
    """A figure that was written, what to see in it, and how to read it."""

    png: Path
    caption: str
    note: str = ""


def panels(
    n: int,
    columns: int,
    title: str,
    simulated: bool,
    size: tuple[float, float] = (2.4, 2.2),
    projection: str | None = None,
) -> tuple["Figure", list["Axes"]]:
    """Make a titled figure with ``n`` panels in rows.

    Parameters
    ----------
    n
        How many panels.
    columns
        At most so many side by side.
    title
        What is shown; ``simulated cells`` is added to it when they are.
    simulated
        Whether the cells were simulated.
    size
        Width and height of a panel, inches.
    projection
        Of the axes, such as ``polar``.

    Returns
    -------
    figure, axes
        The axes in reading order.
    """
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(SETTINGS)
    columns = min(columns, n)
    rows = -(-n // columns)
    figure = Figure(figsize=(max(COLUMN, size[0] * columns), size[1] * rows + 0.3), layout="constrained")
    axes = [figure.add_subplot(rows, columns, position + 1, projection=projection) for position in range(n)]
    figure.suptitle(f"{title} (simulated cells)" if simulated else title, wrap=True)
    return figure, axes


def save(figure: "Figure", folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``<name>.png`` (200 dots per inch) and ``<name>.svg`` into a folder, and return their paths.

    Parameters
    ----------
    figure
        To write.
    folder
        Where the files go.
    name
        Of the files, without their end.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    # the canvases' own writers draw once; savefig draws twice, because of the layout
    figure.set_dpi(DOTS)
    with whole_file(png) as partial:
        FigureCanvasAgg(figure).print_png(partial)
    figure.set_layout_engine("none")  # the places found for the png hold for the svg
    with whole_file(svg) as partial:
        FigureCanvasSVG(figure).print_svg(partial, metadata={"Date": None})
    return png, svg


def thin(n: int, seed: int) -> np.ndarray:
    """Return the indices of the cells that are drawn, in random order so that no class hides another.

    All of them up to ``POINTS_AT_MOST``, else so many at random without replacement.

    Parameters
    ----------
    n
        Cells that there are.
    seed
        Seed of the choice of points.
    """
    return generator(seed, "points drawn").permutation(n)[:POINTS_AT_MOST]


def caption_of_points(n: int) -> str:
    """Say how many cells are drawn, when not all of them; else an empty string.

    Parameters
    ----------
    n
        Cells that there are.
    """
    return f" {POINTS_AT_MOST:,} of {n:,} cells are drawn, chosen at random." if n > POINTS_AT_MOST else ""


def colours(names: Sequence[str]) -> dict[str, tuple | str]:
    """Give each name a colour: the colour-blind-safe sequence, or evenly spaced ones when there are more names.

    Parameters
    ----------
    names
        What is coloured; more than eight get evenly spaced hues.
    """
    if len(names) <= len(SEQUENCE):
        return dict(zip(names, SEQUENCE, strict=False))
    from matplotlib import colormaps

    return {
        name: colormaps["turbo"](position)
        for name, position in zip(names, np.linspace(0.05, 0.95, len(names)), strict=True)
    }
