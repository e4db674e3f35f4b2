"""How often verdicts were right, and how well each model did, on the sets of ``calibration_sets.py``.

    python benchmarks/verdict_table.py fresh.csv [--write_hits]
    python benchmarks/verdict_table.py calibration.csv fresh.csv

Verdicts are drawn anew from the evidence in the csv, by the rules of today. Hit rates that a verdict quotes come from
fresh sets alone. Intervals resample draws, whose sets share a model and a drug.
"""

from itertools import combinations
from pathlib import Path

import click
import numpy as np
import pandas as pd
from transfer_accuracy import interval

from pharmacell.response.columns import ALONE, ENSEMBLE
from pharmacell.response.verdict import HITS, judge

POOR, GOOD = 0.60, 0.70
VERDICTS = ("supported", "uncertain", "not supported")
YARDSTICK = "cells simulated as training never does, not seen when the rules were made"


@click.command()
@click.argument("tables", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--write_hits", is_flag=True, help="Write the table of hits that verdicts quote into the package.")
def main(tables: tuple[Path, ...], write_hits: bool) -> None:
    """Print verdicts beside what the predictions were worth, and the models beside each other."""
    table = pd.concat([pd.read_csv(path) for path in tables], ignore_index=True)
    table["verdict"] = [judge(row)[0] for row in table.to_dict("records")]
    table["draw"] = table["draw"].astype(str) + np.where(table["fresh"], " fresh", "")
    hits = show_verdicts(table)
    if write_hits:
        hits[["n_sets", "n_hits"]].assign(auroc=f"{GOOD:.2f}", yardstick=YARDSTICK).to_csv(HITS)
    fair = table[table["difficulty"] == "fair"]
    for mix, sets in fair.groupby("mix"):
        show_models(f"{mix}, fair", sets)
    show_models("twelve lines, fair", fair[fair["mix"] != "few lines"])


def show_verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Print and return how many sets of each verdict there are, and how many of them were good or poor."""
    table = table.assign(hit=table[ENSEMBLE] >= GOOD, poor=table[ENSEMBLE] < POOR)
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
    return found


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
