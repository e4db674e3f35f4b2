"""Command ``pretrain_bulk``: train a stack of networks and the baselines on bulk lines."""

from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.cli.bulk_stage import WARNING, bulk_stage_options, fill_bulk_stage
from pharmacell.cli.configuration_options import configuration_options, network_options, training_options
from pharmacell.core.command import command
from pharmacell.core.kept import MadeFrom
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
@bulk_stage_options
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
    cache_dir: Path | None,
    code: str | None,
    model: Path | None,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
    **options: Any,
) -> None:
    """Pretrain on bulk lines: denoising autoencoder, then encoder and attention predictor on the drug's classes.

    Writes SAMPLE.pretrained.safetensors and .json, SAMPLE.source_metrics.csv (held-out lines),
    SAMPLE.source_history.csv and SAMPLE.split.csv. Without --target the result depends on no sample; it is kept
    between runs, and SAMPLE.made_from.json says what it was made from.
    """
    from pharmacell.core.files import whole_file
    from pharmacell.data.bulk import bulk_digest, read_bulk
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import load_lines

    settings = configuration(config, preset, options)

    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.response.pretrain_autoencoder import load_autoencoder, shape_digest
    from pharmacell.response.pretrain_bulk import pretrain
    from pharmacell.response.shared_stage import mark_as_shared
    from pharmacell.response.store import save_bundle
    from pharmacell.response.training_run import TrainingRun

    use_threads(threads)
    run = TrainingRun(seed, resolve_device(device), attempt)

    def train(folder: Path) -> None:
        lines = load_lines(bulk, response, drug, CellMatrix(target).genes if target else None)
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
            table.to_csv(folder / f"{name}.csv", index=False)
        save_bundle(result.bundle, folder / "pretrained.safetensors")

    outdir.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".partial-", dir=outdir) as around:
        folder = Path(around) / "stage"
        if target is not None or autoencoder is not None:
            folder.mkdir()
            train(folder)
        else:
            own = {"drug": drug, "sample": sample, "n_replicas": n_replicas, "attempt": attempt}
            data = bulk_digest(*read_bulk(bulk, response))
            source = MadeFrom("pretrain_bulk", code, data, asdict(settings) | own, seed, str(run.device), threads)
            fill_bulk_stage(folder, source, cache_dir, model, train)
        for path in folder.iterdir():
            with whole_file(outdir / f"{sample}.{path.name}") as partial:
                path.replace(partial)
        for path in Path(around).glob(f"*{WARNING}"):
            path.replace(outdir / path.name)
