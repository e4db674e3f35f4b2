#!/usr/bin/env python3
"""Make the test data of this folder from GDSC (see README.md): ``PYTHONPATH=bin python tests/data/make.py``."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd

from pharmacell.core.seeds import generator
from pharmacell.data.load_bulk import load_gdsc_bulk
from pharmacell.data.response import merge_releases
from pharmacell.data.simulate import simulate_counts

FOLDER = Path(__file__).parent
DRUGS = ("Cisplatin", "PLX-4720", "Docetaxel", "Vorinostat")
N_LINES, N_GENES, N_EXTREME, N_CELLS = 240, 600, 4, 20


def main() -> None:
    """Write bulk_expression.csv, bulk_response.csv, cells_cisplatin.h5ad and cells_plx4720.tsv.gz."""
    bulk = load_gdsc_bulk(None)
    measurements = bulk.measurements[bulk.measurements["drug"].isin(DRUGS)]
    response = merge_releases(measurements, "ln_ic50").pivot(index="line", columns="drug", values="z").dropna()
    rng = generator(0, "test data")
    lines = rng.permutation(response.index.to_numpy(str))
    kept, others = np.sort(lines[:N_LINES]), response.loc[np.sort(lines[N_LINES:])]
    genes = choose_genes(bulk.expression.loc[response.index], response)

    bulk.expression.loc[kept, genes].round(2).to_csv(FOLDER / "bulk_expression.csv", index_label="line")
    table = measurements[measurements["line"].isin(kept)].groupby(["line", "drug", "database"])["value"].mean().round(3)
    table.reset_index().to_csv(FOLDER / "bulk_response.csv", index=False)

    cells = simulate(bulk.expression[genes], others["Cisplatin"], rng)
    cells.write_h5ad(FOLDER / "cells_cisplatin.h5ad", compression="gzip")
    cells = simulate(bulk.expression[genes], others["PLX-4720"], rng)
    table = cells.to_df().astype(int)
    table.insert(0, "response", cells.obs["response"])
    same_bytes = {"method": "gzip", "mtime": 0}
    table.to_csv(FOLDER / "cells_plx4720.tsv.gz", sep="\t", index_label="cell", compression=same_bytes)


def choose_genes(expression: pd.DataFrame, response: pd.DataFrame) -> list[str]:
    """Choose the genes whose expression goes most with the response to any of the drugs."""
    correlation = [expression.corrwith(response[drug]).abs() for drug in DRUGS]
    strongest = pd.concat(correlation, axis=1).max(axis=1)
    return sorted(strongest.sort_values(ascending=False).index[:N_GENES])


def simulate(expression: pd.DataFrame, z: pd.Series, rng: np.random.Generator) -> ad.AnnData:
    """Simulate cells of the most sensitive and the most resistant of the lines that are not in the bulk table."""
    ordered = z.sort_values().index
    lines = np.concatenate([ordered[:N_EXTREME], ordered[-N_EXTREME:]]).astype(str)
    counts = simulate_counts(expression.loc[lines].to_numpy(), N_CELLS, rng, depth=1500)
    origin = np.repeat(lines, N_CELLS)
    obs = pd.DataFrame({"line": origin, "response": np.repeat([1] * N_EXTREME + [0] * N_EXTREME, N_CELLS)})
    obs.index = [f"{line}_{number % N_CELLS}" for number, line in enumerate(origin)]
    uns = {"pharmacell": {"simulated": True}}
    return ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=expression.columns), uns=uns)


if __name__ == "__main__":
    main()
