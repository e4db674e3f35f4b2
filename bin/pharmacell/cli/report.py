"""Command ``report``: gathers all samples into one html page."""

import click

from pharmacell.core.command import command


@command("report")
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False))
@click.option("--title", default="PharmaCell", help="Title of the page.")
@click.option("--parameters", type=click.Path(exists=True, dir_okay=False), help="Settings of the run (json object).")
@click.option("--outdir", type=click.Path(file_okay=False), default=".", help="Where pharmacell_report.html goes.")
def report(folders, title, parameters, outdir, seed, threads, device):
    """Gather FOLDERS, the folders with sections (.mqc) that the other commands wrote, into pharmacell_report.html."""
    from pathlib import Path

    from pharmacell.report.page import write_report
    from pharmacell.report.results import read_json

    write_report([Path(folder) for folder in folders], title, read_json(parameters) if parameters else {}, Path(outdir))
