"""Command ``simulate_perturbation``: a table for the perturbation task from keys and moments."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.core.settings import chosen
from pharmacell.perturbation.settings import SimulatedTable


@command("simulate_perturbation")
@click.option(
    "--train_keys",
    required=True,
    type=inputs.FILE,
    help="Table of cell_type, sm_name, SMILES and, if known, sm_lincs_id and control.",
)
@click.option("--id_map", required=True, type=inputs.FILE, help="csv of id, cell_type, sm_name: the test rows.")
@click.option(
    "--mean", required=True, type=inputs.FILE, help="csv: cell_type, then the mean of each gene, in their order."
)
@click.option(
    "--std", required=True, type=inputs.FILE, help="csv: cell_type, then the standard deviation of each gene."
)
@options_of(SimulatedTable)
@click.option(
    "--second_layer",
    help="Also simulate log2 fold changes, as a layer of this name, such as logFC, beside sign_log10_pval; the tables "
    "are then h5ad.",
)
@inputs.outdir
def simulate_perturbation(
    train_keys: Path,
    id_map: Path,
    mean: Path,
    std: Path,
    second_layer: str | None,
    outdir: Path,
    seed: int,
    **options: Any,
) -> None:
    """Write de_train.parquet, de_test.parquet, id_map.csv, sample_submission.csv and simulation.json.

    Cell types keep the given moments; compounds act partly differently in each cell type; noise has heavy tails. The
    files say that their values are simulated, and by which simulator.
    """
    from pharmacell.core.progress import say
    from pharmacell.perturbation.simulated_files import write_simulated
    from pharmacell.perturbation.simulation import fold_changes, read_source, reduce, simulate

    asked = chosen(SimulatedTable, options)
    source = reduce(read_source(train_keys, id_map, mean, std), asked.n_genes, asked.n_compounds, seed)
    train, test = simulate(source, asked.simulator, seed)
    second = fold_changes(second_layer, source, train, test, seed) if second_layer else None
    write_simulated(source, train, test, asked.simulator, seed, outdir, second)
    say(f"simulated {len(train)} training and {len(test)} test rows of {train.shape[1]} genes")
