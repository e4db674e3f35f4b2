r"""AUROC of the default model, its network and every baseline on real cells whose lines are left out of the bulk data.

    bin/prepare_bulk.py --drug cisplatin --outdir bulk
    bin/qc.py --sample sc_celseq2_5cl_p1 --input sc_celseq2_5cl_p1.count.csv.gz --outdir cells
    PYTHONPATH=bin .venv/bin/python benchmarks/real_cells.py mixture bulk cell_lines.csv \
        cells/sc_celseq2_5cl_p1.h5ad OUT.csv
    PYTHONPATH=bin .venv/bin/python benchmarks/real_cells.py mixture bulk cell_lines.csv cells/sc_celseq2.h5ad \
        OUT.csv --drug Erlotinib --seeds 5
    PYTHONPATH=bin .venv/bin/python benchmarks/real_cells.py labelled bulk cells/a375.h5ad OUT.csv --drug \
        PLX-4720 --line A375 [--seeds 2]

``mixture``: drugs drawn at random, before any was scored, among those given to at least 400 lines of which the
mixture's lines hold sensitive and resistant ones: linear models with fixed penalties on all of them, the whole model on
the first few. ``labelled``: a sample whose cells carry their truth. The cells of a mixture are the same for all drugs,
so intervals over drugs say nothing of other cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import torch
from simulated_sets import SENSITIVE, Panel, lines_of
from transfer_accuracy import interval
from whole_model import KnownCells, examine, trained
from without_network import examine_linear, trained_linear

from pharmacell.data.cells import CellMatrix
from pharmacell.data.columns import OBS_TRUTH
from pharmacell.data.lines import Lines, load_lines
from pharmacell.data.names import line_key
from pharmacell.data.standardise import Standardiser
from pharmacell.evaluate.metrics import auroc
from pharmacell.linear.denoised_responses import denoised_response
from pharmacell.linear.fits import LinearFits
from pharmacell.response.columns import ALONE, ENSEMBLE
from pharmacell.response.neighbours import nearest_cells, smooth
from pharmacell.response.settings import NEIGHBOURS
from pharmacell.response.verdict import judge

ALPHA, C = 1e4, 3e-4  # what linear_ideas.py found best on simulated cells
SHOWN = [ENSEMBLE, *ALONE, "predictability_within_low", "halves_p", "cell_axes", "verdict"]


@dataclass(frozen=True)
class Mixture:
    """Real cells of several known lines, and the bulk panel without these lines.

    Attributes
    ----------
    cells
        The prepared sample.
    line
        Of each cell, "" where it is not known.
    panel
        Bulk lines on the shared genes, with the mixture's lines.
    """

    cells: CellMatrix
    line: np.ndarray
    panel: Panel

    @classmethod
    def read(cls, bulk: Path, lines: Path, path: Path) -> "Mixture":
        """Read a sample of ``qc``, and which line each cell is of; doublets are of none."""
        cells, table, panel = CellMatrix(path), pd.read_csv(lines), Panel.read(bulk)
        known = (
            table[(table["set"] == path.stem) & (table["demuxlet"] == "SNG")].set_index("cell")["line"].map(line_key)
        )
        line = known.reindex(cells.obs.index).fillna("").to_numpy(str)
        return cls(cells, line, panel.on_genes(pd.Index(panel.genes)[pd.Index(panel.genes).isin(cells.genes)]))

    @property
    def own(self) -> np.ndarray:
        """Which bulk lines are the mixture's."""
        return self.panel.lines.isin(self.line)

    def truth(self, drug: str) -> np.ndarray:
        """Return the class of each cell's line, -1 where it is not known."""
        z = self.panel.z[drug]
        sensitive = (z <= z.quantile(SENSITIVE)).astype(int).where(z.notna(), -1)
        return sensitive.reindex(self.line).fillna(-1).to_numpy(int)

    def drugs(self) -> list[str]:
        """Return the drugs that can be scored, in random order."""
        found = [drug for drug in self.panel.well_measured() if {0, 1} <= set(self.truth(drug))]
        return list(np.random.default_rng(0).permutation(found))

    def lines(self, drug: str) -> Lines:
        """Return the bulk lines to learn from."""
        z = self.panel.z[drug].to_numpy()
        learn = np.flatnonzero(~np.isnan(z) & ~self.own)
        return lines_of(self.panel, drug, learn, -z[learn], np.arange(len(self.panel.genes)))


