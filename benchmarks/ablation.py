r"""What single choices of the model bring: AUROC on cells that training never imitates, one choice changed at a time.

    PYTHONPATH=bin .venv/bin/python benchmarks/ablation.py BULK_FOLDER OUT.csv [--first 0] [--n_sets 12] \
        [--variant published] [--n_replicas 1]

The sets are those of ``transfer_accuracy.py`` in its order. A variant of a set that is already in the csv is not
repeated, so the variants of a table may be made one after another. The cells of a set never decide anything. All
variants of a set that have the same bulk stage share one.
"""

import copy
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, islice, product
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import torch
from mixture_cells import Mixture
from simulated_sets import DRUGS, Panel, SimulatedSet, write_sample
from transfer_accuracy import interval, set_of
from whole_model import CPU, REPLICAS, quiet, score_set, trained

from pharmacell.data.cells import CellMatrix
from pharmacell.evaluate.metrics import auroc
from pharmacell.response.columns import ALONE, ENSEMBLE, NETWORK
from pharmacell.response.finetune_sc import fit_to_cells
from pharmacell.response.neighbours import smooth
from pharmacell.response.predict import predict_cells
from pharmacell.response.pretrain_bulk import Pretrained
from pharmacell.response.settings import DEFAULT, PUBLISHED, Configuration
from pharmacell.response.shared_stage import mark_as_shared
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import SplitLines
from pharmacell.response.training_run import TrainingRun

KEY = ["draw", "one_tissue", "drug"]
AVERAGED, REPLICA = "network_averaged", "network_replica"


@dataclass(frozen=True)
class Variant:
    """A way to train.

    Attributes
    ----------
    settings
        Of network, training and transfer.
    shared
        Whether the bulk stage is that of ``--bulk_stage shared``, on all genes.
    """

    settings: Configuration = DEFAULT
    shared: bool = False

    def bulk_stage(self) -> tuple:
        """Return all that its bulk stage depends on."""
        return self.settings.network, self.settings.training, self.shared


def changed(**groups: dict[str, Any]) -> Variant:
    """Return the default configuration with some settings of network, training or transfer changed."""
    return Variant(
        replace(DEFAULT, **{group: replace(getattr(DEFAULT, group), **values) for group, values in groups.items()})
    )


# the paper's way where docs/methods.md says that the default departs from it, by its equation or section
DEPARTURES = {
    "2.4.1: no residual path, no positions": changed(network={"plain_attention": True}),
    "2.4.1: latent behind a ReLU": changed(network={"relu_latent": True}),
    "plain validation": changed(training={"validation": "plain", "ensemble": False}),
    "Eq. 10: encoder fixed in pretraining": changed(training={"fixed_encoder": True}),
    "Eq. 11: masked input": changed(training={"noise": "binomial", "noise_rate": 0.2, "noisy_predictor": True}),
    "target encoder from random weights": changed(transfer={"encoder_init": "random"}),
    "Eq. 15: the norm": changed(transfer={"root_discrepancy": True}),
    "Eq. 16: omega and theta 1": changed(transfer={"omega": 1.0, "theta": 1.0}),
}
VARIANTS = {
    "default": Variant(),
    **DEPARTURES,
    "published": Variant(PUBLISHED),
    "bulk stage shared": Variant(shared=True),
    "no autoencoder": changed(training={"autoencoder_epochs": 0}),
    "no MMD": changed(transfer={"omega": 0.0}),
    "no cluster regulariser": changed(transfer={"theta": 0.0}),
    "no attention": changed(network={"heads": 0}),
    "bf16": changed(training={"precision": "bf16"}),
}


def bulk_stage(made: SimulatedSet, variant: Variant, seed: int, n_replicas: int) -> Pretrained:
    """Train on the lines of a set, on the genes that it shares or on all."""
    found = trained(made.all_genes if variant.shared else made.lines, seed, variant.settings, n_replicas)
    if variant.shared:
        mark_as_shared(found.bundle)
    return found


def adapted_scores(made: SimulatedSet, pretrained: Pretrained, variant: Variant, seed: int) -> dict[str, float]:
    """Return AUROCs on the cells of the model, its network and the baselines, and of an ensemble without each member.

    Columns that end in ``_single`` are without neighbours. Where the network stands alone it has no neighbours either,
    and ``network_averaged`` is its score averaged over them. ``network_replica`` is the mean AUROC of single networks.
    """
    bundle = copy.deepcopy(pretrained.bundle)
    bulk = SplitLines(made.all_genes if variant.shared else made.lines, pretrained.split)
    with tempfile.TemporaryDirectory() as folder, quiet():
        write_sample(made.counts, made.lines.genes, Path(folder) / "cells.h5ad")
        cells = CellMatrix(Path(folder) / "cells.h5ad")
        fit_to_cells(bundle, bulk, cells, variant.settings, "none", TrainingRun(seed, CPU))
        row, _, nearest = score_set(bundle, cells, made.truth)
        x = np.concatenate([block for _, block in bundle.standardised_chunks(cells)])
        network = bundle.network_scores(x, "target", CPU)
        alone = predict_cells(bundle, cells, CPU).scores_alone[ALONE.index(NETWORK)]
    row[AVERAGED] = auroc(made.truth, smooth(alone[None], nearest)[0])
    row[REPLICA] = float(np.mean([auroc(made.truth, own) for own in network]))
    return row | (members(made, bundle, network, x, nearest) if bundle.ensemble is not None else {})


