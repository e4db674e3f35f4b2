"""The panel's network on held-out bulk lines: alone, beside ridge regression for all drugs, and together with it.

    PYTHONPATH=bin .venv/bin/python benchmarks/panel_network.py fit BULK_FOLDER OUT
    PYTHONPATH=bin .venv/bin/python benchmarks/panel_network.py score BULK_FOLDER OUT

``fit`` predicts the lines of each of five folds from the other four, as they are and imitated as pooled profiles of
cells, and keeps a file for each fold; a fold that is there is not repeated. ``score`` prints the mean over drugs,
within tissue, of the rank correlation and the AUROC. The bulk folder is that of ``prepare_bulk --drug all``. The five
lines of the real mixtures are left out, and no cell is looked at.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch
from scipy.stats import rankdata

from pharmacell.core.seeds import generator
from pharmacell.data.bulk import read_bulk
from pharmacell.data.shifts import pooled_profiles
from pharmacell.drug_panel.blend import network_weight
from pharmacell.drug_panel.held_out import FOLDS, folds_of
from pharmacell.drug_panel.linear import LinearChoice, LinearPanel
from pharmacell.drug_panel.profiles import BulkScale
from pharmacell.drug_panel.responses import Responses, read_responses
from pharmacell.drug_panel.settings import PanelNetworkConfig
from pharmacell.drug_panel.train_network import train_network

MIXTURE = ("HCC827", "NCIH1975", "A549", "NCIH2228", "NCIH838")
PLATFORM, DEPTH = 0.3, 1000.0  # of the imitated profiles that are predicted; training draws others
PUBLISHED = "published, cisplatin, other lines and folds: 0.78-0.80"
KINDS = ("bulk", "pooled")


@dataclass(frozen=True)
class Lines:
    """Lines that are compared.

    Attributes
    ----------
    scale
        Their expression.
    responses
        Their responses.
    tissues
        Their tissues, [n_lines].
    """

    scale: BulkScale
    responses: Responses
    tissues: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> "Lines":
        """Read a bulk folder without the lines of the mixtures.

        Parameters
        ----------
        folder
            Of ``prepare_bulk --drug all``.
        """
        lines, table = read_bulk(folder / "bulk.h5ad", folder / "response.parquet")
        lines = lines[~lines.obs_names.isin(MIXTURE)]
        scale = BulkScale.fit(np.asarray(lines.X, np.float32), list(lines.var_names))
        return cls(scale, read_responses(lines, table), lines.obs["tissue"].to_numpy(str))

    def part(self, rows: np.ndarray) -> "Lines":
        """Return some lines, on a scale of their own.

        Parameters
        ----------
        rows
            bool [n_lines].
        """
        own = self.responses
        responses = replace(own, lines=own.lines[rows], z=own.z[rows], value=own.value[rows])
        scale = BulkScale.fit(self.scale.within(self.scale.x[rows]), self.scale.genes)
        return Lines(scale, responses, self.tissues[rows])


@click.group()
def main() -> None:
    """Compare the panel's network with ridge regression."""


@main.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--replicas", default=PanelNetworkConfig.replicas, show_default=True)
@click.option("--drug_features", default="learned", type=click.Choice(["learned", "fingerprint"]))
@click.option("--folds", "n_folds", default=FOLDS, show_default=True, help="How many of the five are fitted.")
@click.option("--seed", default=0)
def fit(bulk: Path, out: Path, replicas: int, drug_features: str, n_folds: int, seed: int) -> None:
    """Predict each fold."""
    torch.set_num_threads(1)
    lines = Lines.read(bulk)
    config = PanelNetworkConfig(replicas=replicas, drug_features=drug_features)
    folds = folds_of(lines.tissues, seed)
    profiles = lines.scale.within(lines.scale.x)
    pooled = pooled_profiles(profiles, DEPTH, PLATFORM, generator(seed, "imitated cells"))
    out.mkdir(parents=True, exist_ok=True)
    for fold in range(n_folds):
        path = out / f"fold{fold}.npz"
        if path.exists():
            continue
        train, held = lines.part(folds != fold), folds == fold
        started = time.process_time()
        trained = train_network(train.scale, train.responses, config, seed)
        spent = time.process_time() - started
        weight, tried = network_weight(trained, train.scale, train.responses, train.tissues, LinearChoice())
        found = {"rows": np.flatnonzero(held), "weight": weight, "cpu": spent, "epochs": trained.epochs}
        for kind, x in zip(KINDS, (profiles[held], pooled[held]), strict=True):
            found[f"network {kind}"] = trained.network.z(trained.network.inputs(x, train.scale.genes))
            found[f"ridge {kind}"] = ridge(train, x, lines.tissues[held])
        np.savez(path, **found)
        click.echo(f"fold {fold}: {spent:.0f} CPU s, epochs {trained.epochs}, weight {weight}, {tried}")


