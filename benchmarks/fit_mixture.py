r"""Estimate the parameters of ``mixture_cells.py`` from real cells of known lines; writes benchmarks/mixture/.

bin/prepare_bulk.py --drug cisplatin --outdir bulk
bin/qc.py --sample sc_celseq2 --input sc_celseq2.count.csv.gz --outdir cells   # of LuyiTian/sc_mixology, both plates
PYTHONPATH=bin .venv/bin/python benchmarks/fit_mixture.py bulk/bulk.h5ad cell_lines.csv cells/sc_celseq2.h5ad \
    cells/sc_celseq2_5cl_p1.h5ad
"""

from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import click
import numpy as np
import pandas as pd
from mixture_cells import FOLDER

from pharmacell.data.names import line_key

PROGRAMMES = pd.read_csv(FOLDER / "cell_cycle.csv").groupby("programme")["gene"].agg(list)[["s", "g2m"]].to_dict()
WELL_COUNTED = 50  # counts of a gene in a line of a plate, from which slope and deviations are estimated
FEWEST_COUNTS = 30  # of a gene in all cells, for a dispersion and programme of its own
LEAST_DISPERSION, MOST_DISPERSION = 0.02, 10.0
PRIOR_CELLS = 60  # the trend of the dispersions counts as much as so many cells


