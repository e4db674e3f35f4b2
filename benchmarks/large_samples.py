#!/usr/bin/env python3
"""What QC, PREDICT and FIGURES cost by size of the sample, each in a fresh process.

    PYTHONPATH=bin .venv/bin/python benchmarks/large_samples.py --sizes 10000,100000,1000000 --table costs.csv \
        --figure costs.png

measures what the table lacks, adds it, and draws the whole table. A million cells take 10 minutes of processor time,
6 GB of disk and 4 GiB of memory at most.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bin"))
from fresh_process import cost
from machine import Row
from synthetic_files import COMMANDS, symbols, write_counts, write_lines

from pharmacell.data.cells import CellMatrix
from pharmacell.response.null_table import read_null, write_null

N_GENES, N_LINES, CELLS_TO_TRAIN = 6160, 60, 1000
STEPS = ("QC", "PREDICT", "FIGURES")
GIB = 4.0  # of each step, at every size
SECONDS_A_CELL = {"QC": 1 / 3000, "PREDICT": 1 / 5000}  # wall time, of a million cells on two cores
MILLION = 1_000_000
SIZES = (10_000, 100_000)
MODEL, NULL = "../s.model.safetensors", "s.null.safetensors"
COLUMNS = ("step", "cells", "threads", "cpu", "wall", "gib", "read_mb", "written_mb")


def prepare(folder: Path) -> None:
    """Train a stack of five networks on a few lines and cells, for one epoch of each stage."""

    def run(script: str, *arguments: str) -> None:
        command = [sys.executable, COMMANDS / script, *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    genes = symbols(N_GENES)
    write_lines(folder, N_LINES, genes)
    write_counts(folder / "few.h5ad", CELLS_TO_TRAIN, genes)
    run("qc.py", "--input", "few.h5ad", "--sample", "trained", "--min_genes", "0", "--min_cells", "0")
    data = ["--bulk", "bulk.h5ad", "--response", "response.parquet", "--drug", "d", "--target", "trained.h5ad"]
    shared = ["--sample", "s", "--epochs", "1", "--device", "cpu", *data]
    run("pretrain_bulk.py", "--n_replicas", "5", *shared)
    run("finetune_sc.py", "--pretrained", "s.pretrained.safetensors", "--split", "s.split.csv", *shared)


def commands(threads: int) -> dict[str, list[str | Path]]:
    """Return the command of each step, as the pipeline calls it for a sample whose cells are counted in raw.h5ad."""
    tables = {
        "qc_metrics": "s.qc_metrics.csv",
        "qc_summary": "s.qc_summary.json",
        "source_metrics": "../s.source_metrics.csv",
        "source_history": "../s.source_history.csv",
        "history": "../s.history.csv",
        "target": "s.predicted.h5ad",
        "predictions": "s.predictions.csv",
        "baselines": "s.baselines.csv",
        "significance": "s.significance.csv",
        "diagnostics": "s.diagnostics.json",
    }
    arguments = {
        "QC": ["qc.py", "--input", "raw.h5ad"],
        "PREDICT": ["predict.py", "--model", MODEL, "--null", NULL, "--target", "s.h5ad", "--device", "cpu"],
        "FIGURES": ["figures.py", *(word for name, file in tables.items() for word in (f"--{name}", file))],
    }
    shared = ["--sample", "s", "--threads", str(threads)]
    return {name: [sys.executable, COMMANDS / script, *rest, *shared] for name, (script, *rest) in arguments.items()}


def size_of(folder: Path) -> float:
    """Return the size of all files in a folder, MB."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def costs(n_cells: int, threads: int, folder: Path) -> Iterator[dict]:
    """Yield what each step costs for a sample of so many cells; ``folder`` holds what :func:`prepare` made.

    The commands run in a folder below it, which is gone at the end.
    """
    inside = folder / str(n_cells)
    inside.mkdir()
    write_counts(inside / "raw.h5ad", n_cells, symbols(N_GENES))
    read = {"QC": "raw.h5ad", "PREDICT": "s.h5ad", "FIGURES": "s.predicted.h5ad"}
    for step, command in commands(threads).items():
        if (
            step == "PREDICT"
        ):  # the null of the few cells that the model was trained with, for as many as there are here
            null = read_null(folder / NULL, CELLS_TO_TRAIN, N_GENES)
            write_null(null, len(CellMatrix(inside / "s.h5ad")), inside / NULL)
        before = size_of(inside)
        found = cost(command, inside)
        sizes = ((inside / read[step]).stat().st_size / 1e6, size_of(inside) - before)
        figures = (step, n_cells, threads, found.cpu, found.wall, found.peak, *sizes)
        yield dict(zip(COLUMNS, figures, strict=True))
    shutil.rmtree(inside)


