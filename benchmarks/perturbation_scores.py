"""Full-size differential expression: reading it, scoring one prediction by every metric, comparing all models."""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from fresh_process import cost
from machine import Row
from synthetic_files import COMMANDS

from pharmacell.perturbation.metrics import RowScores, Scorer
from pharmacell.perturbation.models.registry import NETWORKS, NO_ENCODING, REGISTRY
from pharmacell.perturbation.protocols import PROTOCOLS
from pharmacell.perturbation.row_scores import COLUMNS, PAIR, PART, ZEROS, example_of
from pharmacell.perturbation.table import PerturbationTable

N_CELL_TYPES, N_COMPOUNDS, N_ROWS, N_GENES = 6, 146, 614, 18_211
SECONDS = 10.0
N_SEEDS, SUMMARY_SECONDS, SUMMARY_GIB = 5, 120.0, 3.0


def write_table(path: Path) -> None:
    """Write a table of the real one's shape; carbon chains stand for the molecules.

    Parameters
    ----------
    path
        Of the file.
    """
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


def write_row_scores(scores: RowScores, table: PerturbationTable, prediction: np.ndarray, folder: Path) -> None:
    """Write what all models, protocols and seeds leave; each is the same scores, a little moved.

    Parameters
    ----------
    scores
        Of one prediction of the table.
    table
        All rows.
    prediction
        What was scored, for the example rows, [n_rows, n_genes].
    folder
        Where the files go.
    """
    rng = np.random.default_rng(0)
    known = table.keys[list(PAIR)].assign(
        row=np.arange(len(table)), fold=np.arange(len(table)) % 5, **{PART: "test", ZEROS: 0.0}
    )
    for protocol in PROTOCOLS:
        for model in REGISTRY:
            parts = []
            for seed in range(N_SEEDS if model in NETWORKS else 1):
                encoding = "ordinal" if model in NETWORKS else NO_ENCODING
                said = {"model": model, "encoding": encoding, "protocol": protocol, "seed": seed}
                moved = RowScores(scores.value * rng.uniform(0.9, 1.1, scores.value.shape), scores.weight)
                parts.append(pd.concat([known, moved.table()], axis=1).assign(**said)[list(COLUMNS)])
            pd.concat(parts).to_parquet(folder / f"{model}_{protocol}.row_scores.parquet")
            example_of(parts[0], table.y, prediction).to_parquet(folder / f"{model}_{protocol}.examples.parquet")


def measure():
    """Yield the seconds of reading and of scoring, and what the summary of all models, protocols and seeds costs.

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
        scores = Scorer(table.y).score(prediction)
        scored = time.process_time() - start
        write_row_scores(scores, table, prediction, Path(folder))
        command = [sys.executable, COMMANDS / "kaggle_summary.py", "--de_train", path, "--row_scores", folder]
        summary = cost([*command, "--outdir", "out", "--threads", "1"], Path(folder))
    size = f"{N_ROWS} x {N_GENES}"
    yield Row(f"reading {size}", read, "s")
    yield Row(f"scoring {size} by every metric", scored, "s")
    yield Row(f"reading and scoring {size}", read + scored, "s", SECONDS)
    what = f"kaggle_summary of {len(REGISTRY)} models, {len(PROTOCOLS)} protocols, {N_SEEDS} seeds"
    yield Row(what, summary.cpu, "s", SUMMARY_SECONDS)
    yield Row("the same: peak memory", summary.peak, "GiB", SUMMARY_GIB)
