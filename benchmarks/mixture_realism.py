r"""How real the cells of two simulators look, beside the real cells of the same lines; docs/methods.md has the table.

PYTHONPATH=bin .venv/bin/python benchmarks/mixture_realism.py bulk/bulk.h5ad cell_lines.csv \
    cells/sc_celseq2.h5ad cells/sc_celseq2_5cl_p1.h5ad
"""

from itertools import pairwise
from pathlib import Path

import anndata as ad
import click
import numpy as np
import pandas as pd
from fit_mixture import WELL_COUNTED, Plate
from mixture_cells import Mixture
from sklearn.decomposition import PCA

from pharmacell.data.shifts import SEVERITIES, TARGET_SUM
from pharmacell.data.simulate import simulate_counts
from pharmacell.response.neighbours import nearest_cells

NEIGHBOURS = 15
LEVELS = (0.5, 2.0, 8.0, np.inf)  # mean counts of a gene in a cell


def looks(plate: Plate, bulk: pd.DataFrame, real: Plate) -> dict:
    """Return what can be counted about the cells of a sample.

    Parameters
    ----------
    plate
        Cells, real or simulated.
    bulk
        Bulk expression of their lines.
    real
        The real cells of the same lines.
    """
    counts, totals = plate.counts.to_numpy(), plate.totals
    relative = np.log1p(counts / np.maximum(totals, 1) * TARGET_SUM)
    real_counts = real.counts.to_numpy()
    row = dict(
        zip(("counts 5 %", "counts 50 %", "counts 95 %"), np.quantile(totals, (0.05, 0.5, 0.95)).round(), strict=True)
    )
    row["zeros"] = (counts == 0).mean()
    zeros, real_zeros = ((part == 0).mean(0) for part in (counts, real_counts))
    row["zeros by gene, mean difference from real"] = np.abs(zeros - real_zeros).mean()
    expressed = real_counts.mean(0) >= LEVELS[0]
    row["mean by gene, rank correlation with real"] = pd.Series(counts.mean(0)[expressed]).corr(
        pd.Series(real_counts.mean(0)[expressed]), method="spearman"
    )
    expected = plate.expected()
    excess = ((counts - expected) ** 2 - expected).sum(0) / np.maximum((expected**2).sum(0), 1e-9)
    for low, high in pairwise(LEVELS):
        there = (counts.mean(0) >= low) & (counts.mean(0) < high)
        row[f"dispersion, genes of {low:g} to {high:g} counts"] = np.median(excess[there]) if there.any() else np.nan
    correlation = np.corrcoef(relative)
    same = plate.lines.to_numpy()[:, None] == plate.lines.to_numpy()
    row["correlation of two cells of a line"] = correlation[same & ~np.eye(len(same), dtype=bool)].mean()
    row["of two lines"] = correlation[~same].mean()
    near = nearest_cells(PCA(20, random_state=0).fit_transform(relative), NEIGHBOURS, np.random.default_rng(0))
    row["neighbours of the same line"] = (plate.lines.to_numpy()[near[:, 1:]] == plate.lines.to_numpy()[:, None]).mean()
    sums, ln_rate = plate.line_counts()
    used = sums.mean(1) >= WELL_COUNTED
    differences = [
        table[used].sub(table[used].mean(1), axis=0).to_numpy().ravel() for table in (ln_rate, bulk.loc[sums.columns].T)
    ]
    row["differences between lines, correlation with bulk"] = np.corrcoef(*differences)[0, 1]
    return row


def simulated(counts: np.ndarray, plate: Plate) -> Plate:
    """Return simulated cells as a plate with the lines of the real one; cells without a count are left out."""
    names = [f"{number}" for number in range(len(counts))]
    lines = pd.Series(np.repeat(sorted(plate.lines.unique()), len(counts) // plate.lines.nunique()), names)
    kept = counts.sum(1) > 0
    return Plate(pd.DataFrame(counts, names, plate.counts.columns)[kept], lines[kept])


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("lines", type=click.Path(path_type=Path, exists=True))
@click.argument("cells", type=click.Path(path_type=Path, exists=True), nargs=-1)
def main(bulk: Path, lines: Path, cells: tuple[Path, ...]) -> None:
    """Print one column for the real cells and for each simulator, for each plate."""
    mixture, truth = Mixture.read(), pd.read_csv(lines)
    profiles = ad.read_h5ad(bulk).to_df()[mixture.genes.index]
    for path in cells:
        plate = Plate.read(path, truth, mixture.genes.index)
        own = profiles.loc[sorted(plate.lines.unique())]
        n_cells = round(len(plate.lines) / len(own))
        columns = {
            "real": plate,
            "mixture_cells.py": simulated(
                mixture.counts(own.to_numpy(), n_cells, np.random.default_rng(1)).toarray(), plate
            ),
        }
        for severity in SEVERITIES:
            depth = severity.depth * own.shape[1] / 1000
            counts = simulate_counts(
                own.to_numpy(), n_cells, np.random.default_rng(1), depth, severity.dispersion, severity.dropout
            )
            columns[f"data/shifts.py, {severity.name}"] = simulated(counts.toarray(), plate)
        table = pd.DataFrame({name: looks(part, own, plate) for name, part in columns.items()})
        click.echo(f"{path.stem}: {len(plate.lines)} real cells of {len(own)} lines\n{table.round(3).to_string()}")


if __name__ == "__main__":
    main()
