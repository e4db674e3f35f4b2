"""Command ``panel_figures``: draws what the panel of all drugs found in one sample."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command


@command("panel_figures")
@inputs.sample
@click.option("--panel", type=inputs.READABLE_FOLDER, required=True, help="The folder that predict_panel wrote.")
@inputs.outdir
def panel_figures(sample: str, panel: Path, outdir: Path, seed: int, **_: Any) -> None:
    """Draw every figure of a sample's panel (png and svg) and write its part of the report."""
    from pharmacell.report.panel import write_panel
    from pharmacell.report.panel_figures import draw_panel
    from pharmacell.report.panel_results import read_panel

    results = read_panel(sample, panel)
    drawn = draw_panel(results, outdir / f"{sample}.panel_figures", seed)
    write_panel(results, drawn, outdir / f"{sample}.panel_sections", seed)
