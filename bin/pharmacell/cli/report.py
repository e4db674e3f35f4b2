"""Command ``report``: gathers all samples into one html page."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command


@command("report")
@click.argument("folders", nargs=-1, required=True, type=inputs.READABLE_FOLDER)
@click.option("--title", default="PharmaCell", help="Title of the page.")
@click.option("--parameters", type=inputs.READABLE, help="Settings of the run (json object).")
@click.option("--left_out", type=inputs.READABLE, help="What the run goes on without (json object: name to reason).")
@inputs.outdir
def report(
    folders: tuple[Path, ...], title: str, parameters: Path | None, left_out: Path | None, outdir: Path, **_: Any
) -> None:
    """Gather FOLDERS, the sections that the other commands wrote, into pharmacell_report.html."""
    from pharmacell.report.page import write_report
    from pharmacell.report.results import read_json

    settings, gone = (read_json(path) if path else {} for path in (parameters, left_out))
    write_report(list(folders), title, settings, outdir, gone)