def measure(sizes: tuple[int, ...], threads: int) -> Iterator[Row]:
    """Yield processor time, peak memory and disk use of each step; speed has a bar at a million cells."""
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        for n_cells in sizes:
            for found in costs(n_cells, threads, Path(name)):
                what = f"{found['step']}, {n_cells:,} cells x {N_GENES} genes"
                yield Row(f"{what}: CPU seconds", found["cpu"], "s")
                yield Row(f"{what}: peak memory", found["gib"], "GiB", GIB)
                yield Row(f"{what}: written", found["written_mb"], "MB")
                if n_cells >= MILLION and found["step"] in SECONDS_A_CELL:
                    bar = 1000 * SECONDS_A_CELL[found["step"]]
                    yield Row(f"{what}: wall time of a cell", 1000 * found["wall"] / n_cells, "ms", bar)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw processor time and peak memory against the number of cells; the legend says what a further cell costs."""
    from pharmacell.report.figures.style import BLUE, GREEN, ORANGE, VERMILION, panels, save

    figure, (time, memory) = panels(2, 2, "Cost of a sample by its size", False, size=(3.4, 2.6))
    for (step, part), colour in zip(table.groupby("step", sort=False), (BLUE, VERMILION, GREEN, ORANGE), strict=False):
        part = part.sort_values("cells")
        millions = part["cells"] / MILLION
        slope = (part["cpu"].iloc[-1] - part["cpu"].iloc[-2]) / (millions.iloc[-1] - millions.iloc[-2])
        words = f"{step}: {slope / 1000:.2g} ms a cell"
        time.plot(millions, part["cpu"], "o-", color=colour, markersize=4, label=words)
        memory.plot(millions, part["gib"], "o-", color=colour, markersize=4)
    memory.axhline(GIB, color="black", linestyle="--", linewidth=0.8)
    memory.text(0, GIB, "bar", va="bottom")
    time.set(xlabel="million cells", ylabel="CPU seconds", ylim=(0, 1.4 * table["cpu"].max()))
    memory.set(xlabel="million cells", ylabel="peak memory (GiB)", ylim=(0, 1.15 * GIB))
    time.legend(title="between the two largest sizes")
    _, svg = save(figure, path.parent, path.stem)
    svg.unlink()


@click.command()
@click.option(
    "--sizes", default=",".join(map(str, SIZES)), show_default=True, help="Numbers of cells, separated by commas."
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--table", "path", type=click.Path(path_type=Path), required=True, help="Figures, kept and added to.")
@click.option("--figure", type=click.Path(path_type=Path), required=True)
def run(sizes: str, threads: int, path: Path, figure: Path) -> None:
    """Measure what the table lacks and draw all of it."""
    table = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=list(COLUMNS))
    known = set(table.loc[table["step"] == STEPS[-1], "cells"])
    wanted = [int(size) for size in sizes.split(",") if int(size) not in known]
    with tempfile.TemporaryDirectory() as name:
        if wanted:
            prepare(Path(name))
        for n_cells in wanted:
            rows = pd.DataFrame(list(costs(n_cells, threads, Path(name))))
            table = rows if table.empty else pd.concat([table, rows], ignore_index=True)
            table.round(3).to_csv(path, index=False)
    draw(table, figure)


if __name__ == "__main__":
    run()
