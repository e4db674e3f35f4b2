"""Command ``kaggle_train``: train models of the perturbation task, fold by fold and on all rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.core.settings import chosen
from pharmacell.perturbation.settings import DEFAULT_LAYER, FitOptions, Kept, Replicas, TableReading

if TYPE_CHECKING:
    import torch


@command("kaggle_train")
@click.option(
    "--de_train", required=True, type=inputs.FILE, help="Training table: parquet, h5ad, csv or tsv (wide or long)."
)
@options_of(TableReading)
@click.option(
    "--id_map", type=inputs.FILE, help="Table of id, cell_type, sm_name to predict after training on all rows."
)
@click.option(
    "--sample_submission", type=inputs.FILE, help="Table that the submission has to look like; needs --id_map."
)
@click.option(
    "--model", "models", multiple=True, default=["gru"], help="Network, baseline or classical model (repeatable)."
)
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    help="random, leave_compound_out, leave_scaffold_out, leave_cell_type_out, kaggle or predefined "
    "(repeatable); none: only train on all rows.",
)
@click.option("--final/--no_final", default=True, help="Also train on all rows, and keep these weights.")
@options_of(Replicas)
@options_of(FitOptions)
@options_of(Kept)
@inputs.outdir
def kaggle_train(
    de_train: Path,
    layer: str | None,
    second_layer: str | None,
    drop_unparsable: bool,
    genes: Path | None,
    id_map: Path | None,
    sample_submission: Path | None,
    models: Sequence[str],
    protocols: Sequence[str],
    final: bool,
    seeds: int,
    keep_predictions: bool,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
    **options: Any,
) -> None:
    """Predict differential expression of (cell type, compound).

    With --protocol: scores.csv, row_scores.parquet, examples.parquet (one row's prediction of each model) and, with
    --keep_predictions, oof.parquet. For networks: history.csv and, unless --no_final,
    MODEL.safetensors and MODEL.json. With --id_map: MODEL.test.parquet; with --sample_submission: MODEL.submission.csv.
    With --second_layer: the same tables of that layer in the folder second_layer; a network predicts both.
    """
    from contextlib import ExitStack

    from pharmacell.core.errors import InputError
    from pharmacell.perturbation.final_fit import fit_all_rows
    from pharmacell.perturbation.fold_runs import SECOND, Run, parquet_writer, write_tables
    from pharmacell.perturbation.formats import is_h5ad, is_simulated
    from pharmacell.perturbation.run_checks import check_run, check_target_space
    from pharmacell.perturbation.table import PerturbationTable, read_id_map, read_sample_submission

    if sample_submission and not id_map:
        raise InputError("--sample_submission without --id_map: its rows are not known; add --id_map")
    fit_options = chosen(FitOptions, options).complete()
    layer_read = (layer or DEFAULT_LAYER) if is_h5ad(de_train) else None
    check_target_space(fit_options, layer_read)
    table = PerturbationTable.read(de_train, layer, drop_unparsable, genes, second_layer)
    keys = read_id_map(id_map, table) if id_map else None
    parts = check_run(table, models, protocols, fit_options, final, keys is not None, seed)
    ids = None
    if sample_submission and keys is not None:
        ids = read_sample_submission(sample_submission, table.genes, keys["id"])
    where = networks_device(models, threads, device)
    run = Run(table, models, fit_options, [seed + number for number in range(seeds)], where)
    with ExitStack() as keeping:
        folders = (outdir, outdir / SECOND)[: len(run.layers)] if parts and keep_predictions else ()
        append = [keeping.enter_context(parquet_writer(folder / "oof.parquet")) for folder in folders]
        for protocol, folds in parts.items():
            for model in models:
                run.protocol(model, protocol, folds, append)
    card = {
        "simulated": is_simulated(de_train),
        "n_rows": len(table),
        "loss": fit_options.loss,
        "table": de_train.name,
        "layer": layer_read,
    } | ({"second_layer": second_layer} if second_layer else {})
    for model in models if final else ():
        fit_all_rows(run, model, keys, ids, card, outdir)
    write_tables(run, outdir)


def networks_device(models: Sequence[str], threads: int, device: str) -> "torch.device | None":
    """Return the device, or None where no model needs torch, whose import takes seconds."""
    from pharmacell.perturbation.models.registry import TRAINED

    if not any(model in TRAINED for model in models):
        return None
    from pharmacell.core.device import resolve_device, use_threads

    use_threads(threads)
    return resolve_device(device)
