"""The panel of all drugs on lines that it never saw: real cells of lung lines, and held-out bulk lines of one tissue.

bin/prepare_bulk.py --drug all --outdir bulk
bin/qc.py --sample sc_celseq2 --input sc_celseq2.h5ad --group_key line --outdir cells   # of LuyiTian/sc_mixology
PYTHONPATH=bin .venv/bin/python benchmarks/panel_lines.py --bulk bulk cells/sc_celseq2.h5ad cells/sc_celseq2_5cl_p1.h5ad

Every line of the samples is taken out of the bulk data before anything is fitted or chosen. ``pairs``: share of (drug,
pair of lines) that differ by more than half a standard deviation whose order is right; ``specific``: the same after
each line's mean over drugs is taken off; ``absolute``: mean over lines of the rank correlation, over drugs, of
predicted and measured z; ``relative``: the same after each drug's mean over the lines of the sample is taken off.
Intervals are over drugs: a sample has too few lines.

What the platform adds is learned from cells of the other plate: once as where all five lines are excluded, so that they
stand for their tissue, and once, line by line, from the other plate's *other* lines and their own bulk profiles. In the
second, lines of one sample are read with different offsets, so only ``absolute`` says anything.
"""

from dataclasses import replace
from pathlib import Path

import anndata as ad
import click
import numpy as np
import pandas as pd
from scipy.stats import rankdata

from pharmacell.core.seeds import generator
from pharmacell.data.driver_events import driver_events
from pharmacell.data.drugs import describe_drugs
from pharmacell.data.names import line_key
from pharmacell.data.reference_counts import reference_counts
from pharmacell.data.shifts import line_profiles
from pharmacell.data.standardise import Standardiser
from pharmacell.drug_panel.bulk_stage import choose
from pharmacell.drug_panel.held_out import HeldOutLines, folds_of, pair_scores, paired_auroc, residual_spread
from pharmacell.drug_panel.linear import LinearChoice, LinearPanel
from pharmacell.drug_panel.mutations import EventEffects, learn_effects
from pharmacell.drug_panel.platform import platform_offset
from pharmacell.drug_panel.profiles import BulkScale, shared_genes
from pharmacell.drug_panel.responses import Responses, read_responses
from pharmacell.drug_panel.shifted import pseudo_bulks
from pharmacell.linear.weighted_ridge import WeightedRidge

FEWEST_LINES = 300  # of a drug that counts
BASELINE = LinearChoice(penalty=2.0, tissue_weight=4.0)
DRAWS = 200
LUNG = "lung_NSCLC"


def correlation(truth: np.ndarray, found: np.ndarray) -> float:
    """Return the mean over lines of the rank correlation over drugs."""
    values = []
    for row, said in zip(truth, found, strict=True):
        known = np.isfinite(row)
        values.append(np.corrcoef(rankdata(row[known]), rankdata(said[known]))[0, 1])
    return float(np.mean(values))


def four_scores(truth: np.ndarray, found: np.ndarray) -> tuple[float, ...]:
    """Return pairs, specific, absolute and relative."""
    relative = correlation(truth - np.nanmean(truth, 0), found - found.mean(0))
    return (*pair_scores(truth, found, np.zeros(len(truth))), correlation(truth, found), relative)


def own_deviations(lines: np.ndarray) -> tuple[np.ndarray, Standardiser]:
    """Standardise each gene by its own deviation over the lines, as the baseline does."""
    own = line_profiles(lines).astype(np.float32)
    scaler = Standardiser.fit([own])
    return scaler.apply(own), scaler


def baseline(
    lines: np.ndarray,
    counts: np.ndarray,
    learned: np.ndarray,
    tissues: np.ndarray,
    reference: np.ndarray | None = None,
) -> np.ndarray:
    """Predict pseudo-bulks by ridge regression, lines of the tissue counted four times.

    With the counts of a reference, the mean difference of its lines from those of the tissue is taken off, as the panel
    does it.
    """
    x, scaler = own_deviations(lines)

    def profiles(of: np.ndarray) -> np.ndarray:
        logged = np.log1p(of / of.sum(1, keepdims=True) * 1e4)
        return (line_profiles(logged).astype(np.float32) - scaler.mean) / scaler.std

    asked = profiles(counts)
    if reference is not None:
        asked = asked - (profiles(reference) - x[tissues == LUNG].mean(0)).mean(0)
    weights = np.where(tissues == LUNG, BASELINE.tissue_weight, 1.0)
    ridge = WeightedRidge((x @ x.T).astype(float), weights, BASELINE.penalty * x.shape[1])
    return ridge.hat((asked @ x.T).astype(float)) @ learned


