"""Reading a full-size table of differential expression and scoring one prediction of it by every metric."""

import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from machine import Row

from pharmacell.perturbation.metrics import Scorer
from pharmacell.perturbation.table import PerturbationTable

N_CELL_TYPES, N_COMPOUNDS, N_ROWS, N_GENES = 6, 146, 614, 18_211
SECONDS = 10.0


def write_table(path: Path) -> None:
    """Write a table of the real one's shape; carbon chains stand for the molecules."""
    rng = np.random.default_rng(0)
    cell, compound = np.divmod(rng.permutation(N_CELL_TYPES * N_COMPOUNDS)[:N_ROWS], N_COMPOUNDS)
    keys = {
        "cell_type": [f"cell type {number}" for number in cell],
        "sm_name": [f"compound {number}" for number in compound],
        "sm_lincs_id": [f"LSM-{number}" for number in compound],
        "SMILES": ["C" * (number + 1) for number in compound],
        "control": [False] * N_ROWS,
    }
    genes = {f"GENE{number}": rng.normal(size=N_ROWS) for number in range(N_GENES)}  # float64, as the real file
    pq.write_table(pa.table(keys | genes), path)


def measure():
    """Yield the seconds of reading and of scoring, and their sum against the bar.

    These are seconds of processor time: an idle machine's clock shows no more, and a busy one changes them little.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "de_train.parquet"
        write_table(path)
        start = time.process_time()
        table = PerturbationTable.read(path)
        read = time.process_time() - start
    prediction = np.random.default_rng(1).normal(size=table.y.shape).astype(np.float32)
    start = time.process_time()
    Scorer(table.y).score(prediction).mean()
    scored = time.process_time() - start
    size = f"{N_ROWS} x {N_GENES}"
    yield Row(f"reading {size}", read, "s")
    yield Row(f"scoring {size} by every metric", scored, "s")
    yield Row(f"reading and scoring {size}", read + scored, "s", SECONDS)
