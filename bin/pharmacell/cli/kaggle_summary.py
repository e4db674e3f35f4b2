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
@click.option(
    "--second_row_scores",
    type=inputs.READABLE_FOLDER,
    help="The same of --second_layer, which kaggle_train wrote to its folder second_layer.",
)
@click.option("--history", type=inputs.READABLE_FOLDER, help="Folder of the losses over training (*.csv).")
@inputs.outdir
def kaggle_summary(
    de_train: Path,
    layer: str | None,
    second_layer: str | None,
    drop_unparsable: bool,
    genes: Path | None,
    row_scores: Path,
    second_row_scores: Path | None,
    history: Path | None,
    outdir: Path,
    seed: int,
    **_: Any,
) -> None:
    """Compare the models with the best baseline by the scores of rows that they had not learned from.

    With --second_layer: the same tables and figures of that layer in the folder second_layer.
    """
    from dataclasses import replace

    from pharmacell.core.errors import InputError
    from pharmacell.perturbation.comparison import Comparison, compare
    from pharmacell.perturbation.fold_runs import SECOND
    from pharmacell.perturbation.formats import is_simulated
    from pharmacell.perturbation.settings import DEFAULT_LAYER
    from pharmacell.perturbation.table import PerturbationTable
    from pharmacell.report.perturbation import write_comparison
    from pharmacell.report.perturbation_figures import draw_comparison

    if (second_layer is None) != (second_row_scores is None):
        raise InputError("--second_layer and --second_row_scores belong together; give both or neither")
    histories = sorted(history.glob("*.csv")) if history else []
    simulated = is_simulated(de_train)
    folders = {layer or DEFAULT_LAYER: row_scores}
    if second_layer and second_row_scores:
        folders[second_layer] = second_row_scores
    compared: list[Comparison] = []
    for name, folder in folders.items():
        files = sorted(folder.glob("*row_scores.parquet"))
        if not files:
            # a bad table fails every training: say so first
            PerturbationTable.read(de_train, layer, drop_unparsable, genes, second_layer)
            raise InputError(
                f"{folder}: holds no scores, as when every training failed (the pipeline's log has the reason of "
                "each); by hand, give the folder of kaggle_train's row_scores.parquet"
            )
        losses = [] if compared else histories  # one network learns all layers, so its losses are shown once
        found = compare(files, sorted(folder.glob("*examples.parquet")), losses, simulated, seed)
        compared.append(replace(found, layer=name, of_several=len(folders) > 1))
    for found, folder in zip(compared, (outdir, outdir / SECOND), strict=False):
        found.write(folder)
        write_comparison(found, draw_comparison(found, folder / "figures"), outdir / "perturbation.sections")
