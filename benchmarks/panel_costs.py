"""What PREDICT_PANEL costs, each run in a fresh process, the bulk stage at hand.

    bin/prepare_bulk.py --drug all --outdir bulk
    bin/pretrain_panel.py --bulk bulk/bulk.h5ad --response bulk/response.parquet --outdir panel_model
    PYTHONPATH=bin .venv/bin/python benchmarks/panel_costs.py bulk panel_model cells --sizes 1200,100000
    PYTHONPATH=bin .venv/bin/python benchmarks/panel_costs.py bulk panel_model patients --sizes 2000

``cells``: prepared samples of synthetic cells, grouped by clusters. ``patients``: tables of tissue, a row a patient.
"""

import sys
import tempfile
from pathlib import Path

import anndata as ad
import click
import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, write_elem
from fresh_process import cost
from synthetic_files import COMMANDS, write_counts

N_COMPONENTS, KINDS = 20, 6


def write_cells(path: Path, n_cells: int, genes: list[str]) -> None:
    """Write counts with principal components of a few kinds of cells, as QC leaves them."""
    rng = np.random.default_rng(1)
    write_counts(path, n_cells, genes)
    kind = rng.integers(KINDS, size=n_cells)
    places = rng.normal(0, 8, (KINDS, N_COMPONENTS))[kind] + rng.normal(size=(n_cells, N_COMPONENTS))
    with h5py.File(path, "r+") as file:
        write_elem(file, "layers/counts", read_elem(file["X"]))
        write_elem(file, "obsm/X_pca", places.astype(np.float32))
        write_elem(file, "uns", {"pharmacell": {"sample": path.stem, "scale": "counts", "simulated": True}})


def write_patients(path: Path, n_rows: int, genes: list[str]) -> None:
    """Write a prepared table of tissue: every gene is there, values are logged by ten thousand."""
    rng = np.random.default_rng(1)
    level = rng.normal(0, 1.5, len(genes))
    rows = np.exp(level + rng.normal(0, 0.5, (n_rows, len(genes)))).astype(np.float32)
    x = np.log1p(rows / rows.sum(1, keepdims=True) * 1e4)
    sample = ad.AnnData(x, pd.DataFrame(index=[f"p{one}" for one in range(n_rows)]), pd.DataFrame(index=genes))
    sample.uns["pharmacell"] = {"sample": path.stem, "scale": "tpm", "simulated": True}
    sample.write_h5ad(path)


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("model", type=click.Path(path_type=Path, exists=True))
@click.argument("what", type=click.Choice(["cells", "patients"]))
@click.option("--sizes", default="1200,100000", show_default=True, help="Rows of a sample, separated by commas.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
def main(bulk: Path, model: Path, what: str, sizes: str, threads: int) -> None:
    """Print wall time, processor time and peak memory of each size."""
    genes = ad.read_h5ad(bulk / "bulk.h5ad", backed="r").var_names.tolist()
    for size in map(int, sizes.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (write_cells if what == "cells" else write_patients)(folder / "sample.h5ad", size, genes)
            command = [
                sys.executable,
                COMMANDS / "predict_panel.py",
                "--model",
                model.resolve(),
                "--sample",
                "sample.h5ad",
            ]
            command += ["--bulk", (bulk / "bulk.h5ad").resolve(), "--response", (bulk / "response.parquet").resolve()]
            found = cost([*command, "--threads", str(threads)], folder)
            written = sum(file.stat().st_size for file in (folder / "panel").iterdir()) / 1e6
        click.echo(
            f"PREDICT_PANEL, {size:,} {what} x {len(genes)} genes, all drugs: {found.wall:.0f} s, "
            f"{found.cpu:.0f} CPU s, {found.peak:.2f} GiB, {written:.0f} MB written"
        )


if __name__ == "__main__":
    main()
