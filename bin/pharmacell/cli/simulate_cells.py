"""``simulate_cells``: a sample made from lines that the bulk data set then lacks."""

import click

from pharmacell.core.command import command


@command("simulate_cells")
@click.option("--bulk", type=click.Path(dir_okay=False), required=True, help="bulk.h5ad of prepare_bulk.")
@click.option("--response", type=click.Path(dir_okay=False), required=True, help="response.parquet of prepare_bulk.")
@click.option("--drug", required=True, help="The drug whose most sensitive and most resistant lines are taken.")
@click.option("--n_lines", type=click.IntRange(min=1), default=6, help="Lines of each class.")
@click.option("--n_cells", type=click.IntRange(min=1), default=100, help="Cells per line.")
@click.option(
    "--held_out",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.2,
    help="Share of the lines that is held out; cells come from these only.",
)
@click.option("--outdir", type=click.Path(file_okay=False), default=".", help="Folder of the results.")
def simulate_cells(bulk, response, drug, n_lines, n_cells, held_out, outdir, seed, threads, device):
    """Write simulated.h5ad (counts of cells of held-out lines) and bulk_reduced.h5ad (all other lines)."""
    from pathlib import Path

    from pharmacell.core.files import whole_file
    from pharmacell.core.progress import say
    from pharmacell.data.bulk import read_bulk
    from pharmacell.data.drugs import match_drug
    from pharmacell.data.simulate import simulate_sample

    lines, table = read_bulk(bulk, response)
    drug = match_drug(drug, table["drug"].unique(), response)
    cells, reduced = simulate_sample(lines, table, drug, n_lines, n_cells, held_out, seed)
    for name, data in (("simulated.h5ad", cells), ("bulk_reduced.h5ad", reduced)):
        with whole_file(Path(outdir) / name) as partial:
            data.write_h5ad(partial)
    say(f"{cells.uns['pharmacell']['note']}; {reduced.n_obs} lines remain in the bulk data set")
