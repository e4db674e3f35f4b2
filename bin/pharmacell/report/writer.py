"""Writes the sections of the report, one json file each with its picture beside it; :mod:`.page` gathers them."""

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.core.files import whole_file, write_json

if TYPE_CHECKING:
    from pharmacell.report.figures.style import Drawn


# Chapters of the report in their order: identifier, name, what it is for
CHAPTERS = {
    "panel": ("All drugs", "Which drugs would hit which groups of cells, and how far to believe it."),
    "cells": ("Map of the cells", "The cells in two dimensions, by what is known and what is predicted."),
    "groups": ("Groups", "How the prediction differs between groups of cells."),
    "key_genes": ("Key genes", "The genes behind the prediction, and whether they are expressed differently."),
    "trajectory": ("Pseudotime", "The cells in an order from the most sensitive on; it is an order, not time."),
    "evidence": (
        "Evidence",
        "Why the verdict is what it is: where the truth is known, and against shuffled responses.",
    ),
    "quality": ("Quality and training", "What was measured on every cell, what was removed, and how the loss fell."),
    "run": ("Settings and numbers", "Everything else that was recorded, for the methods section."),
    "attention": ("Attention", "Whether the heads of the network choose among their tokens."),
    "benchmark": ("Benchmark", "Models compared by repeated cross-validation on cells whose response is known."),
    "benchmark_tests": ("Benchmark: tests", "Which differences between models are more than chance."),
    "benchmark_figures": ("Benchmark: figures", "The figures of the paper, for each dataset and protocol."),
    "benchmark_costs": ("Benchmark: costs", "What each fit took."),
    "perturbation": ("Perturbation models", "How well differential expression is predicted, beside simple baselines."),
    "perturbation_rows": ("Cell types, compounds, one row", "Where the models do well and where not."),
    "perturbation_training": ("Learning curves", "How the networks' losses fell."),
}
COLOURS_OF_A_PICTURE = 256  # a figure has few colours, so a palette makes a third of the file


class Writer:
    """Writes the sections of one sample, or of one comparison.

    Parameters
    ----------
    sample
        The sample's name; begins the files' names. Sections of one sample and drug stand together in the page.
    label
        The sample's name as every title shows it.
    folder
        Where the files go.
    drug
        The drug that the sections are about; empty: all drugs, or none.
    """

    def __init__(self, sample: str, label: str, folder: Path, drug: str = ""):
        self.sample, self.label, self.folder, self.drug = sample, label, folder, drug

    def answer(self, content: dict) -> None:
        """Write the row of the first screen.

        Parameters
        ----------
        content
            As :func:`pharmacell.report.answer.answer` returns it.
        """
        write_json(self.folder / f"answer_{self.sample}.json", {**self._about(), "answer": content})

    def text(self, chapter: str, name: str, content: str, description: str = "", part: str = "") -> None:
        """Write a section of html.

        Parameters
        ----------
        chapter
            A key of :data:`CHAPTERS`.
        name
            Heading of the section.
        content
            The html.
        description
            Stands below the heading.
        part
            What it is about, where a chapter has several sections.
        """
        self._write(chapter, name, part, {"content": content, "description": description})

    def picture(self, chapter: str, drawn: "Drawn", description: str = "", part: str = "") -> None:
        """Write a section with a picture.

        Parameters
        ----------
        chapter
            A key of :data:`CHAPTERS`.
        drawn
            The picture and its caption.
        description
            Stands above the picture.
        part
            What the picture is about, where a chapter has several.
        """
        from PIL import Image

        file = f"{_identifier(chapter, self.sample, part, drawn.png.stem)}.png"
        with Image.open(drawn.png) as image, whole_file(self.folder / file) as partial:
            width, height = image.size
            few = image.convert("RGB").quantize(
                COLOURS_OF_A_PICTURE, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
            )
            few.save(partial)
        figure = {
            "file": file,
            "width": width,
            "height": height,
            "alt": f"{drawn.png.stem} of {self.label}: {drawn.caption}",
            "caption": drawn.caption,
            "note": drawn.note,
        }
        self._write(chapter, self.label, part, {"figure": figure, "description": description})

    def _about(self) -> dict:
        return {"sample": self.sample, "label": self.label, "drug": self.drug}

    def _write(self, chapter: str, name: str, part: str, content: dict) -> None:
        """Write a section; sections stand in the page in the order in which they were written."""
        if chapter not in CHAPTERS:
            raise KeyError(chapter)
        identifier = _identifier(chapter, self.sample, part)
        order = len(list(self.folder.glob("*.json")))
        about = {"chapter": chapter, "name": name, "part": part, "order": order}
        write_json(self.folder / f"{identifier}.json", {**self._about(), **about, **content})


def _identifier(*parts: str) -> str:
    return "_".join(part.replace(" ", "_").replace("/", "_") for part in parts if part)


def read_sections(folder: Path) -> list[dict]:
    """Return the sections and answers of a folder, in the order in which they were written.

    Parameters
    ----------
    folder
        What a :class:`Writer` wrote.
    """
    found = [{**json.loads(path.read_text()), "folder": path.parent} for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda section: section.get("order", -1))


def definitions(values: dict[str, str]) -> str:
    """Return names and values as an html table.

    Parameters
    ----------
    values
        Name to text.
    """
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in values.items()
    )
    return f'<table class="settings">{rows}</table>'


def table(rows: dict[str, dict[str, str]], first: str) -> str:
    """Return an html table of text; what a row lacks stays empty.

    Parameters
    ----------
    rows
        Name of the row to column to text.
    first
        Heading of the names.
    """
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in (first, *columns))
    body = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        + "".join(f"<td>{html.escape(row.get(column, ''))}</td>" for column in columns)
        + "</tr>"
        for name, row in rows.items()
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