def sample_rows(path: Path, bulk: ad.AnnData, responses: Responses, choice: LinearChoice, effects: EventEffects):
    """Yield ``(what, truth, found)`` of one sample of known lines."""
    cells = ad.read_h5ad(path)
    names = sorted(cells.obs["line"].astype(str).unique())
    keys = [line_key(name) for name in names]
    kept = ~bulk.obs_names.isin(KNOWN)
    genes = shared_genes(bulk.var_names, cells.var_names)
    counts = np.stack(
        [np.asarray(cells[cells.obs["line"] == one, genes].layers["counts"].sum(0)).ravel() for one in names]
    )
    lines, own = (np.asarray(bulk[rows, genes].X, np.float32) for rows in (kept, keys))
    tissues = bulk.obs["tissue"].to_numpy(str)[kept]
    learned = responses.learned(np.flatnonzero(kept))
    truth = responses.z[bulk.obs_names.get_indexer(keys)]
    scale = BulkScale.fit(lines, genes)
    members = LinearPanel(scale, learned, tissues, LUNG, choice)
    yield "ridge, lines of the tissue counted 4 times (baseline)", truth, baseline(lines, counts, learned, tissues)
    profiles = scale.of_counts(counts)
    yield "panel without a reference of the platform", truth, members.z(profiles)
    reference = reference_counts()
    reference = reference.loc[:, reference.columns.get_level_values("plate") != path.stem]
    of_genes = reference.reindex(genes).fillna(0).to_numpy(float).T
    yield "baseline, cells of the other plate", truth, baseline(lines, counts, learned, tissues, of_genes)
    found = platform_offset(scale, bulk.obs_names[kept], tissues, reference)
    levelled = members.z(profiles - found.share_shown(profiles) * found.offset)
    yield "panel, cells of the other plate", truth, levelled
    yield "the same, driver events of each line", truth, levelled + event_shifts(effects, keys, levelled.shape[1])
    apart = [profiles[[row]] - other_lines(scale, bulk, kept, reference, key, profiles) for row, key in enumerate(keys)]
    yield "panel, other lines of the other plate (absolute alone)", truth, members.z(np.concatenate(apart))
    yield "panel on the lines' own bulk profiles", truth, members.z(scale.scaler.apply(line_profiles(own)))


def event_shifts(effects: EventEffects, keys: list[str], n_drugs: int) -> np.ndarray:
    """Return what the driver events of lung lines add to z, [n_lines, n_drugs]."""
    place = effects.place(LUNG)
    table = driver_events(pd.Index(keys))
    return np.stack([effects.shift(list(row.index[row == 1]), n_drugs)[0][place] for _, row in table.iterrows()])


def other_lines(
    scale: BulkScale, bulk: ad.AnnData, kept: np.ndarray, reference: pd.DataFrame, line: str, profiles: np.ndarray
) -> np.ndarray:
    """Return what the platform adds, as other lines of the reference and their own bulk profiles show it."""
    own = reference.loc[:, reference.columns.get_level_values("line") != line]
    rows = kept | bulk.obs_names.isin(own.columns.get_level_values("line"))
    x = scale.scaler.apply(line_profiles(np.asarray(bulk[rows, scale.genes].X, np.float32)))
    found = platform_offset(replace(scale, x=x), bulk.obs_names[rows], bulk.obs["tissue"].to_numpy(str)[rows], own)
    return found.share_shown(profiles) * found.offset


