"""A small bulk data set of many drugs, and a sample of cells of some of its lines."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.data.driver_events import TABLE

N_LINES, N_GENES, N_DRUGS, N_CELLS = 90, 400, 50, 40
TISSUES = ("lung_NSCLC", "skin", "breast")
PLATFORM = 7  # seed of the genes' offsets between bulk and cells


def lines_and_drugs(seed: int = 0) -> tuple[pd.DataFrame, pd.Series, pd.DataFrame]:
    """Return expression (lines x genes), tissues, and z of the drugs (lines x drugs), which follow gene programmes."""
    rng = np.random.default_rng(seed)
    names = pd.read_csv(TABLE, dtype=str)["line"].iloc[:N_LINES]
    programmes = rng.normal(size=(N_LINES, 6))
    genes = (
        programmes @ rng.normal(size=(6, N_GENES)) + rng.normal(0, 0.7, (N_LINES, N_GENES)) + rng.normal(size=N_GENES)
    )
    genes = (genes - genes.mean(1, keepdims=True)) / genes.std(1, keepdims=True)
    z = programmes @ rng.normal(size=(6, N_DRUGS)) / 2.5 + rng.normal(0, 0.5, (N_LINES, N_DRUGS))
    z = (z - z.mean(0)) / z.std(0)
    expression = pd.DataFrame(genes.astype(np.float32), names, [f"GENE{one}" for one in range(N_GENES)])
    tissue = pd.Series(np.array(TISSUES)[np.arange(N_LINES) % 3], names)
    return expression, tissue, pd.DataFrame(z, names, [f"Drug {one}" for one in range(N_DRUGS)])


def write_bulk(folder: Path, without: tuple[str, ...] = (), rare: str | None = None) -> tuple[Path, Path]:
    """Write ``bulk.h5ad`` and ``response.parquet``; ``rare`` is a drug that twenty lines were given."""
    expression, tissue, z = lines_and_drugs()
    kept = ~expression.index.isin(without)
    expression, tissue, z = expression[kept], tissue[kept], z[kept]
    long = z.rename_axis("line").melt(ignore_index=False, var_name="drug", value_name="z").reset_index()
    long["value"] = 2 * long["z"] + 1
    long["label"] = (long["z"] <= long.groupby("drug")["z"].transform(lambda own: own.quantile(0.3))).astype(np.int8)
    long["reliability"] = 0.5
    if rare:
        long = long[(long["drug"] != rare) | (long.groupby("drug").cumcount() < 20)]
    folder.mkdir(parents=True, exist_ok=True)
    obs = pd.DataFrame({"database": "test", "tissue": tissue.to_numpy()}, index=expression.index)
    uns = {"pharmacell": {"kind": "bulk", "database": "test", "scale": "zscore_per_line", "notes": []}}
    ad.AnnData(expression.to_numpy(), obs=obs, var=pd.DataFrame(index=expression.columns), uns=uns).write_h5ad(
        folder / "bulk.h5ad"
    )
    long.to_parquet(folder / "response.parquet")
    return folder / "bulk.h5ad", folder / "response.parquet"


def write_cells(
    path: Path,
    lines: list[str],
    n_cells: int = N_CELLS,
    seed: int = 1,
    scale: str = "counts",
    offset: np.ndarray | None = None,
) -> Path:
    """Write a prepared sample: counts of cells of lines, which another platform read."""
    from sklearn.decomposition import PCA

    expression, _, _ = lines_and_drugs()
    offset = np.random.default_rng(PLATFORM).normal(0, 0.3, N_GENES) if offset is None else offset
    drawn = []
    for line in lines:
        rng = np.random.default_rng([seed, expression.index.get_loc(line)])  # a line's cells are the same in any sample
        rate = np.exp(expression.loc[line].to_numpy() + offset)
        drawn.append(rng.poisson(rate / rate.sum() * rng.lognormal(np.log(4000), 0.3, (n_cells, 1))))
    counts = np.concatenate(drawn).astype(np.float32)
    logged = np.log1p(counts / counts.sum(1, keepdims=True) * 1e4)
    obs = pd.DataFrame({"line": np.repeat(lines, n_cells), "kind": "tumour"}, [f"c{one}" for one in range(len(counts))])
    if scale == "zscore":
        x, layers = (logged - logged.mean(0)) / logged.std(0).clip(1e-3), {}
    else:
        x, layers = sparse.csr_matrix(logged), {"counts": sparse.csr_matrix(counts)} if scale == "counts" else {}
    sample = ad.AnnData(x, obs=obs, var=pd.DataFrame(index=expression.columns), layers=layers)
    sample.uns["pharmacell"] = {"sample": path.stem, "scale": scale}
    n = min(10, len(counts) - 1)
    sample.obsm["X_pca"] = PCA(n, random_state=0).fit_transform(logged).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    sample.write_h5ad(path)
    return path
