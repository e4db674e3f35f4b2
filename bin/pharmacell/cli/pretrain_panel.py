"""Command ``pretrain_panel``: the bulk stage of the panel of all drugs."""

from pathlib import Path

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command


@command("pretrain_panel")
@inputs.bulk
@inputs.response
@click.option(
    "--outdir",
    type=click.Path(path_type=Path, file_okay=False),
    default="panel_model",
    help="Folder of the panel model.",
)
def pretrain_panel(bulk: Path, response: Path, outdir: Path, seed: int, threads: int, device: str) -> None:
    """Write panel_model/: what all samples share. It depends on the bulk data, the settings and the seed alone."""
    from pharmacell.core.progress import say
    from pharmacell.data.bulk import read_bulk
    from pharmacell.panel.bulk_stage import bulk_stage
    from pharmacell.panel.store import write_panel_model

    lines, table = read_bulk(bulk, response)
    model = bulk_stage(lines, table, seed)
    write_panel_model(model, outdir)
    counts = model.drugs["verdict_ceiling"].value_counts()
    say(f"panel: rows may be {', '.join(f'{name} for {n} drugs' for name, n in counts.items())}")
