"""Processor time and peak memory of ``key_genes``, in a fresh process."""

import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, write_elem
from fresh_process import cost
from large_samples import N_GENES, prepare
from machine import Row
from synthetic_files import COMMANDS, symbols, write_counts

BARS = {1_200: (40.0, None), 20_000: (180.0, 2.0)}  # cells: CPU seconds, GiB


def write_predicted(folder: Path, n_cells: int) -> None:
    """Write s.h5ad, a sample behind quality control whose cells are said to be sensitive or resistant at random."""
    write_counts(folder / "raw.h5ad", n_cells, symbols(N_GENES))
    command = [sys.executable, COMMANDS / "qc.py", "--input", "raw.h5ad", "--sample", "s", "--min_genes", "0"]
    command += ["--min_cells", "0"]  # the model was made with every gene
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with h5py.File(folder / "s.h5ad", "r+") as file:
        obs = read_elem(file["obs"])
        sensitive = np.random.default_rng(1).random(len(obs)) < 0.4
        del file["obs"]
        write_elem(
            file,
            "obs",
            obs.assign(
                pharmacell_probability=np.where(sensitive, 0.8, 0.2),
                pharmacell_std=0.05,
                pharmacell_label=pd.Categorical(np.where(sensitive, "sensitive", "resistant")),
            ),
        )


def measure(threads: int, sizes: tuple[int, ...] = tuple(BARS)):
    """Yield processor time and peak memory for each number of cells, start-up and writing included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for n_cells in sizes:
            write_predicted(folder, n_cells)
            files = ["--model", "s.model.safetensors", "--target", "s.h5ad", "--sample", "s"]
            command = [sys.executable, COMMANDS / "key_genes.py", *files, "--device", "cpu", "--threads", str(threads)]
            found = cost(command, folder)
            seconds, memory = BARS.get(n_cells, (None, None))
            yield Row(f"key_genes, {n_cells:,} cells x {N_GENES} genes: CPU seconds", found.cpu, "s", seconds)
            yield Row("the same: peak memory", found.peak, "GiB", memory)
