"""Command ``finetune_sc``: adapt pretrained networks to the cells of a sample."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.cli.configuration_options import configuration_options, training_options, transfer_options
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.response.settings import Stack, Supervision, configuration


@command("finetune_sc")
@click.option(
    "--pretrained",
    required=True,
    type=inputs.FILE,
    help="SAMPLE.pretrained.safetensors of pretrain_bulk; its .json lies beside it.",
)
@click.option("--split", required=True, type=inputs.FILE, help="SAMPLE.split.csv of pretrain_bulk.")
@inputs.bulk
@inputs.response
@inputs.drug
@inputs.sample
@inputs.target("The sample's h5ad of qc.")
@configuration_options
@training_options
@transfer_options
@options_of(Supervision)
@options_of(Stack, "attempt")
@inputs.outdir
def finetune_sc(
    pretrained: Path,
    split: Path,
    bulk: Path,
    response: Path,
    drug: str,
    sample: str,
    target: Path,
    config: str,
    preset: str | None,
    supervision: str,
    attempt: int,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
    **options: Any,
) -> None:
    """Adapt to the cells: encoders and predictor together (Eq. 16).

    Writes SAMPLE.model.safetensors and .json, SAMPLE.history.csv, SAMPLE.transfer.json; unless the network stands
    alone, SAMPLE.null.safetensors (the score under permuted bulk responses); and after a bulk stage on all genes
    SAMPLE.source_metrics.csv (held-out lines, on the sample's genes).
    """
    from dataclasses import replace

    import pandas as pd

    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.core.files import whole_file, write_json
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import check_shared, load_lines, load_split
    from pharmacell.response.columns import TRANSFER
    from pharmacell.response.finetune_sc import adapt, check_pretrained
    from pharmacell.response.null_table import write_null
    from pharmacell.response.store import load_bundle, save_bundle
    from pharmacell.response.training_lines import SplitLines, replica_seeds
    from pharmacell.response.training_run import TrainingRun

    use_threads(threads)
    run = TrainingRun(seed, resolve_device(device), attempt)
    bundle = load_bundle(pretrained, lambda n_replicas: replica_seeds(seed, "fine-tuning", n_replicas), run.device)
    cells = CellMatrix(target, drug)
    shared = bundle.card.pretraining.shared
    lines = load_lines(bulk, response, drug, None if shared else cells.genes)
    check_pretrained(bundle, lines, drug, seed, pretrained)
    check_shared(pd.Index(lines.genes), cells.genes, bulk)
    bundle.card = replace(bundle.card, sample=sample)
    settings = configuration(config, preset, options)
    result = adapt(bundle, SplitLines(lines, load_split(split)), cells, settings, supervision, run)
    with whole_file(outdir / f"{sample}.history.csv") as partial:
        result.history.to_csv(partial, index=False)
    if result.source_metrics is not None:
        with whole_file(outdir / f"{sample}.source_metrics.csv") as partial:
            result.source_metrics.to_csv(partial, index=False)
    if result.null is not None:
        write_null(result.null, len(cells), outdir / f"{sample}.null.safetensors")
    adaptation = bundle.card.adaptation
    write_json(outdir / f"{sample}.transfer.json", {name: getattr(adaptation, name) for name in TRANSFER})
    save_bundle(bundle, outdir / f"{sample}.model.safetensors")
