"""Command ``cross_validate``: fit one model on a slice of a fold plan."""

from pathlib import Path
from typing import Any

import click

from pharmacell.benchmark.settings import Fits, ModelSettings
from pharmacell.cli import inputs
from pharmacell.cli.configuration_options import (
    configuration_options,
    network_options,
    training_options,
    transfer_options,
)
from pharmacell.core.command import command
from pharmacell.core.options import Slice, options_of
from pharmacell.response.settings import Smoothing, configuration


@command("cross_validate")
@inputs.sample
@inputs.drug
@inputs.target("The sample's h5ad of qc.")
@inputs.bulk
@inputs.response
@click.option("--folds", required=True, type=inputs.FILE, help="SAMPLE.folds.csv of plan_folds.")
@click.option("--model", required=True, help="Name of the model.")
@click.option(
    "--slice",
    "part",
    type=Slice(),
    required=True,
    help="Fits of the plan, counted from 0 over repeats and folds: FIRST:LAST, without LAST.",
)
@click.option(
    "--pretrained",
    type=inputs.FILE,
    help="SAMPLE.pretrained.safetensors of pretrain_bulk with the replicas of all repeats, for atsdp; else "
    "these are trained first.",
)
@click.option("--tuned", type=inputs.FILE, help="SAMPLE.MODEL.params.json of tune: settings of this model.")
@inputs.smiles
@options_of(Fits)
@options_of(ModelSettings)
@configuration_options
@network_options
@training_options
@transfer_options
@options_of(Smoothing)
@click.option("--name", help="Begins the names of the output files [default: SAMPLE.MODEL.FIRST-LAST].")
@inputs.outdir
def cross_validate(
    sample: str,
    drug: str,
    target: Path,
    bulk: Path,
    response: Path,
    folds: Path,
    model: str,
    part: tuple[int, int],
    pretrained: Path | None,
    tuned: Path | None,
    smiles: Path | None,
    max_stack_memory: str,
    model_settings: str | None,
    name: str | None,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
    **options: Any,
) -> None:
    """Fit one model on some folds of a plan and predict their test cells.

    Writes NAME.predictions.parquet and NAME.fits.csv (seconds, peak memory and sizes of each fit).
    """
    from pharmacell.benchmark.memory import parse_memory
    from pharmacell.benchmark.model_settings import parse_settings, read_tuned
    from pharmacell.benchmark.plan import Variant, load_plan
    from pharmacell.benchmark.registry import REGISTRY, check_names, get
    from pharmacell.core.files import whole_file

    check_names([model])
    best, found_settings = read_tuned(tuned, model) if tuned else ({}, {})
    options, chosen = options | best, found_settings | parse_settings(model_settings).get(model, {})
    most_bytes = parse_memory(max_stack_memory)
    plan = load_plan(folds)

    from pharmacell.benchmark.dataset import load_dataset, read_smiles
    from pharmacell.benchmark.fit_slice import cross_validate as run_slice
    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import load_lines

    use_threads(threads)
    cells = CellMatrix(target)
    dataset = load_dataset(
        sample, drug, cells, load_lines(bulk, response, drug, cells.genes), plan, read_smiles(smiles, drug), seed
    )
    if dataset.protocol.of_lines and options["neighbours"] is None:
        options["neighbours"] = 0  # lines are no noisy copies of each other
    # options such as --dropout are those of the main model; --epochs means the same for all
    if REGISTRY[model].reads_main_options:
        settings = configuration(options["config"], options["preset"], options)
        variant = Variant(model, settings.network.heads, settings.training.sampling)
    else:
        options = {"epochs": options["epochs"]}
        variant = Variant(model, None, "none")
    fitted = get(model, **options | chosen, pretrained=pretrained, user_seed=seed)
    predictions, fits = run_slice(dataset, variant, fitted, *part, most_bytes, resolve_device(device))
    name = name or f"{sample}.{model}.{part[0]}-{part[1]}"
    with whole_file(outdir / f"{name}.predictions.parquet") as partial:
        predictions.to_parquet(partial, index=False)
    with whole_file(outdir / f"{name}.fits.csv") as partial:
        fits.to_csv(partial, index=False)
