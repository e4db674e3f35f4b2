"""One process with five stacked replicas against five processes, start-up included."""

import subprocess
import sys
import tempfile
from pathlib import Path

from machine import Row, seconds
from synthetic_files import COMMANDS, symbols, write_counts, write_lines

REPLICAS, N_LINES, N_GENES, EPOCHS = 5, 240, 600, 20


def measure(threads: int):
    """Yield the time of one process with five replicas over that of five processes with one, one after another."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lines(folder, N_LINES, symbols(N_GENES))
        write_counts(folder / "s.h5ad", 2, symbols(N_GENES))

        def train(n_replicas: int, seed: int) -> None:
            subprocess.run(
                [
                    sys.executable,
                    COMMANDS / "pretrain_bulk.py",
                    "--bulk",
                    folder / "bulk.h5ad",
                    "--response",
                    folder / "response.parquet",
                    "--drug",
                    "d",
                    "--sample",
                    "s",
                    "--target",
                    folder / "s.h5ad",
                    "--outdir",
                    folder / f"{n_replicas}",
                    "--n_replicas",
                    str(n_replicas),
                    "--seed",
                    str(seed),
                    "--epochs",
                    str(EPOCHS),
                    "--patience",
                    str(EPOCHS),
                    "--threads",
                    str(threads),
                    "--device",
                    "cpu",
                ],
                check=True,
                capture_output=True,
            )

        one = seconds(lambda: train(REPLICAS, 0))
        five = seconds(lambda: [train(1, seed) for seed in range(REPLICAS)])
    yield Row(f"test size, {EPOCHS} epochs: 1 process of {REPLICAS} replicas", one, "s")
    yield Row(f"test size, {EPOCHS} epochs: {REPLICAS} processes of 1 replica", five, "s")
    yield Row("one process / five processes, start-up included", one / five, "x")
