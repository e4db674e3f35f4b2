"""Command ``trajectory``: order a sample's cells along a pseudotime that starts at the most sensitive ones."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.explanation.settings import Pseudotime


@command("trajectory")
@inputs.sample
@inputs.target("SAMPLE.predicted.h5ad of predict.")
@click.option(
    "--key_genes",
    "key_genes_path",
    required=True,
    type=inputs.FILE,
    help="SAMPLE.key_genes.csv of key_genes; the top ten are followed along the pseudotime.",
)
@options_of(Pseudotime)
@inputs.outdir
def trajectory(
    sample: str, target: Path, key_genes_path: Path, root: str | None, outdir: Path, seed: int, **_: Any
) -> None:
    """Order the cells by diffusion pseudotime and compare the order with the predictions.

    Writes SAMPLE.trajectory/ with pseudotime.csv, correlations.csv, curves.csv, bins.csv and trajectory.json. Cells
    without a path get no pseudotime; where there is none at all, the tables say so by being empty, the json why.
    """
    from pharmacell.core.files import whole_file, write_json
    from pharmacell.core.progress import say
    from pharmacell.data.cells import CellMatrix
    from pharmacell.explanation.ordered_genes import read_key_genes
    from pharmacell.explanation.trajectory import compare, require_predictions, trace

    cells = CellMatrix(target)
    require_predictions(cells.obs, str(target))
    say(f"{sample}: diffusion pseudotime of {len(cells):,} cells")
    genes = read_key_genes(key_genes_path, cells.genes)
    found = trace(cells.components(), cells.obs, root, seed, str(target))
    say(f"{sample}: genes along the pseudotime")
    tables = {"pseudotime": found.cells} | compare(found, cells, genes, seed)
    for name, table in tables.items():
        with whole_file(outdir / f"{sample}.trajectory" / f"{name}.csv") as partial:
            table.to_csv(partial, index=False)
    write_json(outdir / f"{sample}.trajectory" / "trajectory.json", {"sample": sample} | found.summary)
    for note in found.summary["notes"]:
        say(f"{sample}: {note}")
