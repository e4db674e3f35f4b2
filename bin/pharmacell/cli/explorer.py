"""Command ``explorer``: one page that shows the cells of a sample."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command


@command("explorer")
@inputs.sample
@click.option(
    "--target",
    "targets",
    type=inputs.READABLE,
    multiple=True,
    help="The cells with their predictions (h5ad), once for each drug.",
)
@click.option("--panel", type=inputs.READABLE_FOLDER, help="The folder that predict_panel wrote.")
@click.option("--key_genes", type=inputs.READABLE, multiple=True, help="Key genes (csv), once for each drug.")
@click.option("--trajectory", type=inputs.READABLE_FOLDER, help="The folder that trajectory wrote.")
@inputs.outdir
def explorer(
    sample: str,
    targets: tuple[Path, ...],
    panel: Path | None,
    key_genes: tuple[Path, ...],
    trajectory: Path | None,
    outdir: Path,
    seed: int,
    **_: Any,
) -> None:
    """Write explorer_SAMPLE.html into the folder SAMPLE.explorer; it opens from disk."""
    from pharmacell.core.progress import say
    from pharmacell.report.explorer import Inputs, write_explorer

    path = outdir / f"{sample}.explorer" / f"explorer_{sample}.html"
    shown = write_explorer(sample, Inputs(targets, panel, key_genes, trajectory), path, seed)
    say(f"{sample}: {shown:,} cells, {path.stat().st_size / 1e6:.1f} MB")
