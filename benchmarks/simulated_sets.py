"""Samples of simulated cells with a known truth, made and predicted in this process, for the accuracy tables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from mixture_cells import Mixture
from scipy import sparse

from pharmacell.data.embedding import principal_axes
from pharmacell.data.lines import Lines, panel_of
from pharmacell.data.response import ResponseReliability
from pharmacell.data.shifts import TARGET_SUM, line_profiles
from pharmacell.data.simulate import simulate_counts

DRUGS = ("Cisplatin", "Docetaxel", "I-BET-762", "Vorinostat", "Trametinib", "PLX-4720")
HELD_OUT = 0.2  # of the lines with a response
LINES = 6  # sensitive, and as many resistant
CELLS = 100  # of each line
DEPTH_PER_GENE = 5000 / 6000  # counts per cell and gene, those of the demo; for cells of the training's own simulator
GENES = 1500  # that bulk and cells share
SENSITIVE = 0.3


@dataclass(frozen=True)
class Difficulty:
    """What is wrong with a simulated set.

    Parameters
    ----------
    name
        For tables.
    genes
        How many genes bulk and cells share.
    labels
        ``own``; ``other``: the model learns another drug's responses; ``shuffled``: responses of other lines.
    one_class
        Whether all lines of the sample are sensitive, or all resistant: then there is nothing to tell apart.
    depth
        Counts per cell, as a share of the usual.
    batch
        Standard deviation over genes of the shift of ln expression between two batches of cells.
    """

    name: str
    genes: int = GENES
    labels: str = "own"
    one_class: bool = False
    depth: float = 1.0
    batch: float = 0.0


@dataclass(frozen=True)
class Panel:
    """Bulk lines and their responses to all drugs.

    Parameters
    ----------
    x
        Expression, float32 [n_lines, n_genes].
    genes, lines
        Their names.
    z
        Response, lines x drugs, NaN where not measured; lower is more sensitive.
    tissue
        Of each line.
    reliability
        How far releases agree on a drug, where that is known.
    """

    x: np.ndarray
    genes: np.ndarray
    lines: pd.Index
    z: pd.DataFrame
    tissue: np.ndarray
    reliability: Mapping[str, ResponseReliability]

    @classmethod
    def read(cls, folder: Path) -> "Panel":
        """Read ``bulk.h5ad`` and ``response.parquet`` of PREPARE_BULK."""
        bulk = ad.read_h5ad(folder / "bulk.h5ad")
        table = pd.read_parquet(folder / "response.parquet")
        z = table.pivot(index="line", columns="drug", values="z").reindex(bulk.obs_names)
        tissue = bulk.obs["tissue"].to_numpy(str)
        twice = table.drop_duplicates("drug").dropna(subset="reliability")[["drug", "reliability", "reliability_lines"]]
        known = {drug: ResponseReliability(*facts) for drug, *facts in twice.itertuples(index=False)}
        return cls(np.asarray(bulk.X, np.float32), bulk.var_names.to_numpy(str), bulk.obs_names, z, tissue, known)

    def on_genes(self, genes: pd.Index) -> "Panel":
        """Return the panel on some of its genes, in their order."""
        rows = pd.Index(self.genes).get_indexer(genes)
        return replace(self, x=self.x[:, rows], genes=self.genes[rows])

    def well_measured(self, fewest: int = 400) -> list[str]:
        """Return the drugs with a response of at least so many lines."""
        return list(self.z.columns[self.z.notna().sum() >= fewest])


@dataclass(frozen=True)
class SimulatedSet:
    """Bulk lines to learn from, and cells of other lines.

    Parameters
    ----------
    lines
        What the model may learn from.
    all_genes
        The same lines on all genes, of which the cells have some.
    counts
        [n_cells, n_genes].
    truth
        1 sensitive, 0 resistant, of each cell.
    held_x, held_labels
        All held-out lines, as bulk.
    tissue
        Of the cells' lines, where all are of one.
    """

    lines: Lines
    all_genes: Lines
    counts: sparse.csr_matrix
    truth: np.ndarray
    held_x: np.ndarray
    held_labels: np.ndarray
    tissue: str | None = None


@dataclass(frozen=True)
class Kind:
    """Which lines the cells of a set come from, and which simulator makes them.

    Attributes
    ----------
    one_tissue
        Whether all lines of the cells are of one tissue, drawn at random from those with six lines of either class.
    mixture
        The simulator made from real cells (``mixture_cells.py``); None: the one that training uses.
    """

    one_tissue: bool = False
    mixture: Mixture | None = None


def make_set(
    panel: Panel, drug: str, difficulty: Difficulty, rng: np.random.Generator, kind: Kind = Kind()
) -> SimulatedSet:
    """Hold out a fifth of the lines at random, and simulate cells of six sensitive and six resistant ones of them.

    The lines are drawn at random among all held-out lines of their class, not the extremes.
    """
    z = panel.z[drug].to_numpy()
    known = np.flatnonzero(~np.isnan(z))
    sensitive = z <= np.quantile(z[known], SENSITIVE)
    held, chosen = held_lines(panel, known, sensitive, difficulty.one_class, rng, kind.one_tissue)
    learn = np.setdiff1d(np.arange(len(z)), held)  # other drugs' responses of lines without one to this drug, too
    genes = np.sort(rng.choice(len(panel.genes), difficulty.genes, replace=False))
    if kind.mixture is None:
        counts = counts_of(line_profiles(panel.x[chosen][:, genes]), difficulty, rng)
    else:
        counts = kind.mixture.counts(panel.x[chosen], CELLS, rng, difficulty.depth, difficulty.batch)[:, genes]
    of_drug = z.copy()
    if difficulty.labels == "other":
        of_drug = panel.z[rng.choice([name for name in panel.well_measured() if name != drug])].to_numpy()
    learn = learn[~np.isnan(of_drug[learn])]
    response = -of_drug[learn]
    if difficulty.labels == "shuffled":
        response = rng.permutation(response)
    lines = lines_of(panel, drug, learn, response, genes)
    return SimulatedSet(
        lines,
        replace(lines, x=panel.x[learn], genes=list(panel.genes)),
        counts,
        np.repeat(sensitive[chosen].astype(int), CELLS),
        panel.x[held][:, genes],
        sensitive[held].astype(int),
        panel.tissue[chosen[0]] if kind.one_tissue else None,
    )


def held_lines(
    panel: Panel, known: np.ndarray, sensitive: np.ndarray, one_class: bool, rng: np.random.Generator, one_tissue: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return a fifth of the lines with a response, and the twelve of them whose cells are simulated."""
    n_held = round(HELD_OUT * len(known))
    if one_tissue:
        of_class = [
            [known[(panel.tissue[known] == name) & (sensitive[known] == kind)] for kind in (True, False)]
            for name in np.unique(panel.tissue[known])
        ]
        pools = [pair for pair in of_class if min(map(len, pair)) >= LINES]
        chosen = np.concatenate([rng.choice(pool, LINES, replace=False) for pool in pools[rng.integers(len(pools))]])
        others = rng.choice(np.setdiff1d(known, chosen), n_held - len(chosen), replace=False)
        return np.concatenate([chosen, others]), chosen
    held = rng.choice(known, n_held, replace=False)
    pools = [held[sensitive[held] == kind] for kind in (True, False)]
    if one_class:
        pool = pools[rng.integers(2)]
        return held, rng.choice(pool, 2 * LINES, replace=len(pool) < 2 * LINES)
    return held, np.concatenate([rng.choice(pool, LINES, replace=False) for pool in pools])