@dataclass(frozen=True)
class Plate:
    """Real cells of one experiment.

    Attributes
    ----------
    counts
        [n_cells, n_genes].
    lines
        Line of each cell.
    """

    counts: pd.DataFrame
    lines: pd.Series

    @classmethod
    def read(cls, path: Path, truth: pd.DataFrame, genes: pd.Index) -> "Plate":
        """Read the cells of one line each; genes that the plate lacks have no counts."""
        cells = ad.read_h5ad(path)
        lines = (
            truth[(truth["set"] == path.stem) & (truth["demuxlet"] == "SNG")].set_index("cell")["line"].map(line_key)
        )
        cells = cells[cells.obs_names.isin(lines.index)]
        counts = pd.DataFrame(cells.layers["counts"].toarray(), cells.obs_names, cells.var_names)
        return cls(counts.reindex(columns=genes, fill_value=0.0), lines.reindex(cells.obs_names))

    @property
    def totals(self) -> np.ndarray:
        """Counts of each cell, [n_cells, 1]."""
        return self.counts.to_numpy().sum(1, keepdims=True)

    def line_counts(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return counts and logarithms of the rates, genes x lines."""
        sums = self.counts.groupby(self.lines).sum().T
        return sums, np.log((sums + 0.5) / sums.sum())

    def expected(self) -> np.ndarray:
        """Return what each cell would have if the cells of a line differed in their size alone, [n_cells, n_genes]."""
        _, ln_rate = self.line_counts()
        return self.totals * np.exp(ln_rate[self.lines].to_numpy().T)


def programme_scores(plate: Plate) -> pd.DataFrame:
    """Return the S and G2M score of each cell, mean 0 and deviation 1 within its line."""
    relative = np.log1p(plate.counts / plate.totals * 1e4)
    centred = relative - relative.groupby(plate.lines).transform("mean")
    scores = pd.DataFrame(
        {name: centred[centred.columns.intersection(genes)].mean(1) for name, genes in PROGRAMMES.items()}
    )
    return scores / scores.groupby(plate.lines).transform("std")


def programmes(plates: list[Plate], scores: list[pd.DataFrame]) -> pd.DataFrame:
    """Return each gene's change of ln rate for a score higher by one; genes of no programme have none.

    A gene is left out of the score that it is compared with; the change is divided by the root of the score's
    reliability (Spearman-Brown from halves of its genes), because noise in a score flattens the change.
    """
    genes = plates[0].counts.columns
    table = pd.DataFrame(0.0, genes, list(PROGRAMMES))
    counted = sum(plate.counts.sum() for plate in plates) >= FEWEST_COUNTS
    for name, members in PROGRAMMES.items():
        used = [gene for gene in genes.intersection(members) if counted[gene]]
        halves = [np.concatenate([half_score(plate, used[start::2]) for plate in plates]) for start in (0, 1)]
        r = np.corrcoef(*halves)[0, 1]
        reliability = 2 * r / (1 + r)
        for gene in used:
            others = np.concatenate([half_score(plate, [one for one in used if one != gene]) for plate in plates])
            position = genes.get_loc(gene)
            excess = np.concatenate([plate.counts[gene] - plate.expected()[:, position] for plate in plates])
            size = np.concatenate([plate.expected()[:, position] for plate in plates])
            table.loc[gene, name] = (others * excess).sum() / (size * others**2).sum() / np.sqrt(reliability)
        change = table.loc[used, name].median()
        click.echo(f"{name}: {len(used)} genes, reliability of the score {reliability:.2f}, median change {change:.2f}")
    return table.clip(-1, 1)


def half_score(plate: Plate, genes: list[str]) -> np.ndarray:
    """Return the standardised mean of some genes in each cell, centred within its line."""
    relative = np.log1p(plate.counts[genes] / plate.totals * 1e4)
    score = (relative - relative.groupby(plate.lines).transform("mean")).mean(1)
    return (score / score.groupby(plate.lines).transform("std")).to_numpy()


def dispersions(plates: list[Plate], scores: list[pd.DataFrame], changes: pd.DataFrame) -> np.ndarray:
    """Return each gene's dispersion within a line, by moments, drawn towards the genes of similar level.

    Variance = mean + dispersion * mean^2, with the cell's size and programmes in the mean.
    """
    excess = squares = counted = 0
    for plate, score in zip(plates, scores, strict=True):
        mean = plate.expected() * np.exp(score.to_numpy() @ changes.to_numpy().T)
        mean *= plate.counts.to_numpy().sum(0) / np.maximum(mean.sum(0), 1e-9)
        excess = excess + ((plate.counts.to_numpy() - mean) ** 2 - mean).sum(0)
        squares = squares + (mean**2).sum(0)
        counted = counted + plate.counts.to_numpy().sum(0)
    own = excess / np.maximum(squares, 1e-9)
    known = counted >= FEWEST_COUNTS
    bins = pd.qcut(pd.Series(np.log(counted[known])), 12)
    trend_of = (
        pd.DataFrame({"level": np.log(counted[known]), "own": own[known]})
        .groupby(bins.to_numpy(), observed=True)
        .median()
    )
    trend = np.interp(np.log(np.maximum(counted, 1)), trend_of["level"], trend_of["own"])
    n_cells = sum(len(plate.counts) for plate in plates)
    own = np.where(known, (n_cells * own + PRIOR_CELLS * trend) / (n_cells + PRIOR_CELLS), trend)
    return np.clip(own, LEAST_DISPERSION, MOST_DISPERSION)


def bulk_relation(plate: Plate, bulk: pd.DataFrame, dispersion: pd.Series) -> tuple[float, float, int]:
    """Return slope, variance that neither bulk nor sampling explains, and the number of genes behind them."""
    sums, ln_rate = plate.line_counts()
    used = sums.mean(1) >= WELL_COUNTED
    cells = plate.lines.value_counts()[sums.columns]
    noise = 1 / (sums[used] + 0.5) + dispersion[used].to_numpy()[:, None] / cells.to_numpy()
    y, x = (table[used].sub(table[used].mean(1), axis=0) for table in (ln_rate, bulk.loc[sums.columns].T))
    slope = float((x * y).to_numpy().sum() / (x**2).to_numpy().sum())
    left = ((y - slope * x) ** 2).to_numpy().sum() / (used.sum() * (len(cells) - 1))
    return slope, float(left - noise.to_numpy().mean()), int(used.sum())


def batch_variance(plates: list[Plate], dispersion: pd.Series) -> float:
    """Return the variance over genes of the shift between the plates in the lines of both, without sampling noise."""
    (sums, ln_rate), (other_sums, other) = (plate.line_counts() for plate in plates)
    lines = ln_rate.columns.intersection(other.columns)
    used = (sums[lines].mean(1) >= WELL_COUNTED) & (other_sums[lines].mean(1) >= WELL_COUNTED)
    shift = (ln_rate.loc[used, lines] - other.loc[used, lines]).mean(1)
    noise = sum(
        1 / (part.loc[used, lines] + 0.5)
        + dispersion[used].to_numpy()[:, None] / plate.lines.value_counts()[lines].to_numpy()
        for part, plate in ((sums, plates[0]), (other_sums, plates[1]))
    )
    return float(shift.var() - noise.mean(1).mean() / len(lines))


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("lines", type=click.Path(path_type=Path, exists=True))
@click.argument("cells", type=click.Path(path_type=Path, exists=True), nargs=2)
def main(bulk: Path, lines: Path, cells: tuple[Path, Path]) -> None:
    """Estimate everything once, and write it."""
    truth, profiles = pd.read_csv(lines), ad.read_h5ad(bulk).to_df()
    plates = [Plate.read(path, truth, profiles.columns) for path in cells]
    seen = profiles.columns[sum(plate.counts.sum() for plate in plates) > 0]
    plates = [Plate(plate.counts[seen], plate.lines) for plate in plates]
    scores = [programme_scores(plate) for plate in plates]
    changes = programmes(plates, scores)
    dispersion = pd.Series(dispersions(plates, scores, changes), seen)
    sums = sum(
        plate.counts.groupby(plate.lines)
        .sum()
        .reindex(profiles.index[profiles.index.isin(plates[1].lines)], fill_value=0)
        for plate in plates
    ).T
    ln_rate = np.log((sums + 0.5) / sums.sum())
    found = [bulk_relation(plate, profiles[seen], dispersion) for plate in plates]
    slope, variance = (float(np.average([one[i] for one in found], weights=[one[2] for one in found])) for i in (0, 1))
    constants = {
        "slope": slope,
        "line_sd": np.sqrt(variance),
        "batch_sd": np.sqrt(batch_variance(plates, dispersion)),
        "most": ln_rate.to_numpy().max(),
    }
    genes = pd.DataFrame(
        {"ln_rate": ln_rate.mean(1), "bulk_mean": profiles.loc[sums.columns, seen].mean(), "dispersion": dispersion}
    )
    FOLDER.mkdir(exist_ok=True)
    genes.join(changes).rename_axis("gene").round(3).to_csv(FOLDER / "genes.csv")
    drawn = [score.assign(counts=plate.totals.astype(int)) for plate, score in zip(plates, scores, strict=True)]
    pd.concat(drawn)[["counts", *PROGRAMMES]].round(3).to_csv(FOLDER / "cells.csv", index=False)
    pd.Series(constants, name="value").rename_axis("name").round(4).to_csv(FOLDER / "constants.csv")
    click.echo(f"{len(genes)} genes, {len(pd.concat(drawn))} cells; slope, variance and genes of each plate: {found}")
    click.echo(constants)


if __name__ == "__main__":
    main()
