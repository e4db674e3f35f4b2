"""Command ``benchmark_summary``: scores, tests, tables and figures of a benchmark."""

import click

from pharmacell.core.command import command

FOLDER = click.Path(exists=True, file_okay=False)


@command("benchmark_summary")
@click.option(
    "--expected",
    type=click.Path(exists=True, dir_okay=False),
    required=True,
    help="All fits of the table (csv: dataset, drug, model, heads, sampling, protocol, repeat, fold).",
)
@click.option("--plans", type=FOLDER, required=True, help="Folder of the fold plans (*.csv).")
@click.option("--predictions", type=FOLDER, required=True, help="Folder of what cross_validate predicted (*.parquet).")
@click.option("--fits", type=FOLDER, help="Folder of the fits' time and memory (*.csv).")
@click.option(
    "--main_heads",
    type=click.IntRange(min=0),
    default=8,
    help="Heads that stand for a model where models are compared; the next smaller number if not swept.",
)
@click.option("--main_sampling", help="Resampling that stands for a model there [default: the first in the table].")
@click.option("--simulated", multiple=True, help="A dataset whose cells are simulated; may be repeated.")
@click.option(
    "--published",
    type=click.Path(exists=True, dir_okay=False),
    help="Numbers that the paper prints (csv) [default: those that ship, at present none].",
)
@click.option("--outdir", type=click.Path(file_okay=False), default=".", help="Where everything goes.")
def benchmark_summary(
    expected, plans, predictions, fits, main_heads, main_sampling, simulated, published, outdir, seed, threads, device
):
    """Score every fit of a benchmark, name what is missing, test the differences, draw tables and figures."""
    from pathlib import Path

    from pharmacell.benchmark.published import SLOT
    from pharmacell.benchmark.summary import Choices, summarise, write_summary
    from pharmacell.report.benchmark import write_benchmark
    from pharmacell.report.figures.benchmark import draw_benchmark

    outdir = Path(outdir)
    choices = Choices(main_heads, main_sampling, simulated, published or SLOT)
    summary = summarise(
        expected,
        sorted(Path(plans).glob("*.csv")),
        sorted(Path(predictions).glob("*.parquet")),
        sorted(Path(fits).glob("*.csv")) if fits else [],
        outdir,
        choices,
    )
    write_summary(summary, outdir)
    write_benchmark(summary, draw_benchmark(summary, outdir / "figures"), outdir / "benchmark.mqc")
