"""Processor time of single steps as a user runs them, each in a fresh process."""

import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, write_elem
from fresh_process import cost
from machine import N_GENES, Row
from predict_memory import train_model
from synthetic_files import COMMANDS, write_cells

from pharmacell.response.columns import CLASS_NAMES, OBS_LABEL, OBS_PROBABILITY

PROJECT = COMMANDS.parent
SMALL_SAMPLE = PROJECT / "tests" / "data" / "cells_plx4720.tsv.gz"  # 160 cells
N_CELLS = 1200  # as many as the demo has
QC_BAR, EXPLAIN_BAR, ENGINE_BAR = 12.0, 40.0, 7.0  # CPU seconds


def measure(threads: int):
    """Yield the processor time of QC, of an explanation and of the engine's start."""
    with tempfile.TemporaryDirectory() as name:
        folder, shared = Path(name), ["--sample", "s", "--threads", str(threads)]
        qc = [sys.executable, COMMANDS / "qc.py", "--input", SMALL_SAMPLE, "--min_genes", "50", *shared]
        yield Row("qc of 160 cells, start-up included: CPU seconds", cost(qc, folder).cpu, "s", QC_BAR)
        train_model(folder, threads)
        write_predicted(folder / "predicted.h5ad")
        files = ["--model", "s.model.safetensors", "--target", "predicted.h5ad"]
        found = cost([sys.executable, COMMANDS / "key_genes.py", *files, *shared], folder)
        yield Row(f"key_genes, {N_CELLS:,} cells x {N_GENES} genes: CPU seconds", found.cpu, "s", EXPLAIN_BAR)
        yield Row("the same: peak memory", found.peak, "GiB", 2.0)
        start = [sys.executable, COMMANDS / "start_engine.py", "run", PROJECT / "main.nf", "--input", "none.csv"]
        yield Row("engine, start to the check of params: CPU seconds", cost(start, folder, 1).cpu, "s", ENGINE_BAR)


def write_predicted(path: Path) -> None:
    """Write random cells as ``predict`` does, every other one sensitive."""
    write_cells(path, N_CELLS, N_GENES)
    with h5py.File(path, "r+") as file:
        labels = np.arange(N_CELLS) % 2
        obs = read_elem(file["obs"]).assign(
            **{OBS_PROBABILITY: 0.2 + 0.6 * labels, OBS_LABEL: pd.Categorical.from_codes(labels, CLASS_NAMES)}
        )
        write_elem(file, "obs", obs)
