"""Makes the folder that predict_panel writes for one sample, small and quick, with a known answer."""

import json
from pathlib import Path

import anndata
import numpy as np
import pandas as pd

DRUGS = {"erlotinib": "EGFR", "afatinib": "EGFR", "crizotinib": "RTK", "nutlin <3>": "p53", "poor drug": None}
GROUPS = ("clone a", "clone b", "normal")


def write_panel_folder(folder: Path, sample: str = "tumour", n_cells: int = 60, truth: bool = True) -> Path:
    """Write the folder and return it: erlotinib hits clone a, crizotinib clone b, poor drug is not supported."""
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True)
    groups = np.array(GROUPS)[np.arange(n_cells) % 3]
    percentile = pd.DataFrame(0.5, index=list(GROUPS), columns=list(DRUGS))
    percentile.loc["clone a", "erlotinib"], percentile.loc["clone b", "crizotinib"] = 0.05, 0.1
    rows = [
        {
            "group": group,
            "drug": drug,
            "target": "",
            "pathway": DRUGS[drug],
            "n_cells": int((groups == group).sum()),
            "ln_ic50": 10 * percentile.loc[group, drug] - 3,
            "percentile": percentile.loc[group, drug],
            "low": 10 * percentile.loc[group, drug] - 5,
            "high": 10 * percentile.loc[group, drug] - 1,
            "probability": 1 - percentile.loc[group, drug],
            "share_sensitive": 0.5,
            "p": 0.01,
            "fdr": 0.05,
            "verdict": "not supported" if drug == "poor drug" else "supported" if drug == "erlotinib" else "uncertain",
            "predictability": 0.7,
            "driver_event": "ALK fusion" if drug == "crizotinib" else "",
        }
        for group in GROUPS
        for drug in percentile.loc[group].sort_values(kind="stable").index
    ]
    pd.DataFrame(rows).to_csv(folder / "panel.csv", index=False)
    cells = [f"cell_{number}" for number in range(n_cells)]
    probability = {drug: 1 - percentile.loc[groups, drug].to_numpy() + rng.normal(0, 0.02, n_cells) for drug in DRUGS}
    table = pd.DataFrame(probability).clip(0, 1).astype(np.float32)
    table.insert(0, "cell_id", cells)
    table.to_parquet(folder / "cells.parquet")
    pd.DataFrame(
        {
            "group": GROUPS,
            "n_cells": [n_cells // 3] * 3,
            "tissue": "lung",
            "nearest_line": "A549",
            "resemblance": 0.4,
            "flag": [np.nan, np.nan, "normal cells"],
            "general_sensitivity": 0.1,
            "general_percentile": 0.4,
        }
    ).to_csv(folder / "groups.csv", index=False)
    pd.DataFrame(
        [
            ("erlotinib", "crizotinib", "clone b", 0.1, 0.5, 0.4, 0.5),
            ("afatinib", "erlotinib", "clone b", 0.5, 0.5, 0.0, 0.5),
        ],
        columns=["drug_a", "drug_b", "worst_group", "worst_percentile", "better_single", "gain", "normal_percentile"],
    ).to_csv(folder / "combinations.csv", index=False)
    best = [
        {"drug": drug, "verdict": "supported", "words": f"{drug}: told apart"} for drug in ("erlotinib", "crizotinib")
    ]
    facts = {
        "groups": "3 groups of the column 'clone'",
        "tissue_source": "the sheet",
        "best_drugs": best,
        "notes": ["a note"],
    }
    if truth:
        facts["truth"] = {"share_of_pairs_in_order": 1.0, "pairs": 1}
    (folder / "panel.json").write_text(json.dumps(facts))
    if truth:
        measured = pd.DataFrame({"group": GROUPS[:2], "drug": "erlotinib", "ln_ic50": [-2.0, 3.0]})
        measured.to_csv(folder / "truth.csv", index=False)
    obs = pd.DataFrame({"pharmacell_panel_group": pd.Categorical(groups)}, index=cells)
    x = rng.poisson(0.5, (n_cells, 12)).astype(np.float32)
    x[:, 0] += 5 * (groups == "clone a")
    found = anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=[f"GENE{number}" for number in range(12)]))
    found.obsm["X_umap"] = (rng.normal(size=(n_cells, 2)) + 8 * (np.arange(n_cells) % 3)[:, None]).astype(np.float32)
    found.uns["pharmacell"] = {"sample": sample, "scale": "counts"}
    found.write_h5ad(folder / f"{sample}.h5ad")
    return folder
