"""Command ``key_genes``: why the cells of a sample are predicted as they are."""

from pathlib import Path

import click

from pharmacell.core.command import command

FILE = click.Path(path_type=Path)


@command("key_genes")
@click.option(
    "--model", required=True, type=FILE, help="SAMPLE.model.safetensors of finetune_sc; its .json lies beside it."
)
@click.option("--sample", required=True, help="Name of the sample; begins the names of the output files.")
@click.option("--target", required=True, type=FILE, help="The sample's predicted.h5ad of predict.")
@click.option(
    "--ig_baseline",
    type=click.Choice(["resistant", "zeros"]),
    default="resistant",
    help="Cell that integrated gradients compare with: the mean resistant cell (for resistant cells the mean "
    "sensitive one), or the sample's mean cell.",
)
@click.option(
    "--ig_steps",
    type=click.IntRange(min=2),
    default=50,
    help="Steps of integrated gradients; doubled, up to four times, while the completeness gap is over 1 %.",
)
@click.option("--gene_sets", type=FILE, help="Gene sets (gmt) for enrichment; none come with PharmaCell.")
@click.option(
    "--outdir", type=click.Path(path_type=Path, file_okay=False), default=".", help="Folder of the output files."
)
def key_genes(model, sample, target, ig_baseline, ig_steps, gene_sets, outdir, seed, threads, device):
    """Find the genes behind the predictions of a sample, and compare them with differential expression.

    Writes SAMPLE.key_genes.csv, and SAMPLE.key_genes/ with the tables behind each figure and key_genes.json, which says
    how they were made and what is missing, why.
    """
    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.core.progress import say
    from pharmacell.explain.files import write_tables
    from pharmacell.explain.pathways import read_gene_sets
    from pharmacell.explain.sample import Settings, explain_sample
    from pharmacell.response.store import load_bundle

    use_threads(threads)
    where = resolve_device(device)
    sets = read_gene_sets(gene_sets) if gene_sets else None
    settings = Settings(ig_baseline, ig_steps, sets, seed, threads)
    found = explain_sample(load_bundle(model, device=where), target, settings, where)
    write_tables(found, sample, outdir)
    for part, reason in found.missing.items():
        say(f"{sample}: {part} left out: {reason}")