def ridge(train: Lines, profiles: np.ndarray, tissues: np.ndarray) -> np.ndarray:
    """Predict profiles by ridge regression for all drugs, lines of the profile's tissue counted more.

    Parameters
    ----------
    train
        Lines to learn from.
    profiles
        Standardised within the profile, [n, n_genes].
    tissues
        Of the profiles.
    """
    choice = LinearChoice()
    x = train.scale.scaler.apply(profiles)
    learned = train.responses.learned(np.arange(len(train.tissues)))
    found = np.empty((len(x), learned.shape[1]), np.float32)
    for tissue in np.unique(tissues):
        own = tissues == tissue
        found[own] = LinearPanel(train.scale, learned, train.tissues, tissue, choice).z(x[own])
    return found


@main.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
def score(bulk: Path, out: Path) -> None:
    """Print the scores."""
    lines = Lines.read(bulk)
    z, sensitive = lines.responses.z, lines.responses.z <= lines.responses.cut
    files = [np.load(path) for path in sorted(out.glob("fold*.npz"))]
    click.echo(f"weights {[float(file['weight']) for file in files]}, CPU s {[round(float(f['cpu'])) for f in files]}")
    for kind in KINDS:
        found = {"tissue mean": tissue_means(lines, files)}
        for name in ("ridge", "network"):
            found[name] = gathered(z.shape, files, [file[f"{name} {kind}"] for file in files])
        blended = [(1 - f["weight"]) * f[f"ridge {kind}"] + f["weight"] * f[f"network {kind}"] for f in files]
        found["ensemble"] = gathered(z.shape, files, blended)
        found["ensemble, weight 0.2"] = 0.8 * found["ridge"] + 0.2 * found["network"]
        cisplatin = lines.responses.drugs.index("Cisplatin")
        groups = tissue_and_fold(lines, files)
        for name, predicted in found.items():
            rank, auroc = (
                summary(*values)
                for values in (
                    rank_correlation(predicted, z, groups),
                    auroc_within(predicted, sensitive, z, groups),
                )
            )
            every = auroc_within(predicted, sensitive, z, np.zeros(len(z)))[0][cisplatin]
            click.echo(f"{kind:7} {name:22} rank correlation {rank} AUROC {auroc} cisplatin, all lines {every:.3f}")
    click.echo(PUBLISHED)


def gathered(shape: tuple[int, ...], files: list, parts: list[np.ndarray]) -> np.ndarray:
    """Put the folds' predictions into one array, NaN where there is none.

    Parameters
    ----------
    shape
        Lines and drugs.
    files
        Of the folds.
    parts
        Of each fold.
    """
    found = np.full(shape, np.nan)
    for file, part in zip(files, parts, strict=True):
        found[file["rows"]] = part
    return found


def tissue_and_fold(lines: Lines, files: list) -> np.ndarray:
    """Return tissue and fold of each line: lines of two folds are not compared, for the mean of the others differs.

    Parameters
    ----------
    lines
        All lines.
    files
        Of the folds.
    """
    fold = np.full(len(lines.tissues), -1)
    for number, file in enumerate(files):
        fold[file["rows"]] = number
    return np.array([f"{tissue} {one}" for tissue, one in zip(lines.tissues, fold, strict=True)])


