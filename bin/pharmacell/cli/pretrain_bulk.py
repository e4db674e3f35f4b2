"""Command ``pretrain_bulk``: train a stack of networks and the baselines on bulk lines."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.cli.configuration_options import configuration_options, network_options, training_options
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.response.settings import Stack, configuration


@command("pretrain_bulk")
@inputs.bulk
@inputs.response
@inputs.drug
@inputs.sample
@inputs.target(
    "The sample's h5ad of qc; only its gene names are read. Without it the networks are trained on all bulk genes, and "
    "finetune_sc puts them on the genes of any sample.",
    required=False,
)
@click.option(
    "--autoencoder",
    type=inputs.FILE,
    help="autoencoder.safetensors of pretrain_autoencoder to begin with; else one is trained.",
)
@options_of(Stack)
@configuration_options
@network_options
@training_options
@inputs.outdir
def pretrain_bulk(
    bulk: Path,
    response: Path,
    drug: str,
    sample: str,
    target: Path | None,
    n_replicas: int,
    autoencoder: Path | None,
    config: str,
    preset: str | None,
    attempt: int,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
    **options: Any,
) -> None:
    """Pretrain on bulk lines: denoising autoencoder, then encoder and attention predictor on the drug's classes.

    Writes SAMPLE.pretrained.safetensors and .json, SAMPLE.source_metrics.csv (held-out lines),
    SAMPLE.source_history.csv and SAMPLE.split.csv.
    """
    from pharmacell.core.files import whole_file
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import load_lines

    settings = configuration(config, preset, options)
    lines = load_lines(bulk, response, drug, CellMatrix(target).genes if target else None)

    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.response.pretrain_autoencoder import load_autoencoder, shape_digest
    from pharmacell.response.pretrain_bulk import pretrain
    from pharmacell.response.shared_stage import mark_as_shared
    from pharmacell.response.store import save_bundle
    from pharmacell.response.training_run import TrainingRun

    use_threads(threads)
    run = TrainingRun(seed, resolve_device(device), attempt)
    weights = None
    if autoencoder is not None:
        weights = load_autoencoder(autoencoder, shape_digest(lines.genes, settings.network, n_replicas), run.device)
    result = pretrain(lines, settings, n_replicas, run, weights)
    result.bundle.card = replace(result.bundle.card, drug=drug, sample=sample)
    if target is None:
        mark_as_shared(result.bundle)
    for name, table in {
        "source_metrics": result.metrics,
        "source_history": result.history,
        "split": result.split.rename("part").rename_axis("line").reset_index(),
    }.items():
        with whole_file(outdir / f"{sample}.{name}.csv") as partial:
            table.to_csv(partial, index=False)
    save_bundle(result.bundle, outdir / f"{sample}.pretrained.safetensors")
