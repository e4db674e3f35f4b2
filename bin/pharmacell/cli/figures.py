"""Command ``figures``: draws what the other steps computed for one sample."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command


@command("figures")
@inputs.sample
@click.option("--qc_metrics", type=inputs.READABLE, required=True, help="Measures of every cell that was read (csv).")
@click.option("--qc_summary", type=inputs.READABLE, required=True, help="What quality control did (json).")
@click.option("--source_metrics", type=inputs.READABLE, required=True, help="Scores on held-out bulk lines (csv).")
@click.option("--source_history", type=inputs.READABLE, required=True, help="Losses of the bulk stage (csv).")
@click.option("--history", type=inputs.READABLE, required=True, help="Losses of the transfer (csv).")
@click.option("--target", type=inputs.READABLE, required=True, help="The cells with their predictions (h5ad).")
@click.option("--predictions", type=inputs.READABLE, required=True, help="The predictions (csv).")
@click.option("--baselines", type=inputs.READABLE, required=True, help="The baselines' predictions (csv).")
@click.option("--model_metrics", type=inputs.READABLE, help="Scores on the cells, when the truth is known (csv).")
@click.option(
    "--significance", type=inputs.READABLE, help="Which cells stand out, unless the network stands alone (csv)."
)
@click.option("--treatment", type=inputs.READABLE, help="Before and after treatment, when it is known (csv).")
@click.option("--diagnostics", type=inputs.READABLE, required=True, help="Verdict and the numbers behind it (json).")
@click.option("--key_genes", type=inputs.READABLE, help="The key genes (csv), unless explanations are left out.")
@click.option("--key_genes_folder", type=inputs.READABLE_FOLDER, help="The folder that key_genes wrote beside them.")
@click.option(
    "--trajectory",
    type=inputs.READABLE_FOLDER,
    help="The folder that trajectory wrote, unless explanations are left out.",
)
@inputs.outdir
def figures(sample: str, outdir: Path, seed: int, threads: int, device: str, **files: Any) -> None:
    """Draw every figure of a sample (png and svg) and write its part of the report."""
    from pharmacell.core.progress import say
    from pharmacell.report.content import write_content
    from pharmacell.report.results import read_results
    from pharmacell.report.sample_figures import draw_sample

    results = read_results(sample, files)
    say(f"{sample}: {len(results.obs):,} cells")
    drawn = draw_sample(results, outdir / f"{sample}.figures", seed)
    say(f"{sample}: sections of the report")
    write_content(results, drawn, outdir / f"{sample}.sections", seed)
