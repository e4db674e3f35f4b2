"""What a table of figures holds, and how its figures are drawn and put into the report."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pharmacell.core.progress import track
from pharmacell.report.figures.style import Drawn, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pharmacell.report.writer import Writer


@dataclass(frozen=True)
class FigureEntry:
    """A figure of the report.

    Parameters
    ----------
    name
        Of its files, without the end.
    draw
        Draws it; None when there is nothing to show. Its arguments are those of :func:`draw_all`.
    chapter
        Of the report, a key of :data:`pharmacell.report.writer.CHAPTERS`.
    part
        What it is about, where a chapter has several figures.
    caption
        What to see, in one sentence, below the figure.
    text
        Says in words what was found, above the figure; its argument is the first one of :func:`draw_all`.
    note
        How to read it and what it cannot tell, folded away below the caption.
    """

    name: str
    draw: Callable[..., "Figure | None"]
    chapter: str
    part: str
    caption: str
    text: Callable[[Any], str] | None = None
    note: str = ""


def by_name(entries: Iterable[FigureEntry]) -> dict[str, FigureEntry]:
    """Return the entries by name.

    Parameters
    ----------
    entries
        Figures of one kind of report.

    Raises
    ------
    ValueError
        If two have one name.
    """
    entries = list(entries)
    found = {entry.name: entry for entry in entries}
    if len(found) < len(entries):
        raise ValueError(f"two figures have one name among {[entry.name for entry in entries]}")
    return found


def draw_all(
    entries: dict[str, FigureEntry], folder: Path, *arguments: object, prefix: str = "", suffix: str = ""
) -> dict[str, Drawn]:
    """Draw every figure for which there is something to show, one after another, as png and svg.

    Parameters
    ----------
    entries
        As :func:`by_name` returns them.
    folder
        Where the files go.
    *arguments
        Handed to every figure: the results first.
    prefix, suffix
        Begin and end the files' names.

    Returns
    -------
    dict
        Name of the figure to what was written.
    """
    drawn = {}
    for name, entry in track(entries.items(), "drawing what the results allow", len(entries), "figures"):
        figure = entry.draw(*arguments)
        if figure is not None:
            png, _svg = save(figure, folder, f"{prefix}{name}{suffix}")
            drawn[name] = Drawn(png, entry.caption, entry.note)
    return drawn


def write_figures(write: "Writer", entries: dict[str, FigureEntry], drawn: dict[str, Drawn], results: object) -> None:
    """Put every figure that was drawn into its chapter.

    Parameters
    ----------
    write
        Writes the sections.
    entries
        As :func:`by_name` returns them.
    drawn
        As :func:`draw_all` returns it.
    results
        What the texts above the figures are about.

    Raises
    ------
    KeyError
        If a figure was drawn that is not in the table.
    """
    for name, picture in drawn.items():
        entry = entries[name]
        write.picture(entry.chapter, picture, entry.text(results) if entry.text else "", entry.part)
