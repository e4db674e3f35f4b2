"""Command ``prepare_gene_table``: the table of gene names that ships with the project."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command


@command("prepare_gene_table")
@click.option("--human_db", type=inputs.FILE, required=True, help="org.Hs.eg.sqlite of Bioconductor's org.Hs.eg.db.")
@click.option("--mouse_orthologs", type=inputs.FILE, required=True, help="Mouse to human orthology calls of HCOP, csv.")
@click.option("--output", type=inputs.FILE, required=True, help="The parquet file to write.")
def prepare_gene_table(human_db: Path, mouse_orthologs: Path, output: Path, **_: Any) -> None:
    """Collect symbols, aliases, Ensembl, Entrez and mouse names of human genes into one table."""
    from pharmacell.core.progress import say
    from pharmacell.data.gene_table import build_gene_table, write_gene_table

    table = build_gene_table(human_db, mouse_orthologs)
    write_gene_table(table, output)
    say(f"{len(table)} genes written to {output}")
