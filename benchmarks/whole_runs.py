"""Whole runs by the engine: the demo, its three training steps, and eight small samples of one drug."""

import sys
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np
from fresh_process import Cost, cost
from machine import Row
from synthetic_files import COMMANDS
from tasks import by_process

DEMO_BAR, DEMO_WALL_BAR, TRAINING_BAR, EIGHT_WALL_BAR = 240.0, 200.0, 120.0, 300.0  # seconds
TRAINING = ["PRETRAIN_BULK", "FINETUNE_SC", "PREDICT"]
N_DRUGS = 2  # of the demo's sample
N_SAMPLES, CELLS, DRUG = 8, 100, "cisplatin"
LACKING = 20  # genes that each sample does not have


def by_engine(folder: Path, *arguments: str) -> Cost:
    """Run the pipeline in a folder."""
    return cost([sys.executable, COMMANDS / "start_engine.py", "run", COMMANDS.parent / "main.nf", *arguments], folder)


def simulate_cells(folder: Path) -> Path:
    """Make simulated cells of the built-in bulk data, as the engine's step does, and return their file."""
    for script, *arguments in (
        ("prepare_bulk.py", "--bulk", "gdsc", "--drug", DRUG),
        ("simulate_cells.py", "--bulk", "bulk.h5ad", "--response", "response.parquet", "--drug", DRUG),
    ):
        cost([sys.executable, COMMANDS / script, *arguments], folder)
    return folder / "simulated.h5ad"


def write_samples(simulated: Path, folder: Path) -> Path:
    """Write a sheet of eight samples of the simulated cells, each of other cells and without some genes of its own."""
    cells, rng = ad.read_h5ad(simulated), np.random.default_rng(0)
    rows = ["sample,path,drug,label_key"]
    for number in range(N_SAMPLES):
        chosen = np.sort(rng.choice(cells.n_obs, CELLS, replace=False))
        genes = np.sort(rng.choice(cells.n_vars, cells.n_vars - LACKING, replace=False))
        cells[chosen, genes].copy().write_h5ad(folder / f"s{number}.h5ad")
        rows.append(f"s{number},s{number}.h5ad,{DRUG},response")
    sheet = folder / "samples.csv"
    sheet.write_text("\n".join(rows) + "\n")
    return sheet


def measure():
    """Yield processor and wall time of the demo and of eight small samples without explanations."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = by_engine(folder, "-profile", "demo", "--outdir", "demo")
        yield Row("demo: CPU seconds", demo.cpu, "s", DEMO_BAR)
        yield Row("the same: wall time", demo.wall, "s", DEMO_WALL_BAR)
        steps = by_process(folder / "work")["cpu"]
        yield Row("its PRETRAIN_PANEL (little where it was kept): CPU seconds", steps["PRETRAIN_PANEL"], "s")
        of_drug = steps[TRAINING].sum() / N_DRUGS
        yield Row("its PRETRAIN_BULK, FINETUNE_SC and PREDICT, for a drug: CPU seconds", of_drug, "s", TRAINING_BAR)
        sheet = write_samples(simulate_cells(folder), folder)
        eight = by_engine(folder, "--input", sheet.name, "--skip_explain", "--outdir", "eight")
        yield Row(f"{N_SAMPLES} samples of {CELLS} cells, no explanations: wall time", eight.wall, "s", EIGHT_WALL_BAR)
        yield Row("the same: CPU seconds", eight.cpu, "s")
