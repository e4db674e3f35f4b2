"""Command ``predict_panel``: one sample, all drugs."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.core.settings import chosen
from pharmacell.drug_panel.settings import PanelRequest


@command("predict_panel")
@click.option("--model", required=True, type=inputs.READABLE_FOLDER, help="panel_model/ of pretrain_panel.")
@inputs.bulk
@inputs.response
@click.option("--sample", required=True, type=inputs.FILE, help="The sample's h5ad of qc.")
@click.option(
    "--drug",
    "drugs",
    multiple=True,
    help="A drug, several joined with ;, target:T, pathway:P or all; repeat for several. [default: all]",
)
@options_of(PanelRequest)
@click.option(
    "--outdir", type=click.Path(path_type=Path, file_okay=False), default="panel", help="Folder of the output files."
)
def predict_panel(
    model: Path,
    bulk: Path,
    response: Path,
    sample: Path,
    drugs: tuple[str, ...],
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
    **options: Any,
) -> None:
    """Write panel.csv, groups.csv, combinations.csv, cells.parquet, panel.json and SAMPLE.h5ad."""
    from pharmacell.data.bulk import read_bulk
    from pharmacell.drug_panel.sample_run import Bulk, run_panel
    from pharmacell.drug_panel.store import read_panel_model

    lines, table = read_bulk(bulk, response)
    run_panel(
        Bulk.of(lines, table, read_panel_model(model, bool(options["smiles"]))),
        sample,
        chosen(PanelRequest, options),
        drugs,
        outdir,
        seed,
    )
