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
    "--predictions", type=inputs.READABLE_FOLDER, required=True, help="Folder of out-of-fold predictions (*.parquet)."
)
@click.option("--history", type=inputs.READABLE_FOLDER, help="Folder of the losses over training (*.csv).")
@inputs.outdir
def kaggle_summary(
    de_train: Path,
    layer: str | None,
    drop_unparsable: bool,
    predictions: Path,
    history: Path | None,
    outdir: Path,
    seed: int,
    **_: Any,
) -> None:
    """Score every row of every model on what it had not learned from, and compare the models with the best baseline."""
    from pharmacell.core.errors import InputError
    from pharmacell.perturbation.comparison import compare
    from pharmacell.perturbation.formats import is_simulated
    from pharmacell.perturbation.table import PerturbationTable
    from pharmacell.report.perturbation import write_comparison
    from pharmacell.report.perturbation_figures import draw_comparison

    table = PerturbationTable.read(de_train, layer, drop_unparsable)  # first: a bad one fails every training
    files = sorted(predictions.glob("*.parquet"))
    if not files:
        raise InputError(
            f"{predictions}: holds no predictions, as when every training failed (the pipeline's log has the reason of "
            "each); by hand, give the folder of kaggle_train's oof.parquet"
        )
    histories = sorted(history.glob("*.csv")) if history else []
    found = compare(files, histories, table, is_simulated(de_train), seed)
    found.write(outdir)
    write_comparison(found, draw_comparison(found, outdir / "figures"), outdir / "perturbation.mqc")
