"""Command ``qc``: one sample of single cells, checked, filtered and normalised."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.core.settings import chosen
from pharmacell.data.settings import Limits, Request


@command("qc")
@inputs.sample
@click.option(
    "--input",
    "path",
    type=click.Path(path_type=Path),
    required=True,
    help="h5ad, zarr, h5mu, loom, 10x h5 or folder, csv or tsv; may be compressed.",
)
@options_of(Request)
@options_of(Limits)
@inputs.outdir
def qc(outdir: Path, seed: int, **options: Any) -> None:
    """Write SAMPLE.h5ad, SAMPLE.qc_metrics.csv (every cell that was read) and SAMPLE.qc_summary.json."""
    from pharmacell.core.progress import say
    from pharmacell.data.readers import check_sample
    from pharmacell.data.sample import prepare_sample

    request = chosen(Request, options)
    check_sample(request.path)
    say(f"{request.sample}: reading {request.path.name}")
    summary = prepare_sample(request, chosen(Limits, options), seed, outdir)
    for note in summary["notes"]:
        say(f"{request.sample}: {note}")
    say(
        f"{request.sample}: {summary['n_cells']} of {summary['n_cells_read']} cells and {summary['n_genes']} human "
        "genes stay"
    )
