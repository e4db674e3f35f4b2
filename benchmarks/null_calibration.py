r"""Whether p-values hold their level when the bulk responses mean nothing.

    PYTHONPATH=bin .venv/bin/python benchmarks/null_calibration.py --nulls 10000
    PYTHONPATH=bin .venv/bin/python benchmarks/null_calibration.py --nulls 600 --network
    PYTHONPATH=bin .venv/bin/python benchmarks/null_calibration.py --setting "cells of two lines" --first 10000 \
        --highest 0.01

Every null has new lines, new cells, and responses that have nothing to do with the expression of lines of one tissue.
It goes through splits, folds, shifted validation, penalties, weights and permutations as a sample does. Printed is
how often a cell's p, the sample's p (largest deviation) and its p by the spread are at most a, and how often any cell
is called at a false discovery rate of a, with the standard error that 10,000 nulls leave.
"""

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch

from pharmacell.data.lines import Lines
from pharmacell.data.splits import split_lines
from pharmacell.evaluate.significance import PermutationTest, false_discovery_rate
from pharmacell.response.joint_training import TargetCells
from pharmacell.response.linear_statistic import OrderedMembers, member_weights
from pharmacell.response.permuted_null import AdaptationData, permutations, scores_with_network
from pharmacell.response.settings import ATSDPConfig
from pharmacell.response.training_lines import SplitLines, TrainingLines, prepare_training_lines
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.settings import TrainingConfig

LEVELS = (0.05, 0.01, 0.001)
TRAINING = TrainingConfig(validation="shifted", noise="gaussian", ensemble=True, batch_size=32, patience=2)
NETWORK = ATSDPConfig(bottleneck=8, encoder=(8,), predictor=(8,), dropout=0.2, heads=0)
N_GENES, N_CELLS, N_FOLDS = 20, 15, 5
BLOCKS = (50, 50, 200, 700)  # permutations after which a null may be done
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Setting:
    """How lines and cells are made.

    Parameters
    ----------
    name
        For the table.
    n_lines
        Bulk lines.
    tissues
        How many; 0 for unknown ones. Tissues differ in expression and in response.
    lines_of_cells
        From how many lines the cells come; 0: each cell differs from every other.
    """

    name: str
    n_lines: int = 50
    tissues: int = 0
    lines_of_cells: int = 0


SETTINGS = (
    Setting("cells all different"),
    Setting("cells of two lines", lines_of_cells=2),
    Setting("tissues known, which differ", tissues=12, lines_of_cells=3),
)


def make_null(setting: Setting, rng: np.random.Generator, seed: int) -> tuple[TrainingLines, np.ndarray]:
    """Return training lines whose responses mean nothing, and cells [n_cells, n_genes]."""
    n = setting.n_lines
    loadings = rng.normal(size=(4, N_GENES))
    x = rng.normal(size=(n, N_GENES)) + rng.normal(size=(n, 4)) @ loadings
    tissue = np.array(["unknown"] * n)
    response = rng.normal(size=n)
    if setting.tissues:
        own = np.arange(n) % setting.tissues
        tissue = np.char.add("tissue", own.astype(str))
        x += rng.normal(0, 2, (setting.tissues, N_GENES))[own]
        response += rng.normal(size=setting.tissues)[own]
    cells = rng.normal(size=(N_CELLS, N_GENES)) + rng.normal(size=(N_CELLS, 4)) @ loadings
    if setting.lines_of_cells:
        cells = (
            0.3 * cells
            + 3 * rng.normal(size=(setting.lines_of_cells, N_GENES))[np.arange(N_CELLS) % setting.lines_of_cells]
        )
    names = pd.Index([f"LINE{number}" for number in range(n)])
    lines = Lines(
        x=x.astype(np.float32),
        genes=[f"GENE{number}" for number in range(N_GENES)],
        response=pd.Series(response, names),
        labels=pd.Series((response > np.quantile(response, 0.65)).astype(int), names),
        origin=pd.DataFrame({"database": "test", "tissue": tissue}, names),
        n_genes_bulk=N_GENES,
    )
    bulk = SplitLines(lines, split_lines(lines.labels, seed))
    scaler, _ = lines.standardised(~bulk.in_part("test"))
    found = prepare_training_lines(bulk, scaler, TRAINING, N_FOLDS, seed, CPU)
    return found, ((cells - cells.mean(0)) / cells.std(0)).astype(np.float32)


