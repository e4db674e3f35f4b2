"""Command ``figures``: draws what the other steps computed for one sample."""

import click

from pharmacell.core.command import command

FILE = click.Path(exists=True, dir_okay=False)


@command("figures")
@click.option("--sample", required=True, help="The sample's name.")
@click.option("--qc_metrics", type=FILE, required=True, help="Measures of every cell that was read (csv).")
@click.option("--qc_summary", type=FILE, required=True, help="What quality control did (json).")
@click.option("--source_metrics", type=FILE, required=True, help="Scores on held-out bulk lines (csv).")
@click.option("--source_history", type=FILE, required=True, help="Losses of the bulk stage (csv).")
@click.option("--history", type=FILE, required=True, help="Losses of the transfer (csv).")
@click.option("--target", type=FILE, required=True, help="The cells with their predictions (h5ad).")
@click.option("--predictions", type=FILE, required=True, help="The predictions (csv).")
@click.option("--baselines", type=FILE, required=True, help="The baselines' predictions (csv).")
@click.option("--model_metrics", type=FILE, help="Scores on the cells, when the truth is known (csv).")
@click.option("--significance", type=FILE, help="Which cells stand out, unless the network stands alone (csv).")
@click.option("--diagnostics", type=FILE, required=True, help="Verdict and the numbers behind it (json).")
@click.option("--key_genes", type=FILE, help="The key genes (csv), unless explanations are left out.")
@click.option(
    "--key_genes_folder",
    type=click.Path(exists=True, file_okay=False),
    help="The folder that key_genes wrote beside them.",
)
@click.option(
    "--trajectory",
    type=click.Path(exists=True, file_okay=False),
    help="The folder that trajectory wrote, unless explanations are left out.",
)
@click.option("--outdir", type=click.Path(file_okay=False), default=".", help="Where the two folders go.")
def figures(sample, outdir, seed, threads, device, **files):
    """Draw every figure of a sample (png and svg) and write its part of the report."""
    from pathlib import Path

    from pharmacell.report.content import write_content
    from pharmacell.report.figures.sample import draw_sample
    from pharmacell.report.results import read_results

    results = read_results(sample, files)
    drawn = draw_sample(results, Path(outdir) / f"{sample}.figures", seed)
    write_content(results, drawn, Path(outdir) / f"{sample}.mqc")
