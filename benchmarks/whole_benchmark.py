"""The full default benchmark of the main model, shared and stacked, against one process for each fold."""

import subprocess
import sys
import tempfile
from pathlib import Path

import anndata as ad
import numpy as np
from machine import N_GENES, Row, seconds
from synthetic_files import COMMANDS, symbols, write_counts, write_lines

N_LINES, N_CELLS, EPOCHS = 944, 1200, 20  # those of the demo
REPEATS, FOLDS, HEADS = 10, 10, 6


def measure(threads: int):
    """Yield the time of 10 x 10 folds x 6 numbers of heads, and its ratio to a process for each fold.

    Both are extrapolated: the first from the autoencoders, one bulk stage and one slice of 10 folds, the second from
    the bulk stage and fit of one fold. Start-up, reading and writing are in all of them.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lines(folder, N_LINES, symbols(N_GENES))
        write_counts(folder / "raw.h5ad", N_CELLS, symbols(N_GENES))
        prepare = [sys.executable, COMMANDS / "qc.py", "--input", "raw.h5ad", "--sample", "s", "--min_genes", "0"]
        subprocess.run(prepare, cwd=folder, check=True, capture_output=True)
        cells = ad.read_h5ad(folder / "s.h5ad")
        cells.obs["pharmacell_truth"] = np.random.default_rng(0).integers(0, 2, N_CELLS).astype(np.int8)
        cells.write_h5ad(folder / "s.h5ad")

        def run(command: str, *arguments: str | int | Path) -> float:
            return seconds(
                lambda: subprocess.run(
                    [
                        sys.executable,
                        COMMANDS / f"{command}.py",
                        "--bulk",
                        folder / "bulk.h5ad",
                        "--target",
                        folder / "s.h5ad",
                        "--outdir",
                        folder,
                        "--threads",
                        str(threads),
                        "--device",
                        "cpu",
                        *map(str, arguments),
                    ],
                    check=True,
                    capture_output=True,
                )
            )

        drug = ("--response", folder / "response.parquet", "--drug", "d")
        sample = (*drug, "--sample", "s")
        run("plan_folds", *sample, "--models", "atsdp", "--repeats", REPEATS, "--folds", FOLDS)
        shared = run("pretrain_autoencoder", "--n_replicas", REPEATS, "--epochs", EPOCHS)
        bulk = run(
            "pretrain_bulk",
            *drug,
            "--sample",
            "bulk",
            "--n_replicas",
            REPEATS,
            "--epochs",
            EPOCHS,
            "--autoencoder",
            folder / "autoencoder.safetensors",
        )
        fits = (*sample, "--folds", folder / "s.folds.csv", "--model", "atsdp", "--epochs", EPOCHS)
        part = run(
            "cross_validate", *fits, "--slice", f"0:{FOLDS}", "--pretrained", folder / "bulk.pretrained.safetensors"
        )
        alone = run("pretrain_bulk", *drug, "--sample", "one", "--n_replicas", 1, "--epochs", EPOCHS)
        alone += run("cross_validate", *fits, "--slice", "0:1", "--pretrained", folder / "one.pretrained.safetensors")
    together, apart = shared + HEADS * (bulk + REPEATS * part), HEADS * REPEATS * FOLDS * alone
    yield Row(f"demo size, {EPOCHS} epochs: autoencoders of {REPEATS} repeats", shared, "s")
    yield Row("  bulk stage of 10 repeats, one number of heads", bulk, "s")
    yield Row(f"  one slice: {FOLDS} folds stacked", part, "s")
    yield Row("  bulk stage and fit of a single fold", alone, "s")
    yield Row(f"{REPEATS} x {FOLDS} folds x {HEADS} heads, extrapolated", together / 60, "min")
    yield Row("  against one process for each fold", together / apart, "x", 0.2)
