"""``list_drugs``: the drugs of a bulk data set."""

import click

from pharmacell.cli.bulk_options import bulk_options
from pharmacell.core.command import command


@command("list_drugs")
@bulk_options
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def list_drugs(
    bulk,
    bulk_expression,
    bulk_response,
    response_measure,
    binarise,
    sensitive_quantile,
    sensitive_threshold,
    cache_dir,
    as_csv,
    seed,
    threads,
    device,
):
    """Print every drug with its number of lines, sensitive and resistant."""
    from pharmacell.data.load_bulk import label_bulk, load_bulk

    loaded = load_bulk(bulk, bulk_expression, bulk_response, response_measure, cache_dir)
    summary = label_bulk(loaded, binarise, sensitive_quantile, sensitive_threshold)[1]
    table = summary[["drug", "n_lines", "n_sensitive", "n_resistant"]]
    click.echo(table.to_csv(index=False) if as_csv else table.to_string(index=False), nl=not as_csv)
