"""How often verdicts were right, what each fact tells by itself, and how well each model did, on sets of known truth.

    PYTHONPATH=bin .venv/bin/python benchmarks/verdict_table.py benchmarks/verdict_sets.csv
    PYTHONPATH=bin .venv/bin/python benchmarks/verdict_table.py calibration.csv fresh.csv
    PYTHONPATH=bin .venv/bin/python benchmarks/verdict_table.py fresh.csv [--write_hits]

The sets are those of ``calibration_sets.py``; ``verdict_sets.csv`` has the ones that docs/methods.md reports. Verdicts
are drawn anew from the evidence in the csv, by the rules of today. Hit rates that a verdict quotes come from fresh sets
alone. Intervals of models resample draws, whose sets share a model; those of facts resample drugs, because what is
known of a drug is the same in all of its draws.
"""

from itertools import combinations
from pathlib import Path

import click
import numpy as np
import pandas as pd
from scipy.stats import binomtest
from transfer_accuracy import interval

from pharmacell.response.columns import ALONE, ENSEMBLE
from pharmacell.response.verdict import HITS, judge

POOR, GOOD = 0.60, 0.70
VERDICTS = ("supported", "uncertain", "not supported")
YARDSTICK = "cells simulated as training never does, not seen when the rules were made"
RESAMPLES = 2000  # of drugs, and of verdicts among draws
# facts of a sample, and -1 where less is better; those that the verdict's rules read come first
FACTS = {
    "predictability_within_low": 1,
    "halves_p": -1,
    "response_reliability": 1,
    "genes_shared": 1,
    "share_beyond_range": -1,
    "n_cells": 1,
    "halves_agreement": 1,
    "predictability_pooled_low": 1,
    "source_auroc": 1,
    "shifted_auroc": 1,
    "expected_auroc": 1,
    "agreement_logistic": 1,
    "agreement_ridge": 1,
    "agreement_signature": 1,
    "replica_agreement": 1,
    "weight_network": 1,
    "separation_p": -1,
    "largest_deviation_p": -1,
    "own_spread_p": -1,
    "tissue_correlation": 1,
    "cell_axes": 1,
    "mmd_before": -1,
    "calibration_error": -1,
    "n_lines": 1,
}


