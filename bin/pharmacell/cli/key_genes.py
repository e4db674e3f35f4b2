"""Command ``key_genes``: why the cells of a sample are predicted as they are."""

from pathlib import Path

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.explanation.settings import Attribution


@command("key_genes")
@inputs.model
@inputs.sample
@inputs.target("SAMPLE.predicted.h5ad of predict.")
@options_of(Attribution)
@click.option("--gene_sets", type=inputs.FILE, help="Gene sets (gmt) for enrichment; none come with PharmaCell.")
@inputs.outdir
def key_genes(
    model: Path,
    sample: str,
    target: Path,
    ig_baseline: str,
    ig_steps: int,
    gene_sets: Path | None,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Find the genes behind the predictions of a sample, and compare them with differential expression.

    Writes SAMPLE.key_genes.csv, and SAMPLE.key_genes/ with the tables behind each figure and key_genes.json, which says
    how they were made and what is missing, why.
    """
    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.core.progress import say
    from pharmacell.explanation.files import write_tables
    from pharmacell.explanation.pathways import read_gene_sets
    from pharmacell.explanation.sample import Settings, explain_sample
    from pharmacell.response.store import load_bundle

    use_threads(threads)
    where = resolve_device(device)
    sets = read_gene_sets(gene_sets) if gene_sets else None
    settings = Settings(ig_baseline, ig_steps, sets, seed, threads)
    found = explain_sample(load_bundle(model, device=where), target, settings, where)
    write_tables(found, sample, outdir)
    for part, reason in found.missing.items():
        say(f"{sample}: {part} left out: {reason}")
