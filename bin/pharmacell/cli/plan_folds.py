"""Command ``plan_folds``: fix the folds of a benchmark, which all models share, and cut the work into slices."""

from pathlib import Path

import click

from pharmacell.cli.benchmark_options import Counts, Names
from pharmacell.cli.training_options import configuration_options, network_options, training_options
from pharmacell.core.command import command


@command("plan_folds")
@click.option("--sample", required=True, help="Name of the sample; begins the names of the output files.")
@click.option("--drug", required=True, help="Drug; case and punctuation do not matter.")
@click.option("--target", required=True, type=click.Path(path_type=Path), help="The sample's h5ad of qc.")
@click.option("--bulk", required=True, type=click.Path(path_type=Path), help="bulk.h5ad of prepare_bulk.")
@click.option("--response", required=True, type=click.Path(path_type=Path), help="response.parquet of prepare_bulk.")
@click.option(
    "--protocol",
    default="labels",
    help="Use of the cells' labels: labels (all of the training folds), transfer (none), few_shot:N (N of "
    "each class), leave_group_out (folds are groups), leave_line_out (folds are bulk lines, no cell is "
    "used).",
)
@click.option("--repeats", type=click.IntRange(min=1), default=10, help="How often the cells are cut into folds.")
@click.option("--folds", type=click.IntRange(min=2), default=10, help="Folds of one repeat, stratified by class.")
@click.option("--models", type=Names(), help="Models, separated by commas [default: all].")
@click.option("--model_settings", help="Settings of compared models, such as cnn.dropout=0.5; they are checked here.")
@click.option(
    "--heads_sweep",
    type=Counts(),
    default="0,2,4,8,16,32",
    help="Numbers of attention heads, for the models that have them.",
)
@click.option(
    "--samplings",
    type=Names(),
    help="Resamplings of the bulk lines, separated by commas, for the models with heads [default: the one of "
    "--sampling].",
)
@click.option(
    "--folds_per_task",
    type=click.IntRange(min=1),
    help="Folds that one task trains, as one stack where the model can [default: those of one repeat].",
)
@configuration_options
@network_options
@training_options
@click.option("--outdir", type=click.Path(path_type=Path), default=".", help="Folder of the output files.")
def plan_folds(
    sample,
    drug,
    target,
    bulk,
    response,
    protocol,
    repeats,
    folds,
    models,
    model_settings,
    heads_sweep,
    samplings,
    folds_per_task,
    config,
    preset,
    outdir,
    seed,
    threads,
    device,
    **options,
):
    """Assign the cells to folds, check that every fold can be trained and scored, and list the fits.

    Writes SAMPLE.folds.csv, SAMPLE.slices.csv and SAMPLE.expected.csv.
    """
    from pharmacell.benchmark.model_settings import parse_settings
    from pharmacell.benchmark.plan import (
        check_lines,
        check_sweep,
        digest,
        expected_fits,
        make_plan,
        rows_to_test,
        slices,
        variants,
    )
    from pharmacell.benchmark.protocols import Protocol
    from pharmacell.benchmark.registry import model_names
    from pharmacell.core.files import whole_file
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import load_lines

    how = Protocol.parse(protocol)
    parse_settings(model_settings)
    chosen = variants(
        models or model_names(),
        heads_sweep,
        check_sweep(config, preset, options, heads_sweep, samplings, models or model_names()),
    )
    cells = CellMatrix(target)
    lines = load_lines(bulk, response, drug, cells.genes)
    plan = make_plan(sample, rows_to_test(cells.obs, lines, how), how, repeats, folds, seed)
    check_lines(lines, plan, seed)
    tables = {
        "folds": plan,
        "slices": slices(sample, drug, chosen, plan, folds_per_task, digest(lines.genes)),
        "expected": expected_fits(sample, drug, chosen, plan),
    }
    for name, table in tables.items():
        with whole_file(outdir / f"{sample}.{name}.csv") as partial:
            table.to_csv(partial, index=False)
