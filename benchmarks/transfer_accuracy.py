r"""AUROC of the default model, its network and every baseline on cells of held-out lines; appends rows to a csv.

    PYTHONPATH=bin .venv/bin/python benchmarks/transfer_accuracy.py BULK_FOLDER OUT.csv --first 0 --last 9 \
        [--drug X] [--simulator shifts]

BULK_FOLDER holds bulk.h5ad and response.parquet of prepare_bulk. The cells come from the simulator made from real cells
(``mixture_cells.py``) unless the one that training uses is asked for. A draw has two sets for each drug: twelve lines
of any tissue, and twelve of one. Draws from 0 are for reports, those from 100 were for choosing (``linear_ideas.py``).
All models have the same lines, denoised responses, penalties of shifted validation and neighbours. A set that is
already in the csv is not repeated.
"""

import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import torch
from mixture_cells import Mixture
from simulated_sets import DRUGS, Difficulty, Kind, Panel, SimulatedSet, make_set, write_sample
from whole_model import CPU, quiet, score_lines, score_set, trained

from pharmacell.data.cells import CellMatrix
from pharmacell.response.columns import ALONE, ENSEMBLE
from pharmacell.response.finetune_sc import fit_to_cells
from pharmacell.response.settings import DEFAULT
from pharmacell.response.training_lines import SplitLines
from pharmacell.response.training_run import TrainingRun

RESAMPLES = 10_000  # of the sets, for the intervals
KEY = ["draw", "one_tissue", "drug"]


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--first", default=0, help="First draw of lines.", show_default=True)
@click.option("--last", default=9, help="Last draw of lines.", show_default=True)
@click.option("--drug", "drugs", multiple=True, default=DRUGS, help="Drug; repeatable.", show_default=True)
@click.option("--simulator", type=click.Choice(["mixture", "shifts"]), default="mixture", show_default=True)
@click.option("--threads", default=1, help="Processor threads.", show_default=True)
def main(bulk: Path, out: Path, first: int, last: int, drugs: tuple[str, ...], simulator: str, threads: int) -> None:
    """Predict the sets, and print means and differences with their intervals."""
    torch.set_num_threads(threads)
    mixture = Mixture.read()
    panel = Panel.read(bulk).on_genes(mixture.genes.index)
    rows = pd.read_csv(out).to_dict("records") if out.exists() else []
    done = {tuple(row[name] for name in KEY) for row in rows}
    for draw, one_tissue, drug in product(range(first, last + 1), (False, True), drugs):
        if (draw, one_tissue, drug) in done:
            continue
        made = set_of(panel, draw, one_tissue, drug, mixture if simulator == "mixture" else None)
        found = predict_set(made, drug, draw)
        rows.append({"draw": draw, "one_tissue": one_tissue, **found})
        pd.DataFrame(rows).to_csv(out, index=False)
        scores = ", ".join(f"{name} {found[name]:.3f}" for name in (ENSEMBLE, *ALONE))
        click.echo(f"draw {draw}, {'one' if one_tissue else 'any'} tissue, {drug}: {scores}, {found['seconds']:.0f} s")
    report(pd.DataFrame(rows))


def set_of(panel: Panel, draw: int, one_tissue: bool, drug: str, mixture: Mixture | None):
    """Return a set of the list, whose seed is its place in the list."""
    rng = np.random.default_rng([draw, DRUGS.index(drug), int(one_tissue)])
    return make_set(panel, drug, Difficulty("fair"), rng, Kind(one_tissue, mixture))


def predict_set(made: SimulatedSet, drug: str, seed: int) -> dict[str, Any]:
    """Return the AUROC of model and baselines on cells and on all held-out lines."""
    start, pretrained = time.process_time(), trained(made.lines, seed)
    bundle = pretrained.bundle
    row = {"drug": drug, **score_lines(pretrained, made.held_x, made.held_labels)}
    with tempfile.TemporaryDirectory() as folder, quiet():
        write_sample(made.counts, made.lines.genes, Path(folder) / "cells.h5ad")
        cells, bulk = CellMatrix(Path(folder) / "cells.h5ad"), SplitLines(made.lines, pretrained.split)
        fit_to_cells(bundle, bulk, cells, DEFAULT, "none", TrainingRun(seed, CPU))
        row |= score_set(bundle, cells, made.truth)[0]
    row |= {f"weight_{name}": weight for name, weight in bundle.ensemble.named_weights().items()}
    return row | {"seconds": time.process_time() - start}


def report(table: pd.DataFrame) -> None:
    """Print the mean of each model, and of the ensemble's lead, with intervals over sets."""
    models = [ENSEMBLE, *ALONE]
    columns = [*models, *(f"{name}_single" for name in models)]
    means = table.groupby(["one_tissue", "drug"])[columns].mean()
    click.echo(pd.concat([means, table[columns].mean().to_frame(("", "mean")).T]).round(3).to_string())
    for name in models[1:]:
        lead = table[ENSEMBLE] - table[name]
        low, high = interval(lead.to_numpy())
        better = f"better on {(lead > 0).mean():.0%} of {len(lead)} sets"
        click.echo(f"{ENSEMBLE} - {name}: {lead.mean():+.3f} ({low:+.3f} to {high:+.3f}), {better}")


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean over sets."""
    rows = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile(values[rows].mean(1), (0.025, 0.975))
    return float(low), float(high)


if __name__ == "__main__":
    main()
