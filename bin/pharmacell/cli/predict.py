"""Command ``predict``: predict every cell of a sample and say how far to believe it."""

from dataclasses import replace
from pathlib import Path

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.response.settings import NEIGHBOURS, Smoothing


@command("predict")
@inputs.model
@inputs.sample
@inputs.target("The sample's h5ad of qc.")
@click.option(
    "--null",
    "null_path",
    type=inputs.FILE,
    help="SAMPLE.null.safetensors of finetune_sc; gives each cell a p-value.",
)
@options_of(Smoothing)
@inputs.outdir
def predict(
    model: Path,
    sample: str,
    target: Path,
    null_path: Path | None,
    neighbours: int | None,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
) -> None:
    """Predict a probability of being sensitive for every cell, with its standard deviation over the replicas.

    Writes SAMPLE.predictions.csv, SAMPLE.baselines.csv, SAMPLE.predicted.h5ad, SAMPLE.diagnostics.json; with --null
    SAMPLE.significance.csv; and, where the sample has labels, SAMPLE.metrics.csv and SAMPLE.model_metrics.csv;
    where it says which cells were treated, SAMPLE.treatment.csv.
    """
    import numpy as np

    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.core.files import whole_file, write_json
    from pharmacell.core.progress import say
    from pharmacell.core.seeds import generator
    from pharmacell.data.cells import CellMatrix
    from pharmacell.response.cell_tests import permutation_tests
    from pharmacell.response.columns import ENSEMBLE, NETWORK
    from pharmacell.response.diagnostics import diagnose
    from pharmacell.response.neighbours import nearest_cells
    from pharmacell.response.null_table import read_null
    from pharmacell.response.predict import predict_cells, smoothed
    from pharmacell.response.prediction_tables import prediction_tables, write_predicted_h5ad
    from pharmacell.response.store import load_bundle

    use_threads(threads)
    where = resolve_device(device)
    bundle = load_bundle(model, device=where)
    cells = CellMatrix(target, bundle.card.drug)
    null = read_null(null_path, len(cells), len(bundle.genes)) if null_path else None
    predictions = predict_cells(bundle, cells, where)
    if neighbours is None:
        neighbours = NEIGHBOURS if bundle.ensemble else 0
    nearest = np.arange(len(cells))[:, None]
    if neighbours:
        say(f"{sample}: {neighbours} nearest neighbours of {len(cells):,} cells")
        nearest = nearest_cells(cells.components(), neighbours, generator(seed, "reference cells"))
        predictions = smoothed(predictions, bundle, nearest)
    say(f"{sample}: tests, tables and {sample}.predicted.h5ad")
    tests = permutation_tests(null, bundle, cells, nearest, neighbours) if null else None
    card = replace(bundle.card, neighbours=neighbours)
    model_name = ENSEMBLE if bundle.ensemble else NETWORK
    tables = prediction_tables(predictions, cells.obs, card.labelled_cells, tests, seed, model_name)
    diagnostics = diagnose(predictions, card, cells.uns, tests, cells.obs)
    for name, table in tables.items():
        with whole_file(outdir / f"{sample}.{name}.csv") as partial:
            table.to_csv(partial, index=False)
    write_json(outdir / f"{sample}.diagnostics.json", diagnostics)
    write_predicted_h5ad(target, outdir / f"{sample}.predicted.h5ad", tables, card, diagnostics)
