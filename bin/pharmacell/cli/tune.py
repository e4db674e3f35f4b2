"""Command ``tune``: choose a model's settings on the source alone."""

from pathlib import Path

import click

from pharmacell.benchmark.settings import Tuning
from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of


@command("tune")
@inputs.bulk
@inputs.response
@inputs.drug
@inputs.sample
@inputs.target("The sample's h5ad of qc; only its gene names are read.")
@click.option("--model", required=True, help="Name of the model.")
@click.option("--trials", required=True, type=click.IntRange(min=1), help="Settings that are tried.")
@options_of(Tuning)
@inputs.smiles
@inputs.outdir
def tune(
    bulk: Path,
    response: Path,
    drug: str,
    sample: str,
    target: Path,
    model: str,
    trials: int,
    validation: str,
    epochs: int | None,
    smiles: Path | None,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Search a model's settings with Optuna; the score comes from bulk lines that the trial did not learn from.

    Writes SAMPLE.MODEL.trials.csv and SAMPLE.MODEL.params.json, a params file of the pipeline. Neither cells nor the
    test part of the lines are read.
    """
    from pharmacell.benchmark.model_settings import settings_line
    from pharmacell.benchmark.registry import REGISTRY, check_names
    from pharmacell.core.files import whole_file, write_json
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import load_lines

    check_names([model], "--model")

    from pharmacell.benchmark.dataset import read_smiles
    from pharmacell.benchmark.tune import tune as search
    from pharmacell.benchmark.tune import tuning_folds
    from pharmacell.core.device import resolve_device, use_threads

    use_threads(threads)
    lines = load_lines(bulk, response, drug, CellMatrix(target).genes)
    folds = tuning_folds(lines, validation, read_smiles(smiles, drug), seed)
    best, table = search(folds, model, trials, seed, resolve_device(device), epochs=epochs)
    with whole_file(outdir / f"{sample}.{model}.trials.csv") as partial:
        table.to_csv(partial, index=False)
    # the main model's settings are params of the pipeline themselves
    params = (
        best if REGISTRY[model].reads_main_options else {"model_settings": settings_line(model, best)} if best else {}
    )
    write_json(outdir / f"{sample}.{model}.params.json", params)