def tissue_means(lines: Lines, files: list) -> np.ndarray:
    """Predict the mean of each drug over the training lines of the tissue.

    Parameters
    ----------
    lines
        All lines.
    files
        Of the folds.
    """
    z = lines.responses.z
    found = np.full(z.shape, np.nan)
    for file in files:
        held = np.isin(np.arange(len(z)), file["rows"])
        for tissue in np.unique(lines.tissues):
            own = z[~held & (lines.tissues == tissue)]
            count = np.isfinite(own).sum(0)
            mean = np.where(count > 0, np.nansum(own, 0) / np.maximum(count, 1), 0)
            found[held & (lines.tissues == tissue)] = mean
    return found


def rank_correlation(predicted: np.ndarray, z: np.ndarray, tissues: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each drug's rank correlation within tissue, and the influence of each line on it.

    Ranks are taken within the tissue, from -0.5 to 0.5, and correlated over all lines.

    Parameters
    ----------
    predicted, z
        Predicted and measured, [n_lines, n_drugs].
    tissues
        Of the lines.

    Returns
    -------
    value
        [n_drugs].
    influence
        [n_lines, n_drugs].
    """
    known = np.isfinite(z) & np.isfinite(predicted)
    ranks = [np.zeros(z.shape) for _ in range(2)]
    for tissue in np.unique(tissues):
        rows = np.flatnonzero(tissues == tissue)
        for drug in range(z.shape[1]):
            own = rows[known[rows, drug]]
            for rank, values in zip(ranks, (predicted, z), strict=True):
                if len(own) > 1:
                    rank[own, drug] = (rankdata(values[own, drug]) - (len(own) + 1) / 2) / len(own)
    a, b = ranks
    aa, bb = (np.maximum(np.square(x).sum(0), 1e-12) for x in ranks)
    value = (a * b).sum(0) / np.sqrt(aa * bb)
    return value, a * b / np.sqrt(aa * bb) - value / 2 * (np.square(a) / aa + np.square(b) / bb)


def auroc_within(
    predicted: np.ndarray, sensitive: np.ndarray, z: np.ndarray, tissues: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each drug's AUROC over pairs of one tissue, and the influence of each line on it.

    Parameters
    ----------
    predicted, z
        Predicted and measured, lower is more sensitive, [n_lines, n_drugs].
    sensitive
        Whether a line is called so, bool [n_lines, n_drugs].
    tissues
        Of the lines.

    Returns
    -------
    value
        [n_drugs].
    influence
        [n_lines, n_drugs].
    """
    value, influence = np.full(z.shape[1], np.nan), np.zeros(z.shape)
    for drug in range(z.shape[1]):
        known = np.isfinite(z[:, drug]) & np.isfinite(predicted[:, drug])
        up, down = np.flatnonzero(known & sensitive[:, drug]), np.flatnonzero(known & ~sensitive[:, drug])
        pairs = tissues[up][:, None] == tissues[down]
        apart = predicted[down, drug] - predicted[up, drug][:, None]
        right = pairs * ((apart > 0) + 0.5 * (apart == 0))
        value[drug] = right.sum() / pairs.sum()
        for rows, axis in ((up, 1), (down, 0)):
            influence[rows, drug] = (right.sum(axis) - value[drug] * pairs.sum(axis)) / pairs.sum()
    return value, influence


def summary(value: np.ndarray, influence: np.ndarray) -> str:
    """Return the mean over drugs with two 95 % intervals: over drugs, and over lines.

    Parameters
    ----------
    value
        Of each drug.
    influence
        Of each line on it, [n_lines, n_drugs].
    """
    over_drugs = 1.96 * value.std(ddof=1) / np.sqrt(len(value))
    over_lines = 1.96 * np.sqrt(np.square(influence.mean(1)).sum())
    return f"{value.mean():.4f} (drugs +-{over_drugs:.4f}, lines +-{over_lines:.4f})"


if __name__ == "__main__":
    main()