@click.command()
@click.argument("tables", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--write_hits", is_flag=True, help="Write the table of hits that verdicts quote into the package.")
def main(tables: tuple[Path, ...], write_hits: bool) -> None:
    """Print verdicts beside what the predictions were worth, and the models beside each other."""
    table = pd.concat([pd.read_csv(path) for path in tables], ignore_index=True)
    table["verdict"] = [judge(row)[0] for row in table.to_dict("records")]
    table["draw"] = table["draw"].astype(str) + np.where(table["fresh"], " fresh", "")
    table = table.assign(hit=table[ENSEMBLE] >= GOOD, poor=table[ENSEMBLE] < POOR)
    hits = show_verdicts(table)
    show_facts(table)
    if write_hits:
        hits[["n_sets", "n_hits"]].assign(auroc=f"{GOOD:.2f}", yardstick=YARDSTICK).to_csv(HITS)
    fair = table[table["difficulty"] == "fair"]
    for mix, sets in fair.groupby("mix"):
        show_models(f"{mix}, fair", sets)
    show_models("twelve lines, fair", fair[fair["mix"] != "few lines"])


def show_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Print and return how many sets of each verdict there are, and how many of them were good or poor."""
    columns = {
        "n_sets": ("hit", "size"),
        "n_hits": ("hit", "sum"),
        "n_poor": ("poor", "sum"),
        "mean": (ENSEMBLE, "mean"),
    }
    for name in ("mix", "difficulty"):
        click.echo(table.groupby([name, "verdict"]).agg(**columns).round(3).to_string())
    found = table.groupby("verdict").agg(**columns).reindex(VERDICTS)
    found[["n_sets", "n_hits", "n_poor"]] = found[["n_sets", "n_hits", "n_poor"]].fillna(0).astype(int)
    click.echo(found.round(3).to_string())
    for name, row in found[found["n_sets"] > 0].iterrows():
        low, high = binomtest(int(row["n_hits"]), int(row["n_sets"])).proportion_ci(method="exact")
        click.echo(f"  {name}: {row['n_hits']:.0f} of {row['n_sets']:.0f}, exact interval {low:.2f} to {high:.2f}")
    for which, sets in (("fresh", table[table["fresh"]]), ("calibration", table[~table["fresh"]])):
        if len(sets):
            click.echo(f"  {which} sets, verdicts no better than by chance: p = {verdict_p(sets):.2f}")
    return found


def verdict_p(table: pd.DataFrame) -> float:
    """Return how often verdicts that are exchanged between draws follow the hits at least as well as the real ones.

    A draw's verdicts stay together, each with its mix, because they share the model and what is known of the drug.
    """
    rank = table["verdict"].map({name: -place for place, name in enumerate(VERDICTS)})
    ranks = table.assign(rank=rank).pivot(index="draw", columns="mix", values="rank")
    hits = table.pivot(index="draw", columns="mix", values="hit").loc[ranks.index].to_numpy(float)
    hits -= hits.mean()
    rng, values = np.random.default_rng(0), ranks.to_numpy(float)
    real = (hits * values).sum()
    permuted = [(hits * rng.permutation(values)).sum() for _ in range(RESAMPLES)]
    return float((1 + np.sum(np.array(permuted) >= real - 1e-9)) / (1 + RESAMPLES))


def show_facts(table: pd.DataFrame) -> None:
    """Print how well each fact by itself tells good sets from others: AUROC over sets, with intervals over drugs."""
    parts = {"all": table, "calibration": table[~table["fresh"]], "fresh": table[table["fresh"]]}
    parts |= dict(iter(table.groupby("mix")))
    rows = {
        fact: {name: fact_score(sets, sign * sets[fact]) for name, sets in parts.items()}
        for fact, sign in FACTS.items()
        if fact in table
    }
    click.echo(f"AUROC of each fact over sets, good ones (from {GOOD:.2f}) against the others")
    click.echo(pd.DataFrame(rows).T.to_string())


def fact_score(table: pd.DataFrame, fact: pd.Series) -> str:
    """Return the AUROC of a fact with its 95 % bootstrap interval over drugs; empty where it is always the same."""
    known = fact.notna().to_numpy()
    good, values = (table[ENSEMBLE] >= GOOD).to_numpy()[known], fact.to_numpy(float)[known]
    if len(np.unique(values)) < 2 or len(np.unique(good)) < 2:
        return ""
    drugs = pd.get_dummies(table["drug"][known]).to_numpy(float)  # [n_sets, n_drugs]
    above = np.sign(values[good][:, None] - values[~good]) / 2 + 0.5
    pairs = drugs[good].T @ above @ drugs[~good]  # of a good set of one drug and another set of a drug
    drawn = np.random.default_rng(0).multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), RESAMPLES)
    n_pairs = (drawn @ drugs[good].sum(0)) * (drawn @ drugs[~good].sum(0))
    with np.errstate(invalid="ignore"):  # a draw of drugs without sets of either kind has no AUROC
        low, high = np.nanquantile(np.einsum("rd,de,re->r", drawn, pairs, drawn) / n_pairs, (0.025, 0.975))
    return f"{above.mean():.2f} ({low:.2f} to {high:.2f})"


def show_models(what: str, table: pd.DataFrame) -> None:
    """Print each model's mean AUROC and differences between models, with intervals over draws."""
    models = [name for name in (ENSEMBLE, *ALONE) if name in table and table[name].notna().all()]
    click.echo(f"{what}, {len(table)} sets of {table['draw'].nunique()} draws")
    for kind, suffix in (("", ""), ("no neighbours: ", "_single")):
        click.echo(f"  {kind}" + ", ".join(f"{name} {table[name + suffix].mean():.3f}" for name in models))
    poor = ", ".join(f"{name} {(table[name] < POOR).sum()}" for name in models)
    click.echo(f"  below {POOR}: {poor}; lowest {table[ENSEMBLE].min():.2f}")
    for first, second in combinations(models, 2):
        click.echo(f"  {first} - {second}: {lead(table, first, second)}")


def lead(table: pd.DataFrame, first: str, second: str) -> str:
    """Return the mean lead of one column with its interval over draws."""
    gain = table[first] - table[second]
    low, high = interval(gain.groupby(table["draw"]).mean().to_numpy())
    return f"{gain.mean():+.3f} ({low:+.3f} to {high:+.3f}), better on {(gain > 0).mean():.0%}"


if __name__ == "__main__":
    main()
