"""Command ``list_drugs``: the drugs of a bulk data set."""

from typing import Any

import click

from pharmacell.cli.bulk_options import bulk_options, labelled_bulk
from pharmacell.core.command import command


@command("list_drugs")
@bulk_options
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def list_drugs(as_csv: bool, **options: Any) -> None:
    """Print every drug with its number of lines, sensitive and resistant, its synonyms, target and pathway."""
    from pharmacell.data.drugs import describe_drugs

    _, _, summary = labelled_bulk(options)
    table = summary[["drug", "n_lines", "n_sensitive", "n_resistant"]].join(describe_drugs(summary["drug"].tolist()))
    click.echo(table.to_csv(index=False) if as_csv else table.to_string(index=False), nl=not as_csv)
