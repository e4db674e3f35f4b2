"""Command ``pretrain_autoencoder``: train the autoencoders that all drugs and heads of a benchmark begin with."""

from pathlib import Path

import click

from pharmacell.cli.training_options import configuration_options, network_options, training_options
from pharmacell.core.command import command


@command("pretrain_autoencoder")
@click.option("--bulk", required=True, type=click.Path(path_type=Path), help="bulk.h5ad of prepare_bulk.")
@click.option(
    "--target",
    required=True,
    type=click.Path(path_type=Path),
    help="A sample's h5ad of qc; only its gene names are read.",
)
@click.option("--n_replicas", type=click.IntRange(min=1), default=5, help="Networks trained side by side.")
@configuration_options
@network_options
@training_options
@click.option("--outdir", type=click.Path(path_type=Path), default=".", help="Folder of the output file.")
def pretrain_autoencoder(bulk, target, n_replicas, config, preset, outdir, seed, threads, device, **options):
    """Train denoising autoencoders on all bulk lines; no response is read.

    Writes autoencoder.safetensors, for pretrain_bulk --autoencoder.
    """
    import numpy as np

    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import read_bulk
    from pharmacell.response.settings import configuration

    settings = configuration(config, preset, options)
    lines, genes = read_bulk(bulk, CellMatrix(target).genes)

    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.response.pretrain_autoencoder import fit_shared_autoencoder, save_autoencoder, shape_of

    use_threads(threads)
    weights = fit_shared_autoencoder(
        np.asarray(lines[:, genes].X, np.float32),
        settings.network,
        settings.training,
        n_replicas,
        seed,
        resolve_device(device),
    )
    save_autoencoder(weights, outdir / "autoencoder.safetensors", shape_of(list(genes), settings.network, n_replicas))
