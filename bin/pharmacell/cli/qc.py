"""``qc``: one sample of single cells, checked, filtered and normalised."""

import click

from pharmacell.core.command import command


@command("qc")
@click.option("--sample", required=True, help="Name of the sample; the files are called by it.")
@click.option(
    "--input",
    "path",
    type=click.Path(),
    required=True,
    help="h5ad, 10x folder, 10x h5, csv or tsv (may be gzipped), or loom.",
)
@click.option("--label_key", help="Column of the cells' known response, used to score.")
@click.option("--group_key", help="Column of the cells' origin: line, patient or plate.")
@click.option("--species", type=click.Choice(["auto", "human", "mouse"]), default="auto", help="Whose genes these are.")
@click.option(
    "--scale",
    type=click.Choice(["auto", "counts", "tpm", "log1p", "zscore"]),
    default="auto",
    help="What the values are.",
)
@click.option(
    "--orientation",
    type=click.Choice(["auto", "cells_by_genes", "genes_by_cells"]),
    default="auto",
    help="Of a csv or tsv.",
)
@click.option("--min_genes", type=click.IntRange(min=0), default=200, help="Fewest detected genes of a cell.")
@click.option("--min_cells", type=click.IntRange(min=0), default=3, help="Fewest cells that a gene is detected in.")
@click.option("--max_mt_percent", type=click.FloatRange(0, 100), default=10, help="Most mitochondrial counts.")
@click.option(
    "--target_sum", type=click.FloatRange(0, min_open=True), default=10_000, help="Counts per cell after normalisation."
)
@click.option("--root", help="A group's or a cell's name; refused here, before any training, when there is none of it.")
@click.option("--outdir", type=click.Path(file_okay=False), default=".", help="Folder of the results.")
def qc(
    sample,
    path,
    label_key,
    group_key,
    species,
    scale,
    orientation,
    min_genes,
    min_cells,
    max_mt_percent,
    target_sum,
    root,
    outdir,
    seed,
    threads,
    device,
):
    """Write SAMPLE.h5ad, SAMPLE.qc_metrics.csv (every cell that was read) and SAMPLE.qc_summary.json."""
    from pathlib import Path

    from pharmacell.core.progress import say
    from pharmacell.data.readers import check_sample
    from pharmacell.data.sample import prepare_sample, write_sample
    from pharmacell.data.settings import Limits, Request

    check_sample(Path(path))
    request = Request(sample, Path(path), label_key, group_key, species, scale, orientation, root)
    prepared = prepare_sample(request, Limits(min_genes, min_cells, max_mt_percent, target_sum), seed)
    write_sample(prepared, outdir)
    for note in prepared.summary["notes"]:
        say(f"{sample}: {note}")
    card = prepared.summary
    say(f"{sample}: {card['n_cells']} of {card['n_cells_read']} cells and {card['n_genes']} human genes stay")
