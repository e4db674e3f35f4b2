"""The small simulated table of tests/data, and short runs on it."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pharmacell.perturbation.settings import FitOptions
from pharmacell.perturbation.table import PerturbationTable

DATA = Path(__file__).parents[1] / "data" / "perturbation"
SMALL = DATA / "small"
CPU = torch.device("cpu")
ENCODINGS = ("ordinal", "smiles", "fingerprint", "embedding", "target_stats", "joint")


def small() -> PerturbationTable:
    """Return the committed table: 96 rows, 20 compounds, 6 cell types, 80 genes."""
    return PerturbationTable.read(SMALL / "de_train.parquet")


def write_embedding(folder: Path) -> Path:
    """Write a vector of six numbers for every compound of the test data."""
    smiles = pd.read_csv(DATA / "train_keys.csv")["SMILES"].unique()
    vectors = np.random.default_rng(0).normal(size=(len(smiles), 6))
    table = pd.DataFrame(vectors, columns=[f"v{number}" for number in range(6)]).assign(SMILES=smiles)
    table.to_parquet(folder / "vectors.parquet")
    return folder / "vectors.parquet"


def options(encoding: str, folder: Path | None = None, **more) -> FitOptions:
    """Return options for a short training."""
    vectors = write_embedding(folder) if encoding in ("embedding", "joint") and folder else None
    return FitOptions(**{"encoding": encoding, "epochs": 3, "batch_size": 32, "compound_embedding": vectors} | more)
