"""Command ``pretrain_autoencoder``: train the autoencoders that all drugs and heads of a benchmark begin with."""

from pathlib import Path
from typing import Any

from pharmacell.cli import inputs
from pharmacell.cli.configuration_options import configuration_options, network_options, training_options
from pharmacell.core.command import command
from pharmacell.core.options import options_of
from pharmacell.response.settings import Stack, configuration


@command("pretrain_autoencoder")
@inputs.bulk
@inputs.target("A sample's h5ad of qc; only its gene names are read.")
@options_of(Stack, "n_replicas")
@configuration_options
@network_options
@training_options
@inputs.outdir
def pretrain_autoencoder(
    bulk: Path,
    target: Path,
    n_replicas: int,
    config: str,
    preset: str | None,
    outdir: Path,
    seed: int,
    threads: int,
    device: str,
    **options: Any,
) -> None:
    """Train denoising autoencoders on all bulk lines; no response is read.

    Writes autoencoder.safetensors, for pretrain_bulk --autoencoder.
    """
    import numpy as np

    from pharmacell.data.bulk import require_levels
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import read_bulk

    # no attention is trained here: the heads of later steps may fit a bottleneck that the default number does not
    settings = configuration(config, preset, options | {"heads": 0})
    lines, genes = read_bulk(bulk, CellMatrix(target).genes)
    if settings.training.noise == "thinning":
        require_levels(str(lines.uns["pharmacell"]["scale"]))

    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.response.pretrain_autoencoder import fit_shared_autoencoder, save_autoencoder, shape_digest

    use_threads(threads)
    weights = fit_shared_autoencoder(
        np.asarray(lines[:, genes].X, np.float32),
        settings.network,
        settings.training,
        n_replicas,
        seed,
        resolve_device(device),
    )
    save_autoencoder(
        weights, outdir / "autoencoder.safetensors", shape_digest(list(genes), settings.network, n_replicas)
    )
