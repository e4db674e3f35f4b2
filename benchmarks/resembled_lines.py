"""How well cells of a line that was trained on are told from cells of any other; docs/methods.md has the table.

bin/prepare_bulk.py --drug cisplatin --outdir bulk
bin/qc.py --sample sc_celseq2 --input sc_celseq2.count.csv.gz --outdir cells   # of LuyiTian/sc_mixology
PYTHONPATH=bin .venv/bin/python benchmarks/resembled_lines.py --bulk bulk/bulk.h5ad --response bulk/response.parquet \
        --lines cell_lines.csv cells/sc_celseq2.h5ad
"""

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd

from pharmacell.data.cells import CellMatrix
from pharmacell.data.lines import Lines, load_lines
from pharmacell.data.names import line_key
from pharmacell.data.shifts import SEVERITIES, TARGET_SUM
from pharmacell.data.simulate import simulate_counts
from pharmacell.data.standardise import Standardiser
from pharmacell.response.resembled_lines import PooledCells, pool_clusters, resembled_lines
from pharmacell.training.clusters import cluster_cells

DRUG, DRAWS, N_LINES, N_CELLS = "cisplatin", 3, 40, 60


def real(path: Path, truth: pd.DataFrame, bulk: Path, response: Path) -> Iterator[tuple]:
    """Yield ``(what, found, clusters)`` with the lines of the cells in the bulk data and without them."""
    cells = CellMatrix(path)
    lines = load_lines(bulk, response, DRUG, cells.genes)
    _, rows = cells.sample(lines.genes, len(cells), np.random.default_rng(0))
    clusters = pd.factorize(cluster_cells(Standardiser.fit([rows]).apply(rows), "louvain", 0))[0]
    own = truth.set_index("cell")["line"].reindex(cells.obs.index)
    pooled = pool_clusters(rows, clusters, str(cells.uns["scale"]))
    for what, kept in (("with", np.ones(len(lines.labels), bool)), ("without", ~named(lines, own.dropna()))):
        found = resembled_lines(pooled, lines.take(kept))
        right = own.groupby(clusters).agg(lambda names: line_key(names.mode()[0])) if own.notna().any() else []
        yield what, found, list(right)


def named(lines: Lines, names: pd.Series) -> np.ndarray:
    """Return which lines have one of these names."""
    return lines.labels.index.isin({line_key(name) for name in names})


def simulated(lines: Lines, severity, rng: np.random.Generator) -> tuple[list, list, int]:
    """Return what cells of held-out lines were taken for, and which of as many others were found."""
    order = rng.permutation(len(lines.labels))
    held, kept = order[: len(order) // 5], order[len(order) // 5 :]
    wrong = resembled_lines(pooled_cells(lines.x[held[:N_LINES]], severity, rng), lines.take(kept))
    own = kept[:N_LINES]
    found = resembled_lines(pooled_cells(lines.x[own], severity, rng), lines.take(kept))
    return wrong, [one for one in found if one.line in lines.labels.index[own]], N_LINES


def pooled_cells(profiles: np.ndarray, severity, rng: np.random.Generator) -> PooledCells:
    """Simulate cells and pool those of each line."""
    depth = severity.depth * profiles.shape[1] / 1000
    counts = simulate_counts(profiles, N_CELLS, rng, depth, severity.dispersion, severity.dropout).toarray()
    rows = np.log1p(counts / np.maximum(counts.sum(1, keepdims=True), 1) * TARGET_SUM)
    return pool_clusters(rows, np.repeat(np.arange(len(profiles)), N_CELLS), "log1p")


@click.command()
@click.option("--bulk", type=click.Path(path_type=Path), required=True, help="bulk.h5ad of prepare_bulk.")
@click.option("--response", type=click.Path(path_type=Path), required=True, help="response.parquet of prepare_bulk.")
@click.option("--lines", type=click.Path(path_type=Path), required=True, help="csv with columns set, cell, line.")
@click.argument("cells", type=click.Path(path_type=Path), nargs=-1)
def main(bulk: Path, response: Path, lines: Path, cells: tuple[Path, ...]) -> None:
    """Print what is found of each sample and each severity."""
    truth = pd.read_csv(lines, dtype=str)
    for path in cells:
        own = truth[truth["set"] == path.stem]
        for what, found, right in real(path, own, bulk, response):
            print(path.stem, what, "lines of the cells; clusters are", right)
            for one in found or []:
                print("  ", one)
    everything = load_lines(bulk, response, DRUG, pd.Index(bulk_genes(bulk)))
    rng = np.random.default_rng(0)
    for severity in SEVERITIES:
        wrong, right, n = zip(*(simulated(everything, severity, rng) for _ in range(DRAWS)), strict=True)
        print(f"{severity.name}: held out, flagged {sum(map(len, wrong))} of {sum(n)}; trained on, found", end=" ")
        print(f"{sum(map(len, right))} of {sum(n)}", sorted({one.line for some in wrong for one in some}))


def bulk_genes(bulk: Path) -> list[str]:
    """Return the genes of a bulk data set."""
    import anndata as ad

    return ad.read_h5ad(bulk, backed="r").var_names.tolist()


if __name__ == "__main__":
    main()
