"""The options that say which bulk data set, shared by the commands that read one."""

from collections.abc import Callable

import click


def bulk_options(function: Callable) -> Callable:
    """Add the options of the bulk source and of the cut between sensitive and resistant."""
    path = click.Path(dir_okay=False)
    options = (
        click.option("--bulk", default="gdsc", help="Bulk data set: gdsc (fetched once, then cached)."),
        click.option("--bulk_expression", type=path, help="Expression of your own lines: csv, tsv, parquet or h5ad."),
        click.option("--bulk_response", type=path, help="Drug response of these lines: csv, tsv or parquet."),
        click.option(
            "--response_measure",
            type=click.Choice(["ln_ic50", "ic50", "auc", "label"]),
            default="ln_ic50",
            help="What --bulk_response holds; a lower IC50 or AUC is more sensitive, label 1 is sensitive.",
        ),
        click.option(
            "--binarise",
            type=click.Choice(["quantile", "threshold", "waterfall"]),
            default="quantile",
            help="How lines are called sensitive.",
        ),
        click.option(
            "--sensitive_quantile",
            type=click.FloatRange(0, 1, min_open=True, max_open=True),
            default=0.3,
            help="Share of the lines that is sensitive, for quantile.",
        ),
        click.option(
            "--sensitive_threshold",
            type=float,
            help="Sensitive at or below this value (ln IC50 in ln uM, or AUC), for threshold.",
        ),
        click.option(
            "--cache_dir",
            type=click.Path(file_okay=False),
            help="Where GDSC is kept; else PHARMACELL_CACHE, else ~/.cache/pharmacell.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function
