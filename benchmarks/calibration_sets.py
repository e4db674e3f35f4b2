"""Samples of known truth that the verdict is calibrated on, and others that it is tried on afterwards.

    PYTHONPATH=bin .venv/bin/python benchmarks/calibration_sets.py BULK_FOLDER calibration.csv --last 15
    PYTHONPATH=bin .venv/bin/python benchmarks/calibration_sets.py BULK_FOLDER fresh.csv --fresh --last 11

BULK_FOLDER holds bulk.h5ad and response.parquet of prepare_bulk. A draw is a drug and a model of it, trained without a
fifth of its lines; three samples of such lines follow: twelve of any tissue, twelve of one, two or three of one. The
cells are those of ``mixture_cells.py``, which training never imitates.

Everything here was fixed before any set was scored. Drugs: of those given to at least 600 lines, by name, every 50th;
fresh draws take these and those half-way between them in turn. Lines: a random half gives the cells for calibration,
the other half those of fresh draws. Every third draw has something wrong: few genes, a tenth of the counts, or a batch
effect. What no evidence can see is left out: shuffled or foreign responses and cells of one class.

One row a set is appended to the csv; a draw that is in it is not repeated. The network's permutations, which no rule of
the verdict reads, are not trained.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import torch
from mixture_cells import Mixture
from simulated_sets import (
    CELLS,
    GENES,
    HELD_OUT,
    LINES,
    SENSITIVE,
    Difficulty,
    Panel,
    lines_of,
    write_sample,
)
from whole_model import KnownCells, examine, score_lines, trained
from without_network import examine_linear, trained_linear

from pharmacell.data.cells import CellMatrix
from pharmacell.response.columns import ENSEMBLE

FEWEST_LINES, EVERY = 600, 50
WRONG = (Difficulty("few genes", genes=150), Difficulty("shallow", depth=0.1), Difficulty("batch effect", batch=0.5))
MIXES = ("any tissue", "one tissue", "few lines")


@dataclass(frozen=True)
class Draw:
    """A drug, the lines that a model of it learns from, and lines whose cells are predicted.

    Attributes
    ----------
    drug, difficulty
        The drug, and what is wrong.
    learn, held
        Positions of the lines that are learnt from, and of those that are not.
    samples
        Positions of the lines of each sample, by its mix.
    sensitive
        Of each line of the panel.
    genes
        Positions of the shared genes.
    """

    drug: str
    difficulty: Difficulty
    learn: np.ndarray
    held: np.ndarray
    samples: dict[str, np.ndarray]
    sensitive: np.ndarray
    genes: np.ndarray


def drug_of(panel: Panel, number: int, fresh: bool) -> str:
    """Return the drug of a draw, by the rule in the module's text."""
    names = sorted(panel.well_measured(FEWEST_LINES), key=str.lower)
    of_calibration, others = names[::EVERY], names[EVERY // 2 :: EVERY]
    if not fresh:
        return of_calibration[number % len(of_calibration)]
    chosen = (of_calibration, others)[number % 2]
    return chosen[number // 2 % len(chosen)]


def make_draw(panel: Panel, number: int, fresh: bool) -> Draw:
    """Draw lines and genes."""
    rng = np.random.default_rng([number, int(fresh), 18])
    drug = drug_of(panel, number, fresh)
    z = panel.z[drug].to_numpy()
    known = np.flatnonzero(~np.isnan(z))
    sensitive = z <= np.quantile(z[known], SENSITIVE)
    half = np.random.default_rng(2026).permutation(len(z)) % 2
    usable = known[half[known] == int(fresh)]
    samples = {}
    for mix in ("one tissue", "few lines", "any tissue"):
        pools = class_pools(panel, usable, sensitive, mix)
        wanted = (1, 1) if mix == "few lines" else (LINES, LINES)
        if mix == "few lines" and rng.integers(2):
            wanted = ((2, 1), (1, 2))[rng.integers(2)]
        pools = [pair for pair in pools if all(len(pool) >= n for pool, n in zip(pair, wanted, strict=True))]
        pair = pools[rng.integers(len(pools))]
        of_class = [rng.choice(pool, n, replace=False) for pool, n in zip(pair, wanted, strict=True)]
        samples[mix] = np.concatenate(of_class)
        usable = np.setdiff1d(usable, samples[mix])
    chosen = np.concatenate(list(samples.values()))
    n_others = round(HELD_OUT * len(known)) - len(chosen)
    held = np.concatenate([chosen, rng.choice(np.setdiff1d(known, chosen), n_others, replace=False)])
    difficulty = WRONG[number // 3 % len(WRONG)] if number % 3 == 2 else Difficulty("fair", genes=GENES)
    genes = np.sort(rng.choice(len(panel.genes), difficulty.genes, replace=False))
    return Draw(drug, difficulty, np.setdiff1d(known, held), held, samples, sensitive, genes)


def class_pools(panel: Panel, usable: np.ndarray, sensitive: np.ndarray, mix: str) -> list[list[np.ndarray]]:
    """Return sensitive and resistant lines to draw from, of each tissue or of all."""
    tissues = [None] if mix == "any tissue" else np.unique(panel.tissue[usable])
    of_tissue = [usable if name is None else usable[panel.tissue[usable] == name] for name in tissues]
    return [[rows[sensitive[rows] == kind] for kind in (True, False)] for rows in of_tissue]


def sets_of(panel: Panel, mixture: Mixture, number: int, fresh: bool, network: bool) -> Iterator[dict[str, Any]]:
    """Train the model of a draw and yield what is found on each of its samples."""
    draw = make_draw(panel, number, fresh)
    lines = lines_of(panel, draw.drug, draw.learn, -panel.z[draw.drug].to_numpy()[draw.learn], draw.genes)
    start = time.process_time()
    on_lines: dict[str, Any] = {"drug": draw.drug}
    if network:
        pretrained = trained(lines, number)
        on_lines |= score_lines(pretrained, panel.x[draw.held][:, draw.genes], draw.sensitive[draw.held])
    else:
        model = trained_linear(lines, number)
    seconds = time.process_time() - start
    for place, mix in enumerate(MIXES):
        start = time.process_time()
        rng = np.random.default_rng([number, int(fresh), place])
        chosen = draw.samples[mix]
        counts = mixture.counts(panel.x[chosen], CELLS, rng, draw.difficulty.depth, draw.difficulty.batch)
        truth = np.repeat(draw.sensitive[chosen].astype(int), CELLS)
        row = {"draw": number, "fresh": fresh, "mix": mix, "difficulty": draw.difficulty.name}
        row |= {"tissue": panel.tissue[chosen[0]] if mix != "any tissue" else "", **on_lines}
        with tempfile.TemporaryDirectory() as folder:
            write_sample(counts[:, draw.genes], lines.genes, Path(folder) / "cells.h5ad")
            sample = KnownCells(CellMatrix(Path(folder) / "cells.h5ad"), truth)
            row |= (
                examine(pretrained, lines, sample, draw.drug, number)
                if network
                else examine_linear(model, sample, number)
            )
        yield row | {"seconds": time.process_time() - start, "pretrain_seconds": seconds}


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--fresh", is_flag=True, help="Draws for trying the rules, not for making them.")
@click.option("--network/--no-network", default=True, help="The whole model, or its linear members.", show_default=True)
@click.option("--first", default=0, help="First draw.", show_default=True)
@click.option("--last", default=15, help="Last draw.", show_default=True)
def main(bulk: Path, out: Path, fresh: bool, network: bool, first: int, last: int) -> None:
    """Predict the sets and append what was found."""
    torch.set_num_threads(1)
    mixture = Mixture.read()
    panel = Panel.read(bulk).on_genes(mixture.genes.index)
    rows = pd.read_csv(out).to_dict("records") if out.exists() else []
    for number in sorted(set(range(first, last + 1)) - {row["draw"] for row in rows}):
        rows += sets_of(panel, mixture, number, fresh, network)
        pd.DataFrame(rows).to_csv(out, index=False)
        for row in rows[-len(MIXES) :]:
            click.echo(f"draw {number}, {row['drug']}, {row['mix']}: {row[ENSEMBLE]:.3f}, {row['seconds']:.0f} s")


if __name__ == "__main__":
    main()
