"""Command ``cross_validate``: fit one model on a slice of a fold plan."""

from pathlib import Path

import click

from pharmacell.cli.benchmark_options import Slice
from pharmacell.cli.training_options import (
    configuration_options,
    network_options,
    training_options,
    transfer_options,
)
from pharmacell.core.command import command


@command("cross_validate")
@click.option("--sample", required=True, help="Name of the sample.")
@click.option("--drug", required=True, help="Drug; case and punctuation do not matter.")
@click.option("--target", required=True, type=click.Path(path_type=Path), help="The sample's h5ad of qc.")
@click.option("--bulk", required=True, type=click.Path(path_type=Path), help="bulk.h5ad of prepare_bulk.")
@click.option("--response", required=True, type=click.Path(path_type=Path), help="response.parquet of prepare_bulk.")
@click.option("--folds", required=True, type=click.Path(path_type=Path), help="SAMPLE.folds.csv of plan_folds.")
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
    type=click.Path(path_type=Path),
    help="SAMPLE.pretrained.safetensors of pretrain_bulk with the replicas of all repeats, for atsdp; else "
    "these are trained first.",
)
@click.option(
    "--smiles",
    type=click.Path(path_type=Path),
    help="Table (csv) with columns drug and smiles, for models that read the drug's structure.",
)
@click.option("--max_stack_memory", default="4GB", help="A slice that would take more is cut, such as 4GB.")
@click.option(
    "--model_settings",
    help="Settings of compared models, such as cnn.dropout=0.5,ridge.alpha=30000; those of others are left.",
)
@click.option("--n_replicas", type=click.IntRange(min=1), default=1, help="Networks of one fit, for atsdp.")
@configuration_options
@network_options
@training_options
@transfer_options
@click.option(
    "--neighbours",
    type=click.IntRange(min=0),
    help="Most similar training cells over which a cell's score is averaged, for atsdp; 0 for none "
    "[default: 15 without cell labels, 0 with them or for folds of lines].",
)
@click.option("--name", help="Begins the names of the output files [default: SAMPLE.MODEL.FIRST-LAST].")
@click.option("--outdir", type=click.Path(path_type=Path), default=".", help="Folder of the output files.")
def cross_validate(
    sample,
    drug,
    target,
    bulk,
    response,
    folds,
    model,
    part,
    pretrained,
    smiles,
    max_stack_memory,
    model_settings,
    name,
    outdir,
    seed,
    threads,
    device,
    **options,
):
    """Fit one model on some folds of a plan and predict their test cells.

    Writes NAME.predictions.parquet and NAME.fits.csv (seconds, peak memory and sizes of each fit).
    """
    from pharmacell.benchmark.memory import parse_memory
    from pharmacell.benchmark.model_settings import parse_settings
    from pharmacell.benchmark.plan import Variant, load_plan
    from pharmacell.benchmark.registry import REGISTRY, check_names, get
    from pharmacell.core.files import whole_file

    check_names([model])
    chosen = parse_settings(model_settings).get(model, {})
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
    swept = REGISTRY[model].is_swept
    fitted = (
        get(model, **options | chosen, pretrained=pretrained, user_seed=seed)
        if swept
        else get(model, **{"epochs": options["epochs"], "user_seed": seed} | chosen)
    )
    variant = Variant(model, *fitted.swept()) if swept else Variant(model, None, "none")
    predictions, fits = run_slice(dataset, variant, fitted, *part, most_bytes, resolve_device(device))
    name = name or f"{sample}.{model}.{part[0]}-{part[1]}"
    with whole_file(outdir / f"{name}.predictions.parquet") as partial:
        predictions.to_parquet(partial, index=False)
    with whole_file(outdir / f"{name}.fits.csv") as partial:
        fits.to_csv(partial, index=False)
