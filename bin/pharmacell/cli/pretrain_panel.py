"""Command ``pretrain_panel``: the bulk stage of the panel of all drugs."""

from pathlib import Path

import click

from pharmacell.cli import inputs
from pharmacell.cli.bulk_stage import bulk_stage_options, fill_bulk_stage
from pharmacell.core.command import command
from pharmacell.core.kept import MadeFrom
from pharmacell.core.options import options_of
from pharmacell.drug_panel.settings import DrugFeatures, PanelNetworkChoice, PanelNetworkConfig


@command("pretrain_panel")
@inputs.bulk
@inputs.response
@bulk_stage_options
@options_of(PanelNetworkChoice)
@click.option(
    "--outdir",
    type=click.Path(path_type=Path, file_okay=False),
    default="panel_model",
    help="Folder of the panel model.",
)
def pretrain_panel(
    bulk: Path,
    response: Path,
    cache_dir: Path | None,
    code: str | None,
    model: Path | None,
    panel_network: str,
    drug_features: DrugFeatures,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Write panel_model/: what all samples share. It depends on the bulk data, the settings and the seed alone."""
    from pharmacell.core.device import resolve_device
    from pharmacell.core.progress import say
    from pharmacell.data.bulk import bulk_digest, read_bulk
    from pharmacell.drug_panel.bulk_stage import bulk_stage
    from pharmacell.drug_panel.store import write_panel_model

    lines, table = read_bulk(bulk, response)
    network = PanelNetworkConfig(drug_features=drug_features) if panel_network == "on" else None
    trained_on = resolve_device(device)

    def make(folder: Path) -> None:
        made = bulk_stage(lines, table, seed, network, trained_on)
        write_panel_model(made, folder)
        counts = made.drugs["verdict_ceiling"].value_counts()
        say(f"panel: rows may be {', '.join(f'{name} for {n} drugs' for name, n in counts.items())}")

    settings = {"panel_network": panel_network, "drug_features": drug_features}
    source = MadeFrom("pretrain_panel", code, bulk_digest(lines, table), settings, seed, str(trained_on), threads)
    fill_bulk_stage(outdir, source, cache_dir, model, make)
