"""Command ``kaggle_summary``: scores, gains and figures of a comparison of perturbation models."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.perturbation.settings import TableReading


@command("kaggle_summary")
@click.option(
    "--de_train",
    type=inputs.READABLE,
    required=True,
    help="The table that was trained on (parquet, h5ad, csv), such as de_train.parquet.",
)
@options_of(TableReading)
@click.option(
    "--row_scores",
    type=inputs.READABLE_FOLDER,
    required=True,
    help="Folder of kaggle_train's *row_scores.parquet and, for the figure of one row, *examples.parquet.",
)
@click.option("--history", type=inputs.READABLE_FOLDER, help="Folder of the losses over training (*.csv).")
@inputs.outdir
def kaggle_summary(
    de_train: Path,
    layer: str | None,
    drop_unparsable: bool,
    genes: Path | None,
    row_scores: Path,
    history: Path | None,
    outdir: Path,
    seed: int,
    **_: Any,
) -> None:
    """Compare the models with the best baseline by the scores of rows that they had not learned from."""
    from pharmacell.core.errors import InputError
    from pharmacell.perturbation.comparison import compare
    from pharmacell.perturbation.formats import is_simulated
    from pharmacell.perturbation.table import PerturbationTable
    from pharmacell.report.perturbation import write_comparison
    from pharmacell.report.perturbation_figures import draw_comparison

    files = sorted(row_scores.glob("*row_scores.parquet"))
    if not files:
        PerturbationTable.read(de_train, layer, drop_unparsable, genes)  # a bad one fails every training: say so first
        raise InputError(
            f"{row_scores}: holds no scores, as when every training failed (the pipeline's log has the reason of "
            "each); by hand, give the folder of kaggle_train's row_scores.parquet"
        )
    histories = sorted(history.glob("*.csv")) if history else []
    found = compare(files, sorted(row_scores.glob("*examples.parquet")), histories, is_simulated(de_train), seed)
    found.write(outdir)
    write_comparison(found, draw_comparison(found, outdir / "figures"), outdir / "perturbation.sections")