def linear_scores(lines: TrainingLines, cells: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Return the linear score of the cells under each order, [n_cells, n_orders]."""
    members = OrderedMembers(lines, orders)
    return cells @ members.gene_weights(member_weights(members.validation, members.labels)).T


def network_scores(lines: TrainingLines, cells: np.ndarray, orders: np.ndarray, seed: int) -> np.ndarray:
    """Return the score with the network, whose encoders are random: such encoders saw no response either."""
    from pharmacell.response.network import ATSDP
    from pharmacell.response.store import Bundle

    model = ATSDP(NETWORK, N_GENES, range(seed * 10, seed * 10 + N_FOLDS))
    encoder = {name: value.clone() for name, value in model.source.encoder.state_dict().items()}
    bundle = Bundle(model, [], None, None, None, None, None, encoder)
    target = TargetCells(torch.as_tensor(cells), *[torch.zeros(1)] * 5, [torch.zeros(0)])
    data = AdaptationData(lines, target, np.arange(len(cells)))
    members, run = OrderedMembers(lines, orders), TrainingRun(seed, CPU)
    return scores_with_network(bundle, data, members, orders, np.arange(len(cells)), TRAINING, run).T


def one_null(setting: Setting, number: int, network: bool, highest: float = LEVELS[0]) -> tuple[float, ...]:
    """Return the p of one cell and of the sample by largest deviation and by spread, and the smallest FDR.

    A null is done once each of them is above the highest level however its remaining permutations end.
    """
    rng = np.random.default_rng([number, SETTINGS.index(setting)])
    lines, cells = make_null(setting, rng, number)
    if network:
        return p_values(network_scores(lines, cells, permutations(lines.strata, 39, rng), number))
    scores = np.empty((len(cells), 0), np.float32)
    for block in BLOCKS:
        found = linear_scores(lines, cells, permutations(lines.strata, block, rng))
        scores = np.hstack([scores, found[:, 1:] if scores.size else found])  # each block has the real order first
        values = p_values(scores)
        if min(values) * scores.shape[1] > highest * (1 + sum(BLOCKS)) + 1:
            break
    return values


def p_values(scores: np.ndarray) -> tuple[float, ...]:
    """Return what :func:`one_null` returns, of scores [n_cells, 1 + n_permutations]."""
    test = PermutationTest(scores.mean(0))
    p, _ = test.add(scores)
    sample = test.sample()
    return p[0], sample.p, sample.spread_p, false_discovery_rate(p, sample.p).min()


@click.command()
@click.option("--nulls", default=10_000, help="How many, an equal share of each setting.", show_default=True)
@click.option("--network", is_flag=True, help="Test with the network, on 39 permutations.")
@click.option(
    "--setting", type=click.Choice([setting.name for setting in SETTINGS]), help="Nulls of one setting alone."
)
@click.option("--first", default=0, help="Number of the first null.", show_default=True)
@click.option("--highest", default=LEVELS[0], help="Highest level asked for; lower ones take less time.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep every null's p-values here.")
def main(nulls: int, network: bool, setting: str | None, first: int, highest: float, out: Path | None) -> None:
    """Print the table."""
    torch.set_num_threads(1)
    chosen_settings = [one for one in SETTINGS if setting in (None, one.name)]
    numbers = range(first, first + nulls)
    settings = [chosen_settings[number % len(chosen_settings)] for number in numbers]
    values = pd.DataFrame(
        [one_null(one, number, network, highest) for number, one in zip(numbers, settings, strict=True)]
    )
    if out is not None:
        values.to_csv(out, index=False)
    names = pd.Series([setting.name for setting in settings])
    for name in (*names.unique(), "all"):
        chosen = values[(names == name) | (name == "all")]
        for level in LEVELS[:1] if network else [level for level in LEVELS if level <= highest]:
            shares = " | ".join(f"{(chosen[column] <= level).mean():.4f}" for column in chosen)
            error = np.sqrt(level * (1 - level) / len(chosen))
            click.echo(f"| {name} | {len(chosen):,} | {level} | {shares} | {error:.4f} |")


if __name__ == "__main__":
    main()