def linear_scores(mixture: Mixture, drug: str, x: np.ndarray, nearest: np.ndarray) -> dict[str, float]:
    """Return the AUROC of each linear model, with neighbours and on single cells."""
    lines, truth = mixture.lines(drug), mixture.truth(drug)
    known = truth >= 0
    fits = LinearFits(Standardiser.fit([lines.x]).apply(lines.x))
    response = denoised_response(lines.panel, lines.response.to_numpy())[:, None]
    weights = {
        "signature": fits.signature(response),
        "ridge": fits.ridge(response, ALPHA),
        "logistic": fits.logistic(lines.labels.to_numpy()[:, None], C),
    }
    row = {}
    for name, weight in weights.items():
        scores = weight @ x.T
        row[name] = auroc(truth[known], smooth(scores, nearest)[0][known])
        row[f"{name}_single"] = auroc(truth[known], scores[0][known])
    return row


def by_seed(lines: Lines, sample: KnownCells, drug: str, seeds: int, network: bool) -> Iterator[dict[str, Any]]:
    """Yield what the model scores with each seed, all that its verdict could know, and the verdict."""
    for seed in range(seeds):
        if network:
            found = examine(trained(lines, seed), lines, sample, drug, seed)
        else:
            found = examine_linear(trained_linear(lines, seed), sample, seed)
        yield {"seed": seed, **found, "verdict": judge(found)[0]}


def show(table: pd.DataFrame) -> None:
    """Print AUROCs, what the verdict looks at, and the verdict."""
    click.echo(table[["seed", *(name for name in SHOWN if name in table)]].round(3).to_string(index=False))


@click.group()
def main() -> None:
    """Score on real cells."""
    torch.set_num_threads(1)


@main.command("mixture")
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("lines", type=click.Path(path_type=Path, exists=True))
@click.argument("sample", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--drugs", default=60, help="Drugs in linear models.", show_default=True)
@click.option("--whole", default=2, help="Drugs in the whole model.", show_default=True)
@click.option("--drug", "named", multiple=True, help="Drug, in the place of random ones; repeatable.")
@click.option("--seeds", default=1, help="Seeds of the whole model.", show_default=True)
@click.option("--network/--no-network", default=True, help="The whole model, or its linear members.", show_default=True)
def of_mixture(
    bulk: Path,
    lines: Path,
    sample: Path,
    out: Path,
    drugs: int,
    whole: int,
    named: tuple[str, ...],
    seeds: int,
    network: bool,
) -> None:
    """Score drugs on cells of known lines."""
    mixture = Mixture.read(bulk, lines, sample)
    dense = np.concatenate(list(mixture.cells.chunks(list(mixture.panel.genes))))
    x = Standardiser.fit([dense]).apply(dense)
    nearest = nearest_cells(mixture.cells.components(), NEIGHBOURS, np.random.default_rng(0))
    rows: list[dict[str, Any]] = []
    for number, drug in enumerate(named or mixture.drugs()[:drugs]):
        linear = {f"fixed_{name}": value for name, value in linear_scores(mixture, drug, x, nearest).items()}
        row = {"sample": sample.stem, "drug": drug, **linear}
        known = KnownCells(mixture.cells, mixture.truth(drug))
        found = by_seed(mixture.lines(drug), known, drug, seeds if named or number < whole else 0, network)
        rows += [row | one for one in found] or [row]
        pd.DataFrame(rows).to_csv(out, index=False)
    table = pd.DataFrame(rows)
    for name in table.filter(like="fixed_"):
        values = table.groupby("drug")[name].first()
        low, high = interval(values.to_numpy())
        click.echo(f"{name}: {values.mean():.3f} ({low:.3f} to {high:.3f}), {len(values)} drugs")
    for drug, own in table.dropna(subset="seed").groupby("drug") if "seed" in table else ():
        click.echo(drug)
        show(own)


@main.command("labelled")
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("sample", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--drug", required=True, help="The drug.")
@click.option("--line", multiple=True, help="Line to leave out of the bulk data; repeatable.")
@click.option("--seeds", default=2, help="How many seeds.", show_default=True)
@click.option("--network/--no-network", default=True, help="The whole model, or its linear members.", show_default=True)
def labelled(bulk: Path, sample: Path, out: Path, drug: str, line: tuple[str, ...], seeds: int, network: bool) -> None:
    """Score a sample with known truth, for several seeds."""
    cells = CellMatrix(sample)
    lines = load_lines(bulk / "bulk.h5ad", bulk / "response.parquet", drug, cells.genes)
    lines = lines.take(~lines.labels.index.isin([line_key(name) for name in line]))
    known = KnownCells(cells, cells.obs[OBS_TRUTH].to_numpy(int))
    rows = []
    for row in by_seed(lines, known, drug, seeds, network):
        rows.append(row)
        pd.DataFrame(rows).to_csv(out, index=False)
    show(pd.DataFrame(rows))


if __name__ == "__main__":
    main()
