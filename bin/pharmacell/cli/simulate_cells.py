"""Command ``simulate_cells``: a sample made from lines that the bulk data set then lacks."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.core.settings import chosen
from pharmacell.data.settings import Simulation


@command("simulate_cells")
@inputs.bulk
@inputs.response
@click.option("--drug", required=True, help="The drug whose most sensitive and most resistant lines are taken.")
@options_of(Simulation)
@inputs.outdir
def simulate_cells(bulk: Path, response: Path, drug: str, outdir: Path, seed: int, **options: Any) -> None:
    """Write simulated.h5ad (counts of cells of held-out lines) and bulk_reduced.h5ad (all other lines)."""
    from pharmacell.core.files import whole_file
    from pharmacell.core.progress import say
    from pharmacell.data.bulk import read_bulk
    from pharmacell.data.drugs import match_drug
    from pharmacell.data.simulate import simulate_sample

    wanted = chosen(Simulation, options)
    lines, table = read_bulk(bulk, response)
    drug = match_drug(drug, table["drug"].unique(), str(response))
    cells, reduced = simulate_sample(lines, table, drug, wanted.n_lines, wanted.n_cells, wanted.held_out, seed)
    for name, data in (("simulated.h5ad", cells), ("bulk_reduced.h5ad", reduced)):
        with whole_file(outdir / name) as partial:
            data.write_h5ad(partial)
    say(f"{cells.uns['pharmacell']['note']}; {reduced.n_obs} lines remain in the bulk data set")
