"""Command ``pretrain_bulk``: train a stack of networks and the baselines on bulk lines."""

from pathlib import Path

import click

from pharmacell.cli.training_options import configuration_options, network_options, training_options
from pharmacell.core.command import command


@command("pretrain_bulk")
@click.option("--bulk", required=True, type=click.Path(path_type=Path), help="bulk.h5ad of prepare_bulk.")
@click.option("--response", required=True, type=click.Path(path_type=Path), help="response.parquet of prepare_bulk.")
@click.option("--drug", required=True, help="Drug; case and punctuation do not matter.")
@click.option("--sample", required=True, help="Name of the sample; begins the names of the output files.")
@click.option(
    "--target",
    required=True,
    type=click.Path(path_type=Path),
    help="The sample's h5ad of qc; only its gene names are read.",
)
@click.option("--n_replicas", type=click.IntRange(min=1), default=5, help="Networks trained side by side.")
@click.option(
    "--autoencoder",
    type=click.Path(path_type=Path),
    help="autoencoder.safetensors of pretrain_autoencoder to begin with; else one is trained.",
)
@configuration_options
@network_options
@training_options
@click.option(
    "--halvings",
    type=click.IntRange(min=0),
    default=0,
    help="How many times to halve the number of networks that train at once, for lack of memory.",
)
@click.option("--outdir", type=click.Path(path_type=Path), default=".", help="Folder of the output files.")
def pretrain_bulk(
    bulk,
    response,
    drug,
    sample,
    target,
    n_replicas,
    autoencoder,
    config,
    preset,
    halvings,
    outdir,
    seed,
    threads,
    device,
    **options,
):
    """Pretrain on bulk lines: denoising autoencoder, then encoder and attention predictor on the drug's classes.

    Writes SAMPLE.pretrained.safetensors and .json, SAMPLE.source_metrics.csv (held-out lines),
    SAMPLE.source_history.csv and SAMPLE.split.csv.
    """
    from pharmacell.core.files import whole_file
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import load_lines
    from pharmacell.response.settings import configuration

    settings = configuration(config, preset, options)
    lines = load_lines(bulk, response, drug, CellMatrix(target).genes)

    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.response.partial_stacks import halved
    from pharmacell.response.pretrain_autoencoder import load_autoencoder, shape_of
    from pharmacell.response.pretrain_bulk import train_source
    from pharmacell.response.store import save_bundle

    use_threads(threads)
    where = resolve_device(device)
    weights = None
    if autoencoder is not None:
        weights = load_autoencoder(autoencoder, shape_of(lines.genes, settings.network, n_replicas), where)
    result = train_source(
        lines, settings.network, settings.training, n_replicas, seed, where, weights, halved(n_replicas, halvings)
    )
    result.bundle.card |= {"drug": drug, "sample": sample}
    for name, table in {
        "source_metrics": result.metrics,
        "source_history": result.history,
        "split": result.split.rename("part").rename_axis("line").reset_index(),
    }.items():
        with whole_file(outdir / f"{sample}.{name}.csv") as partial:
            table.to_csv(partial, index=False)
    save_bundle(result.bundle, outdir / f"{sample}.pretrained.safetensors")
