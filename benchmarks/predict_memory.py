"""Peak memory and speed of ``predict`` on a large sparse sample, in a fresh process."""

import subprocess
import sys
import tempfile
from pathlib import Path

from fresh_process import cost
from machine import N_GENES, Row
from synthetic_files import COMMANDS, write_cells, write_lines

REPLICAS = 5
GIB = 2.0


def train_model(folder: Path, threads: int) -> None:
    """Train a stack of the default size for one epoch of each stage on a few lines and cells; writes s.model.*."""
    write_lines(folder, 60, N_GENES)
    write_cells(folder / "few.h5ad", 60, N_GENES)
    data = ["--bulk", "bulk.h5ad", "--response", "response.parquet", "--drug", "d", "--target", "few.h5ad"]
    shared = ["--sample", "s", "--epochs", "1", "--threads", str(threads), "--device", "cpu"]
    for command in (
        ["pretrain_bulk.py", "--n_replicas", str(REPLICAS)],
        ["finetune_sc.py", "--pretrained", "s.pretrained.safetensors", "--split", "s.split.csv"],
    ):
        subprocess.run(
            [sys.executable, COMMANDS / command[0], *command[1:], *data, *shared],
            cwd=folder,
            check=True,
            capture_output=True,
        )


def measure(n_cells: int, threads: int):
    """Yield peak memory and speed of the command, start-up and writing included."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cells(folder / "s.h5ad", n_cells, N_GENES)
        train_model(folder, threads)
        command = [
            sys.executable,
            COMMANDS / "predict.py",
            "--model",
            folder / "s.model.safetensors",
            "--sample",
            "s",
            "--target",
            folder / "s.h5ad",
            "--outdir",
            folder,
            "--threads",
            str(threads),
            "--device",
            "cpu",
        ]
        found = cost(command, folder)
    yield Row(f"predict, {n_cells:,} cells x {N_GENES} genes: peak memory", found.peak, "GiB", GIB)
    yield Row("predict, start-up and writing included: cells per second", n_cells / found.wall, "/s")