def lines_of(panel: Panel, drug: str, learn: np.ndarray, response: np.ndarray, genes: np.ndarray) -> Lines:
    """Return the lines that a model may learn from, with the panel's other drugs.

    Parameters
    ----------
    panel, drug
        Where they come from.
    learn
        Positions of the lines.
    response
        Theirs; higher is more sensitive.
    genes
        Positions of the shared genes.
    """
    names = panel.lines[learn]
    table = panel.z.iloc[learn].drop(columns=drug).melt(ignore_index=False, var_name="drug", value_name="z").dropna()
    own = pd.DataFrame({"drug": drug, "z": -response}, index=names)
    table = pd.concat([own, table]).rename_axis("line").reset_index()
    return Lines(
        x=panel.x[learn][:, genes],
        genes=list(panel.genes[genes]),
        response=pd.Series(response, names),
        labels=pd.Series((response >= np.quantile(response, 1 - SENSITIVE)).astype(int), names),
        origin=pd.DataFrame({"database": "gdsc", "tissue": panel.tissue[learn]}, names),
        n_genes_bulk=len(panel.genes),
        panel=panel_of(table, drug, names),
        reliability=panel.reliability.get(drug),
    )


def counts_of(profiles: np.ndarray, difficulty: Difficulty, rng: np.random.Generator) -> sparse.csr_matrix:
    """Simulate cells as training does, with a batch effect on a random half of every line's cells if there is one."""
    depth = DEPTH_PER_GENE * profiles.shape[1] * difficulty.depth
    if not difficulty.batch:
        return simulate_counts(profiles, CELLS, rng, depth)
    shift = rng.normal(0, difficulty.batch, profiles.shape[1])
    halves = [simulate_counts(part, CELLS // 2, rng, depth) for part in (profiles, profiles + shift)]
    n = len(profiles) * (CELLS // 2)
    order = np.arange(2 * n).reshape(2, len(profiles), -1).transpose(1, 0, 2).ravel()  # a line's cells stand together
    return sparse.vstack(halves, format="csr")[order]


def write_sample(counts: sparse.csr_matrix, genes: list[str], path: Path) -> None:
    """Write cells as QC does, without the UMAP, and without their truth: nothing behind this can read it.

    Parameters
    ----------
    counts
        [n_cells, n_genes].
    genes
        Their names.
    path
        Of the h5ad.
    """
    totals = np.maximum(np.asarray(counts.sum(1)), 1)
    x = sparse.csr_matrix(counts.multiply(TARGET_SUM / totals), dtype=np.float32).log1p()
    cells = ad.AnnData(x, pd.DataFrame(index=[f"cell{i}" for i in range(x.shape[0])]), pd.DataFrame(index=genes))
    cells.obsm["X_pca"] = principal_axes(x, "counts", 0).project(x)
    cells.uns["pharmacell"] = {"sample": "simulated", "simulated": True, "genes_matched": 1.0, "scale": "log1p"}
    cells.write_h5ad(path)
