"""Command ``finetune_sc``: adapt pretrained networks to the cells of a sample."""

import re
from pathlib import Path

import click

from pharmacell.cli.training_options import configuration_options, training_options, transfer_options
from pharmacell.core.command import command


def check_supervision(_context, _parameter, value: str) -> str:
    """Accept none, labels, or few_shot:N with N of at least 1."""
    if value in ("none", "labels") or re.fullmatch(r"few_shot:[1-9]\d*", value):
        return value
    raise click.BadParameter(f"'{value}' is none of: none, labels, few_shot:N (N labelled cells of each class)")


@command("finetune_sc")
@click.option(
    "--pretrained",
    required=True,
    type=click.Path(path_type=Path),
    help="SAMPLE.pretrained.safetensors of pretrain_bulk; its .json lies beside it.",
)
@click.option("--split", required=True, type=click.Path(path_type=Path), help="SAMPLE.split.csv of pretrain_bulk.")
@click.option("--bulk", required=True, type=click.Path(path_type=Path), help="bulk.h5ad of prepare_bulk.")
@click.option("--response", required=True, type=click.Path(path_type=Path), help="response.parquet of prepare_bulk.")
@click.option("--drug", required=True, help="Drug; case and punctuation do not matter.")
@click.option("--sample", required=True, help="Name of the sample; begins the names of the output files.")
@click.option("--target", required=True, type=click.Path(path_type=Path), help="The sample's h5ad of qc.")
@configuration_options
@training_options
@transfer_options
@click.option(
    "--supervision",
    default="none",
    callback=check_supervision,
    help="Cell labels used in training: none, few_shot:N (N cells of each class) or labels (80 %).",
)
@click.option(
    "--halvings",
    type=click.IntRange(min=0),
    default=0,
    help="How many times to halve the number of networks that train at once, for lack of memory.",
)
@click.option("--outdir", type=click.Path(path_type=Path), default=".", help="Folder of the output files.")
def finetune_sc(
    pretrained,
    split,
    bulk,
    response,
    drug,
    sample,
    target,
    config,
    preset,
    supervision,
    halvings,
    outdir,
    seed,
    threads,
    device,
    **options,
):
    """Adapt to the cells: target autoencoder, then encoders and predictor together (Eq. 16).

    Writes SAMPLE.model.safetensors and .json, SAMPLE.history.csv, SAMPLE.transfer.json and, unless the network stands
    alone, SAMPLE.null.parquet (scores of the cells under permuted bulk labels).
    """
    import pandas as pd

    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.core.files import whole_file, write_json
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.lines import load_lines, load_split
    from pharmacell.response.finetune_sc import adapt, check_pretrained
    from pharmacell.response.settings import configuration
    from pharmacell.response.store import load_bundle, save_bundle
    from pharmacell.response.training_lines import replica_seeds

    use_threads(threads)
    where = resolve_device(device)
    bundle = load_bundle(pretrained, lambda n_replicas: replica_seeds(seed, "fine-tuning", n_replicas), where)
    cells = CellMatrix(target)
    lines = load_lines(bulk, response, drug, cells.genes)
    check_pretrained(bundle, lines, drug, pretrained)
    settings = configuration(config, preset, options)
    result = adapt(
        bundle,
        lines,
        load_split(split),
        cells,
        settings.training,
        settings.transfer,
        supervision,
        seed,
        where,
        halvings,
    )
    with whole_file(outdir / f"{sample}.history.csv") as partial:
        result.history.to_csv(partial, index=False)
    if result.null is not None:
        with whole_file(outdir / f"{sample}.null.parquet") as partial:
            pd.DataFrame(
                result.null.T, cells.obs.index, [f"permutation_{i + 1}" for i in range(len(result.null))]
            ).rename_axis("cell_id").to_parquet(partial)
    write_json(outdir / f"{sample}.transfer.json", result.facts)
    save_bundle(bundle, outdir / f"{sample}.model.safetensors")
