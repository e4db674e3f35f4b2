"""Command ``prepare_bulk``: expression and drug response of cell lines, ready for training."""

from math import isnan
from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.cli.bulk_options import bulk_options, labelled_bulk
from pharmacell.core.command import command


@command("prepare_bulk")
@bulk_options
@click.option(
    "--drug",
    "drugs",
    multiple=True,
    required=True,
    help="A drug to prepare, all, target:T or pathway:P; repeat for several.",
)
@inputs.outdir
def prepare_bulk(drugs: tuple[str, ...], outdir: Path, **options: Any) -> None:
    """Write bulk.h5ad (lines x genes), response.parquet (every drug) and drug_summary.csv (the drugs asked for)."""
    from pharmacell.core.progress import say
    from pharmacell.data.bulk import write_bulk
    from pharmacell.data.drugs import is_choice
    from pharmacell.data.response import select_drugs

    loaded, response, summary = labelled_bulk(options)
    source = str(options["bulk_response"] or loaded.database)
    chosen = select_drugs(summary, list(drugs), source)
    write_bulk(loaded, response, chosen, outdir)
    for note in loaded.notes:
        say(note)
    named = [drug for drug in drugs if not is_choice(drug)]
    if len(named) < len(drugs):
        say(f"{len(chosen)} drugs; drug_summary.csv has the lines, cut and reliability of each")
    for row in select_drugs(summary, named, source).itertuples():
        say(
            f"{row.drug}: {row.n_sensitive} sensitive and {row.n_resistant} resistant lines ({row.binarise}, "
            f"cut {row.cut:.4g})"
        )
        if isnan(row.reliability):
            say(f"{row.drug}: reliability is not known; {row.reliability_lines} lines were measured by two releases")
        else:
            say(
                f"{row.drug}: releases correlate by {row.reliability:.2f} over the {row.reliability_lines} lines that "
                "more than one measured"
            )
