"""What each part of the default model brings: AUROC on simulated cells and on shifted validation without it.

    python benchmarks/ablation.py BULK_FOLDER OUT.csv --first 0 --last 1

A variant of a set that is already in the csv is not repeated. The cells of a set never decide anything.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from simulated_sets import DRUGS, Difficulty, Panel, SimulatedSet, make_set, write_sample
from whole_model import CPU, quiet, score_set

from pharmacell.data.cells import CellMatrix
from pharmacell.evaluate.metrics import auroc
from pharmacell.response.columns import ENSEMBLE, NETWORK
from pharmacell.response.ensemble import MEMBERS
from pharmacell.response.finetune_sc import fit_to_cells
from pharmacell.response.neighbours import smooth
from pharmacell.response.pretrain_bulk import pretrain
from pharmacell.response.settings import DEFAULT, PUBLISHED, Configuration
from pharmacell.response.shifted_scores import score_shifted
from pharmacell.response.training_lines import SplitLines
from pharmacell.response.training_run import TrainingRun

REPLICAS = 5


def changed(**groups: dict) -> Configuration:
    """Return the default configuration with some settings of network, training or transfer changed."""
    return replace(DEFAULT, **{group: replace(getattr(DEFAULT, group), **values) for group, values in groups.items()})


VARIANTS = {
    "default": DEFAULT,
    "no autoencoder": changed(training={"autoencoder_epochs": 0}),
    "masking in place of thinning": changed(training={"noise": "binomial"}),
    "no MMD": changed(transfer={"omega": 0.0}),
    "no cluster regulariser": changed(transfer={"theta": 0.0}),
    "no attention": changed(network={"heads": 0}),
    "target encoder from random weights": changed(transfer={"encoder_init": "random"}),
    "bf16": changed(training={"precision": "bf16"}),
    "published": replace(PUBLISHED, training=replace(PUBLISHED.training, epochs=100)),
}


def ablate(made: SimulatedSet, settings: Configuration, seed: int) -> dict:
    """Return AUROCs, on cells and in shifted validation, of the model, its network, and without each member."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        write_sample(made, Path(folder) / "cells.h5ad")
        cells = CellMatrix(Path(folder) / "cells.h5ad")
        run = TrainingRun(seed, CPU)
        pretrained = pretrain(made.lines, settings, REPLICAS, run)
        bundle = pretrained.bundle
        bulk = SplitLines(made.lines, pretrained.split)
        data, *_ = fit_to_cells(bundle, bulk, cells, settings, "none", run)
        scores, _, nearest = score_set(bundle, cells, made.truth)
        row = {name: scores[name] for name in (ENSEMBLE, f"{ENSEMBLE}_single", NETWORK)}
        x = np.concatenate([block for _, block in bundle.standardised_chunks(cells)])
        network = bundle.network_scores(x, "target", CPU)
        if bundle.ensemble is None:
            return row
        shifted = score_shifted(bundle.model, bundle.ensemble, data.lines)
        row |= {
            "shifted": shifted.shifted_auroc.value,
            "shifted_network": shifted.shifted_auroc_members["network"],
        }
        members = bundle.ensemble.members(network, x).mean(0)  # [4, n_cells]
        weights = bundle.ensemble.weights
        for k, name in enumerate(MEMBERS):
            rest = np.where(np.arange(len(MEMBERS)) == k, 0, weights)
            row[f"only_{name}"] = auroc(made.truth, smooth(members[k][None], nearest)[0])
            row[f"without_{name}"] = auroc(made.truth, smooth((rest @ members)[None], nearest)[0])
        row["equal_weights"] = auroc(made.truth, smooth(members.mean(0)[None], nearest)[0])
        return row


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--first", default=0, help="First draw of lines.", show_default=True)
@click.option("--last", default=1, help="Last draw of lines.", show_default=True)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    default=tuple(VARIANTS),
    type=click.Choice(list(VARIANTS)),
    help="Change to try; repeatable [default: all].",
)
@click.option("--threads", default=1, help="Processor threads.", show_default=True)
def main(bulk: Path, out: Path, first: int, last: int, variants: tuple[str, ...], threads: int) -> None:
    """Train every variant on the sets of each draw, and print means."""
    torch.set_num_threads(threads)
    panel = Panel.read(bulk)
    rows = pd.read_csv(out).to_dict("records") if out.exists() else []
    done = {(row["variant"], row["drug"], row["draw"]) for row in rows}
    for draw in range(first, last + 1):
        for drug in DRUGS:
            made = make_set(panel, drug, Difficulty("fair"), np.random.default_rng([draw, DRUGS.index(drug)]))
            for variant in variants:
                if (variant, drug, draw) not in done:
                    found = ablate(made, VARIANTS[variant], draw)
                    rows.append({"variant": variant, "drug": drug, "draw": draw, **found})
                    pd.DataFrame(rows).to_csv(out, index=False)
            click.echo(f"draw {draw}, {drug}: done")
    means = pd.DataFrame(rows).drop(columns=["drug", "draw"]).groupby("variant", sort=False).mean()
    click.echo(means.round(3).to_string())


if __name__ == "__main__":
    main()
