"""Command ``plan_folds``: fix the folds of a benchmark, which all models share, and cut the work into slices."""

from pathlib import Path
from typing import Any

from pharmacell.benchmark.settings import ModelSettings, Plan
from pharmacell.cli import inputs
from pharmacell.cli.configuration_options import configuration_options, network_options, training_options
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.core.settings import chosen


@command("plan_folds")
@inputs.sample
@inputs.drug
@inputs.target("The sample's h5ad of qc.")
@inputs.bulk
@inputs.response
@options_of(Plan)
@options_of(ModelSettings)
@configuration_options
@network_options
@training_options
@inputs.outdir
def plan_folds(
    sample: str,
    drug: str,
    target: Path,
    bulk: Path,
    response: Path,
    model_settings: str | None,
    config: str,
    preset: str | None,
    outdir: Path,
    seed: int,
    **options: Any,
) -> None:
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
        planned_models,
        rows_to_test,
        slices,
        variants,
    )
    from pharmacell.benchmark.protocols import Protocol
    from pharmacell.core.files import whole_file
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import load_lines
    from pharmacell.response.settings import configuration

    settings = chosen(Plan, options)
    how = Protocol.parse(settings.protocol)
    parse_settings(model_settings)
    members = configuration(config, preset, {"validation": options["validation"]}).training.ensemble
    models, heads = planned_models(settings.models, members, how), list(dict.fromkeys(settings.heads_sweep))
    sweep = variants(models, heads, check_sweep(config, preset, options, heads, settings.samplings, models))
    cells = CellMatrix(target)
    lines = load_lines(bulk, response, drug, cells.genes)
    plan = make_plan(sample, rows_to_test(cells.obs, lines, how), how, settings.repeats, settings.folds, seed)
    check_lines(lines, plan, seed)
    tables = {
        "folds": plan,
        "slices": slices(sample, drug, sweep, plan, settings.folds_per_task, digest(lines.genes)),
        "expected": expected_fits(sample, drug, sweep, plan),
    }
    for name, table in tables.items():
        with whole_file(outdir / f"{sample}.{name}.csv") as partial:
            table.to_csv(partial, index=False)
