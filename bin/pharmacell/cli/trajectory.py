"""Command ``trajectory``: order a sample's cells along a pseudotime that starts at the most sensitive ones."""

from pathlib import Path

import click

from pharmacell.core.command import command


@command("trajectory")
@click.option("--sample", required=True, help="Name of the sample; begins the name of the output folder.")
@click.option("--target", required=True, type=click.Path(path_type=Path), help="SAMPLE.predicted.h5ad of predict.")
@click.option(
    "--key_genes",
    "key_genes_path",
    required=True,
    type=click.Path(path_type=Path),
    help="SAMPLE.key_genes.csv of key_genes; the top ten are followed along the pseudotime.",
)
@click.option(
    "--root",
    help="Where the pseudotime starts: a group's or a cell's name [default: the group, or cluster "
    "where there are no groups, with the highest mean probability].",
)
@click.option("--outdir", type=click.Path(path_type=Path), default=".", help="Where the folder goes.")
def trajectory(sample, target, key_genes_path, root, outdir, seed, threads, device):
    """Order the cells by diffusion pseudotime and compare the order with the predictions.

    Writes SAMPLE.trajectory/ with pseudotime.csv, correlations.csv, curves.csv, bins.csv and trajectory.json. Cells
    without a path get no pseudotime; where there is none at all, the tables say so by being empty, the json why.
    """
    from pharmacell.core.files import whole_file, write_json
    from pharmacell.core.progress import say
    from pharmacell.data.cells import CellMatrix
    from pharmacell.explain.ordered_genes import read_key_genes
    from pharmacell.explain.trajectory import compare, require_predictions, trace

    cells = CellMatrix(target)
    require_predictions(cells.obs, str(target))
    genes = read_key_genes(key_genes_path, cells.genes)
    found = trace(cells.components(), cells.obs, root, seed, str(target))
    tables = {"pseudotime": found.cells} | compare(found, cells, genes, seed)
    for name, table in tables.items():
        with whole_file(outdir / f"{sample}.trajectory" / f"{name}.csv") as partial:
            table.to_csv(partial, index=False)
    write_json(outdir / f"{sample}.trajectory" / "trajectory.json", {"sample": sample} | found.facts)
    for note in found.facts["notes"]:
        say(f"{sample}: {note}")