def within_tissue(truth: np.ndarray, cut: np.ndarray, found: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return Spearman correlation and AUROC of each drug, within tissue and fold, [2, n_drugs]."""
    values = np.full((2, truth.shape[1]), np.nan)
    for drug in range(truth.shape[1]):
        known = np.isfinite(truth[:, drug])
        own = pd.DataFrame({"truth": truth[known, drug], "found": found[known, drug], "group": groups[known]})
        ranks = own.groupby("group")[["truth", "found"]].rank()
        centred = ranks - ranks.groupby(own["group"]).transform("mean")
        if centred["found"].any():  # the mean of a tissue has no order
            values[0, drug] = np.corrcoef(centred["truth"], centred["found"])[0, 1]
        values[1, drug] = paired_auroc(
            own["truth"].to_numpy() <= cut[drug], -own["found"].to_numpy(), pd.factorize(own["group"])[0]
        )[0]
    return values


def interval(draws: list) -> str:
    """Say the 95 % interval of draws."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{low:.3f} to {high:.3f}"


KNOWN: set[str] = set()


@click.command()
@click.option("--bulk", "folder", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--seed", default=0)
@click.argument("samples", nargs=-1, type=click.Path(path_type=Path, exists=True))
def main(folder: Path, seed: int, samples: tuple[Path, ...]) -> None:
    """Print the tables."""
    bulk = ad.read_h5ad(folder / "bulk.h5ad")
    responses = read_responses(bulk, pd.read_parquet(folder / "response.parquet"))
    counted = np.isfinite(responses.z).sum(0) >= FEWEST_LINES
    for path in samples:
        KNOWN.update(line_key(str(name)) for name in ad.read_h5ad(path, backed="r").obs["line"].unique())
    kept = np.flatnonzero(~bulk.obs_names.isin(KNOWN))
    seen = Responses(
        responses.lines[kept],
        responses.drugs,
        responses.z[kept],
        responses.value[kept],
        responses.cut,
        responses.reliability,
        [],
    )
    expression, tissues = np.asarray(bulk.X[kept], np.float32), bulk.obs["tissue"].to_numpy(str)[kept]
    scale, fold = BulkScale.fit(expression, list(bulk.var_names)), folds_of(tissues, seed)
    groups = np.array([f"{tissue} {one}" for tissue, one in zip(tissues, fold, strict=True)])
    profiles = scale.of_counts(pseudo_bulks(expression, fold, generator(seed, "panel pseudo-bulks")))
    choice, table, as_cells = choose(HeldOutLines.of(scale, profiles, seen, tissues, fold), groups)
    print(pd.DataFrame(table).round(3).to_string(index=False), choice, sep="\n", flush=True)
    effects = learn_effects(seen.lines, seen.z - as_cells, list(describe_drugs(seen.drugs)["target"]), tissues)
    half = 1.96 * residual_spread(seen, as_cells)[counted]  # over lines; that over cells is small beside it
    rng = generator(seed, "drawn")
    for path in samples:
        for what, truth, found in sample_rows(path, bulk, responses, choice, effects):
            truth, found = truth[:, counted], found[:, counted]
            within = np.abs(truth - found)[np.isfinite(truth)] < np.broadcast_to(half, truth.shape)[np.isfinite(truth)]
            drawn = rng.integers(truth.shape[1], size=(DRAWS, truth.shape[1]))
            draws = np.array([four_scores(truth[:, own], found[:, own]) for own in drawn])
            names = ("pairs", "specific", "absolute", "relative")
            told = (
                f"{name} {value:.3f} ({interval(draw)})"
                for name, value, draw in zip(names, four_scores(truth, found), draws.T, strict=True)
            )
            print(path.stem, what, *told, f"measured within the interval {within.mean():.3f}", sep=" | ", flush=True)
    own = HeldOutLines.of(scale, scale.x, seen, tissues, fold)
    mean, difference = own.predict(choice)
    plain = own.predict(LinearChoice(BASELINE.penalty, 1.0))
    rows = {
        "mean of the tissue": mean,
        "ridge for each drug": sum(plain),
        "panel": mean + difference,
        "panel, lines as pseudo-bulks": as_cells,
    }
    for what, found in rows.items():
        values = within_tissue(seen.z[:, counted], seen.cut[counted], found[:, counted], groups)
        drawn = rng.integers(values.shape[1], size=(DRAWS, values.shape[1]))
        pairs, specific = pair_scores(seen.z[:, counted], found[:, counted], groups)
        print(
            what,
            f"Spearman {values[0].mean():.3f} ({interval([values[0, one].mean() for one in drawn])})",
            f"AUROC {np.nanmean(values[1]):.3f} ({interval([np.nanmean(values[1, one]) for one in drawn])})",
            f"pairs {pairs:.3f} | specific {specific:.3f}",
            f"cisplatin {values[1, list(np.array(seen.drugs)[counted]).index('Cisplatin')]:.3f}",
            sep=" | ",
            flush=True,
        )


if __name__ == "__main__":
    main()
