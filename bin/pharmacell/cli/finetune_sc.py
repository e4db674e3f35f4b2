"""Command ``finetune_sc``: adapt pretrained networks to the cells of a sample."""

import re
from pathlib import Path

import click

from pharmacell.cli.command import command
from pharmacell.cli.training_options import PRESET, training_config, training_options


def check_supervision(_context, _parameter, value: str) -> str:
    """Accept none, labels, or few_shot:N with N of at least 1."""
    if value in ("none", "labels") or re.fullmatch(r"few_shot:[1-9]\d*", value):
        return value
    raise click.BadParameter(f"'{value}' is none of: none, labels, few_shot:N (N labelled cells of each class)")


@command("finetune_sc")
@click.option("--pretrained", required=True, type=click.Path(path_type=Path),
              help="SAMPLE.pretrained.safetensors of pretrain_bulk; its .json lies beside it.")
@click.option("--split", required=True, type=click.Path(path_type=Path), help="SAMPLE.split.csv of pretrain_bulk.")
@click.option("--bulk", required=True, type=click.Path(path_type=Path), help="bulk.h5ad of prepare_bulk.")
@click.option("--response", required=True, type=click.Path(path_type=Path), help="response.parquet of prepare_bulk.")
@click.option("--drug", required=True, help="Drug; case and punctuation do not matter.")
@click.option("--sample", required=True, help="Name of the sample; begins the names of the output files.")
@click.option("--target", required=True, type=click.Path(path_type=Path), help="The sample's h5ad of qc.")
@PRESET
@training_options
@click.option("--omega", type=click.FloatRange(0), default=1.0, help="Weight of the maximum mean discrepancy.")
@click.option("--theta", type=click.FloatRange(0), default=1.0, help="Weight of the cluster regulariser.")
@click.option("--encoder_init", type=click.Choice(["bulk", "random"]), default="bulk",
              help="Start of the target encoder; random is the published way.")
@click.option("--clustering", type=click.Choice(["louvain", "leiden"]), default="louvain", help="Of the cells.")
@click.option("--supervision", default="none", callback=check_supervision,
              help="Cell labels used in training: none, few_shot:N (N cells of each class) or labels (80 %).")
@click.option("--outdir", type=click.Path(path_type=Path), default=".", help="Folder of the output files.")
def finetune_sc(pretrained, split, bulk, response, drug, sample, target, preset, omega, theta, encoder_init, clustering,
                supervision, outdir, seed, threads, device, **options):
    """Adapt to the cells: target autoencoder, then encoders and predictor together (Eq. 16).

    Writes SAMPLE.model.safetensors and .json, SAMPLE.history.csv and SAMPLE.transfer.json.
    """
    from pharmacell.data.cells import CellMatrix
    from pharmacell.data.files import whole_file, write_json
    from pharmacell.data.lines import load_lines, load_split
    from pharmacell.models.store import load_bundle, save_bundle
    from pharmacell.train.device import resolve_device, use_threads
    from pharmacell.train.finetune import TransferConfig
    from pharmacell.train.source_stage import replica_seeds
    from pharmacell.train.target_stage import adapt, check_pretrained

    use_threads(threads)
    where = resolve_device(device)
    n_replicas = load_bundle(pretrained).model.n_replicas
    bundle = load_bundle(pretrained, replica_seeds(seed, "fine-tuning", n_replicas), where)
    cells = CellMatrix(target)
    lines = load_lines(bulk, response, drug, cells.genes)
    check_pretrained(bundle, lines, drug, pretrained)
    history, facts = adapt(
        bundle, lines, load_split(split), cells, training_config(preset, **options),
        TransferConfig(omega, theta, encoder_init, clustering), supervision, seed, where,
    )
    with whole_file(outdir / f"{sample}.history.csv") as partial:
        history.to_csv(partial, index=False)
    write_json(outdir / f"{sample}.transfer.json", facts)
    save_bundle(bundle, outdir / f"{sample}.model.safetensors")