def members(
    made: SimulatedSet, bundle: Bundle, network: np.ndarray, x: np.ndarray, nearest: np.ndarray
) -> dict[str, float]:
    """Return the weights of the ensemble's members, and AUROCs of the ensemble without each."""
    standardised = bundle.ensemble.members(network, x).mean(0)  # [4, n_cells]
    named = bundle.ensemble.named_weights()
    row = {f"weight_{name}": weight for name, weight in named.items()}
    for k, name in enumerate(named):
        rest = np.where(np.arange(len(named)) == k, 0, bundle.ensemble.weights)
        row[f"without_{name}"] = auroc(made.truth, smooth((rest @ standardised)[None], nearest)[0])
    return row


def sets_in_order() -> Iterator[tuple[int, bool, str]]:
    """Yield draw, whether of one tissue, and drug of each set."""
    for draw in count():
        yield from product([draw], (False, True), DRUGS)


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--first", default=0, help="Sets of the list that are passed over.", show_default=True)
@click.option("--n_sets", default=12, help="Sets that are scored, the next ones of the list.", show_default=True)
@click.option(
    "--variant",
    "names",
    multiple=True,
    default=tuple(VARIANTS),
    type=click.Choice(list(VARIANTS)),
    help="Variant to train; repeatable [default: all].",
)
@click.option("--n_replicas", default=REPLICAS, help="Networks of each model.", show_default=True)
@click.option("--threads", default=1, help="Processor threads.", show_default=True)
def main(bulk: Path, out: Path, first: int, n_sets: int, names: tuple[str, ...], n_replicas: int, threads: int) -> None:
    """Train variants on sets, and print means and differences from the default with intervals over sets."""
    torch.set_num_threads(threads)
    mixture = Mixture.read()
    panel = Panel.read(bulk).on_genes(mixture.genes.index)
    rows = pd.read_csv(out).to_dict("records") if out.exists() else []
    done = {(row["variant"], *(row[name] for name in KEY)) for row in rows}
    for place in islice(sets_in_order(), first, first + n_sets):
        wanted = [name for name in names if (name, *place) not in done]
        if not wanted:
            continue
        draw, one_tissue, drug = place
        made = set_of(panel, draw, one_tissue, drug, mixture)
        stages: dict[tuple, Pretrained] = {}
        for name in wanted:
            variant, start = VARIANTS[name], time.process_time()
            if variant.bulk_stage() not in stages:
                stages[variant.bulk_stage()] = bulk_stage(made, variant, draw, n_replicas)
            trained_at = time.process_time()
            found = adapted_scores(made, stages[variant.bulk_stage()], variant, draw)
            costs = {"bulk_seconds": trained_at - start, "cells_seconds": time.process_time() - trained_at}
            rows.append({"variant": name, **dict(zip(KEY, place, strict=True)), **found, **costs})
            pd.DataFrame(rows).to_csv(out, index=False)
        click.echo(f"draw {draw}, {'one' if one_tissue else 'any'} tissue, {drug}: done")
    report(pd.DataFrame(rows))


def report(table: pd.DataFrame) -> None:
    """Print each variant's means, and its differences from the default on the sets that both have."""
    columns = [ENSEMBLE, *ALONE, AVERAGED, REPLICA]
    counted = table.groupby("variant", sort=False).agg(
        sets=("drug", "size"), **{name: (name, "mean") for name in columns}
    )
    click.echo(counted.round(3).to_string())
    by_set = table.set_index(["variant", *KEY])
    if "default" not in by_set.index:
        return
    default = by_set.loc["default"]
    for name in counted.index.drop("default"):
        lead = (by_set.loc[name] - default)[[ENSEMBLE, AVERAGED, REPLICA]].dropna()
        parts = []
        for column in lead:
            low, high = interval(lead[column].to_numpy())
            parts.append(f"{column} {lead[column].mean():+.3f} ({low:+.3f} to {high:+.3f})")
        click.echo(f"{name} - default, {len(lead)} sets: {', '.join(parts)}")


if __name__ == "__main__":
    main()
