"""Command ``benchmark_summary``: scores, tests, tables and figures of a benchmark."""

from pathlib import Path
from typing import Any

import click

from pharmacell.benchmark.settings import MainSetting
from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of


@command("benchmark_summary")
@click.option(
    "--expected",
    type=inputs.READABLE,
    required=True,
    help="All fits of the table (csv: dataset, drug, model, heads, sampling, protocol, repeat, fold).",
)
@click.option("--plans", type=inputs.READABLE_FOLDER, required=True, help="Folder of the fold plans (*.csv).")
@click.option(
    "--predictions",
    type=inputs.READABLE_FOLDER,
    required=True,
    help="Folder of what cross_validate predicted (*.parquet).",
)
@click.option("--fits", type=inputs.READABLE_FOLDER, help="Folder of the fits' time and memory (*.csv).")
@options_of(MainSetting)
@click.option("--simulated", multiple=True, help="A dataset whose cells are simulated; may be repeated.")
@click.option(
    "--published",
    type=inputs.READABLE,
    help="Numbers that the paper prints (csv) [default: those that ship, at present none].",
)
@inputs.outdir
def benchmark_summary(
    expected: Path,
    plans: Path,
    predictions: Path,
    fits: Path | None,
    simulated: tuple[str, ...],
    published: Path | None,
    outdir: Path,
    main_heads: int,
    main_sampling: str | None,
    **_: Any,
) -> None:
    """Score every fit of a benchmark, name what is missing, test the differences, draw tables and figures."""
    from pharmacell.benchmark.published import SLOT
    from pharmacell.benchmark.summary import Choices, summarise, write_summary
    from pharmacell.report.benchmark import write_benchmark
    from pharmacell.report.benchmark_figures import draw_benchmark

    summary = summarise(
        expected,
        sorted(plans.glob("*.csv")),
        sorted(predictions.glob("*.parquet")),
        sorted(fits.glob("*.csv")) if fits else [],
        outdir,
        Choices(main_heads, main_sampling, simulated, published or SLOT),
    )
    write_summary(summary, outdir)
    write_benchmark(summary, draw_benchmark(summary, outdir / "figures"), outdir / "benchmark.sections")
