"""Command ``simulate_perturbation``: a table for the perturbation task from keys and moments."""

from pathlib import Path

import click

from pharmacell.core.command import command

FILE = click.Path(path_type=Path)


@command("simulate_perturbation")
@click.option("--train_keys", required=True, type=FILE, help="csv of cell_type, sm_name, sm_lincs_id, SMILES, control.")
@click.option("--id_map", required=True, type=FILE, help="csv of id, cell_type, sm_name: the test rows.")
@click.option("--mean", required=True, type=FILE, help="csv: cell_type, then the mean of each gene, in their order.")
@click.option("--std", required=True, type=FILE, help="csv: cell_type, then the standard deviation of each gene.")
@click.option("--n_genes", type=click.IntRange(min=2), help="Keep this many genes [default: all].")
@click.option(
    "--n_compounds",
    type=click.IntRange(min=2),
    help="Keep this many compounds, those of most cell types first [default: all].",
)
@click.option("--outdir", type=FILE, default=".", help="Folder of the output files.")
def simulate_perturbation(train_keys, id_map, mean, std, n_genes, n_compounds, outdir, seed, threads, device):
    """Write de_train.parquet, de_test.parquet, id_map.csv, sample_submission.csv and simulation.json.

    Cell types keep the given moments; compounds act through their Morgan fingerprints, partly differently in each cell
    type; noise has heavy tails. The files say that their values are simulated.
    """
    from pharmacell.core.progress import say
    from pharmacell.perturbation.simulated_files import write_simulated
    from pharmacell.perturbation.simulation import read_source, reduce, simulate

    source = reduce(read_source(train_keys, id_map, mean, std), n_genes, n_compounds, seed)
    train, test = simulate(source, seed)
    write_simulated(source, train, test, seed, outdir)
    say(f"simulated {len(train)} training and {len(test)} test rows of {train.shape[1]} genes")
