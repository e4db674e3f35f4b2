"""Command ``kaggle_summary``: scores, gains and figures of a comparison of perturbation models."""

import click

from pharmacell.core.command import command

FOLDER = click.Path(exists=True, file_okay=False)


@command("kaggle_summary")
@click.option(
    "--de_train",
    type=click.Path(exists=True, dir_okay=False),
    required=True,
    help="The table that was trained on (parquet, h5ad, csv), such as de_train.parquet.",
)
@click.option("--layer", help="Layer of an h5ad.")
@click.option("--drop_unparsable", is_flag=True, help="Leave out rows whose SMILES cannot be parsed, as in training.")
@click.option("--predictions", type=FOLDER, required=True, help="Folder of out-of-fold predictions (*.parquet).")
@click.option("--history", type=FOLDER, help="Folder of the losses over training (*.csv).")
@click.option("--outdir", type=click.Path(file_okay=False), default=".", help="Where everything goes.")
def kaggle_summary(de_train, layer, drop_unparsable, predictions, history, outdir, seed, threads, device):
    """Score every row of every model on what it had not learned from, and compare the models with the best baseline."""
    from pathlib import Path

    from pharmacell.core.errors import InputError
    from pharmacell.perturbation.comparison import compare
    from pharmacell.perturbation.formats import is_simulated
    from pharmacell.perturbation.table import PerturbationTable
    from pharmacell.report.figures.perturbation import draw_comparison
    from pharmacell.report.perturbation import write_comparison

    files = sorted(Path(predictions).glob("*.parquet"))
    if not files:
        raise InputError(f"{predictions}: holds no parquet file; give the folder of kaggle_train's predictions")
    histories = sorted(Path(history).glob("*.csv")) if history else []
    outdir = Path(outdir)
    table = PerturbationTable.read(Path(de_train), layer, drop_unparsable)
    found = compare(files, histories, table, is_simulated(Path(de_train)), seed)
    found.write(outdir)
    write_comparison(found, draw_comparison(found, outdir / "figures"), outdir / "perturbation.mqc")
