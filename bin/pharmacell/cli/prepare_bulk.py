"""``prepare_bulk``: expression and drug response of cell lines, ready for training."""

import click

from pharmacell.cli.bulk_options import bulk_options
from pharmacell.core.command import command


@command("prepare_bulk")
@bulk_options
@click.option("--drug", "drugs", multiple=True, required=True, help="A drug to prepare; repeat for several.")
@click.option("--outdir", type=click.Path(file_okay=False), default=".", help="Folder of the results.")
def prepare_bulk(
    bulk,
    bulk_expression,
    bulk_response,
    response_measure,
    binarise,
    sensitive_quantile,
    sensitive_threshold,
    cache_dir,
    drugs,
    outdir,
    seed,
    threads,
    device,
):
    """Write bulk.h5ad (lines x genes), response.parquet (every drug) and drug_summary.csv (the drugs asked for)."""
    from pharmacell.core.progress import say
    from pharmacell.data.bulk import write_bulk
    from pharmacell.data.load_bulk import label_bulk, load_bulk
    from pharmacell.data.response import select_drugs

    loaded = load_bulk(bulk, bulk_expression, bulk_response, response_measure, cache_dir)
    response, summary = label_bulk(loaded, binarise, sensitive_quantile, sensitive_threshold)
    chosen = select_drugs(summary, list(drugs), str(bulk_response or loaded.source))
    write_bulk(loaded, response, chosen, outdir)
    for note in loaded.notes:
        say(note)
    for row in chosen.itertuples():
        say(
            f"{row.drug}: {row.n_sensitive} sensitive and {row.n_resistant} resistant lines ({row.binarise}, "
            f"cut {row.cut:.4g})"
        )
