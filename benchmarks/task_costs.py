"""Processor time of single steps as a user runs them, each in a fresh process."""

import sys
import tempfile
from pathlib import Path

from fresh_process import cost
from machine import Row
from synthetic_files import COMMANDS

PROJECT = COMMANDS.parent
SMALL_SAMPLE = PROJECT / "tests" / "data" / "cells_plx4720.tsv.gz"  # 160 cells
QC_BAR, ENGINE_BAR = 12.0, 7.0  # CPU seconds


def measure(threads: int):
    """Yield the processor time of QC and of the engine's start; ``tasks.py`` has those of a run's other steps."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        qc = [sys.executable, COMMANDS / "qc.py", "--input", SMALL_SAMPLE, "--min_genes", "50", "--sample", "s"]
        found = cost([*qc, "--threads", str(threads)], folder)
        yield Row("qc of 160 cells, start-up included: CPU seconds", found.cpu, "s", QC_BAR)
        start = [sys.executable, COMMANDS / "start_engine.py", "run", PROJECT / "main.nf", "--input", "none.csv"]
        yield Row("engine, start to the check of params: CPU seconds", cost(start, folder, 1).cpu, "s", ENGINE_BAR)
