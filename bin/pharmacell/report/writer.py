"""Writes MultiQC custom content (https://docs.seqera.io/multiqc/custom_content): tables, texts and pictures."""

import base64
import html
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.core.files import whole_file, write_json
from pharmacell.report.figures.style import DOTS

if TYPE_CHECKING:
    from pharmacell.report.figures.style import Drawn


# Chapters of the report in their order: identifier, name, what it is for
CHAPTERS = {
    "verdict": ("Verdict", "Whether the prediction deserves belief, and why. Read this first."),
    "evidence": (
        "Evidence",
        "What stands behind the verdict: how the model did where the truth is known, and whether "
        "these cells answer to the drug more than to shuffled responses.",
    ),
    "prediction": ("Prediction", "How many cells are predicted to respond, and how clearly."),
    "scores": ("Scores on these cells", "Only where the truth was given: the model beside simple baselines."),
    "cells": ("Map of the cells", "The cells in two dimensions (UMAP), by what is known and what is predicted."),
    "key_genes": (
        "Key genes",
        "The genes behind the predictions, whether they are expressed differently, and what the network attends to.",
    ),
    "trajectory": (
        "Pseudotime",
        "The cells in an order from the most sensitive on. It follows how alike they are; it is not time.",
    ),
    "bulk": ("Held-out bulk lines", "How well the drug's effect can be predicted in bulk, where the truth is known."),
    "quality": ("Quality control", "What was measured on every cell and what was removed."),
    "training": ("Training", "How the loss fell."),
    "benchmark": ("Benchmark", "Models compared by repeated cross-validation on cells whose response is known."),
    "benchmark_tests": ("Benchmark: tests", "Which differences between models are more than chance."),
    "benchmark_figures": ("Benchmark: figures", "The figures of the paper, for each dataset and protocol."),
    "benchmark_costs": ("Benchmark: costs", "What each fit took."),
    "perturbation": ("Perturbation models", "How well differential expression is predicted, beside simple baselines."),
    "perturbation_rows": ("Cell types, compounds, one row", "Where the models do well and where not."),
    "perturbation_training": ("Learning curves", "How the networks' losses fell."),
    "run": ("Numbers and settings", "Everything else that was recorded, for the methods section."),
}


SCREEN_DOTS = 130  # per inch of a figure


VERDICT_COLOURS = {"supported": "#009E73", "uncertain": "#E69F00", "not supported": "#D55E00"}


def section(chapter: str, name: str, identifier: str, description: str) -> dict:
    """Return what MultiQC wants to know about a section.

    Parameters
    ----------
    chapter
        A key of :data:`CHAPTERS`.
    name
        Heading of the section.
    identifier
        Of the section, unique in the page.
    description
        Stands below the heading.
    """
    chapter_name, chapter_description = CHAPTERS[chapter]
    return {
        "id": identifier,
        "parent_id": f"pharmacell_{chapter}",
        "parent_name": chapter_name,
        "parent_description": chapter_description,
        "section_name": name,
        "description": description,
    }


class Writer:
    """Writes custom-content files of one sample.

    Parameters
    ----------
    sample
        The sample's name; begins the files' names.
    label
        The sample's name as every title shows it.
    folder
        Where the files go.
    """

    def __init__(self, sample: str, label: str, folder: Path):
        self.sample, self.label, self.folder = sample, label, folder

    def table(self, chapter: str, name: str, rows: dict[str, dict[str, str]], description: str) -> None:
        """Write rows (name to column to text) of a table that all samples share.

        Parameters
        ----------
        chapter
            A key of :data:`CHAPTERS`.
        name
            Heading of the section.
        rows
            Name of the row to column to text.
        description
            Stands below the heading.
        """
        identifier = f"{chapter}_table"
        columns = dict.fromkeys(column for row in rows.values() for column in row)
        headers = {column: {"title": column[:1].upper() + column[1:], "scale": False} for column in columns}
        if "verdict" in headers:
            headers["verdict"] |= {
                "cond_formatting_rules": {word: [{"s_eq": word}] for word in VERDICT_COLOURS},
                "cond_formatting_colours": [{word: colour} for word, colour in VERDICT_COLOURS.items()],
            }
        first = {"verdict": "Sample", "scores": "Sample and model", "bulk": "Sample and model"}[chapter]
        write_json(
            self.folder / f"{self.sample}_{identifier}_mqc.json",
            {
                **section(chapter, name, identifier, description),
                "plot_type": "table",
                "headers": headers,
                "pconfig": {
                    "id": f"{identifier}_values",
                    "title": CHAPTERS[chapter][0],
                    "col1_header": first,
                    "no_violin": True,
                    "sort_rows": False,
                    "save_file": False,
                },
                "data": rows,
            },
        )

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
        identifier = "_".join(filter(None, (chapter, self.sample, part.replace(" ", "_"))))
        header = section(chapter, f"{name}: {part}" if part else name, identifier, description)
        lines = [f"{key}: {json.dumps(value)}" for key, value in header.items() if value]
        with whole_file(self.folder / f"{identifier}_mqc.html") as partial:
            partial.write_text("<!--\n" + "\n".join(lines) + f"\n-->\n{content}\n")

    def picture(self, chapter: str, drawn: "Drawn", description: str = "", part: str = "") -> None:
        """Write a section with a picture inside it.

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
        png = drawn.png.read_bytes()
        data = base64.b64encode(png).decode()
        width = int.from_bytes(png[16:20], "big") * SCREEN_DOTS // DOTS  # pixels of a PNG stand in its first chunk
        caption = html.escape(drawn.caption)
        title = f"{drawn.png.stem} of {self.label}"
        content = (
            f'<figure class="pharmacell"><img alt="{html.escape(title)}" width="{width}" '
            f'src="data:image/png;base64,{data}">'
            f"<figcaption>{caption}</figcaption></figure>"
        )
        self.text(chapter, self.label, content, description, part)


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
    return f'<table class="table table-sm pharmacell-settings">{rows}</table>'
