"""``prepare_gene_table``: the table of gene names that ships with the project."""

import click

from pharmacell.core.command import command


@command("prepare_gene_table")
@click.option(
    "--human_db",
    type=click.Path(dir_okay=False),
    required=True,
    help="org.Hs.eg.sqlite of Bioconductor's org.Hs.eg.db.",
)
@click.option(
    "--mouse_orthologs",
    type=click.Path(dir_okay=False),
    required=True,
    help="Mouse to human orthology calls of HCOP, csv.",
)
@click.option("--output", type=click.Path(dir_okay=False), required=True, help="The parquet file to write.")
def prepare_gene_table(human_db, mouse_orthologs, output, seed, threads, device):
    """Collect symbols, aliases, Ensembl, Entrez and mouse names of human genes into one table."""
    from pathlib import Path

    from pharmacell.core.progress import say
    from pharmacell.data.gene_table import build_gene_table, write_gene_table

    table = build_gene_table(Path(human_db), Path(mouse_orthologs))
    write_gene_table(table, output)
    say(f"{len(table)} genes written to {output}")
