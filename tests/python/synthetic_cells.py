"""Small synthetic lines and cells in which a few genes carry the response, for tests of the model side."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp
import torch

from pharmacell.data.lines import Lines
from pharmacell.response.pretrain_bulk import Pretrained, pretrain
from pharmacell.response.settings import ATSDPConfig, Configuration
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.settings import TrainingConfig

GENES = [f"GENE{number}" for number in range(60)]
DRUG = "Testplatin"
CPU = torch.device("cpu")
CONFIG = ATSDPConfig(bottleneck=16, encoder=(24,), predictor=(12,), dropout=0.2, heads=4)
TRAINING = TrainingConfig(epochs=3, patience=2, batch_size=32, learning_rate=3e-3)
SHIFTED = {"validation": "shifted", "ensemble": True, "noise": "thinning"}  # what the default configuration adds


def expression(n_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return expression [n_rows, n_genes] and the sensitivity [n_rows] that its first ten genes carry."""
    sensitivity = rng.normal(size=n_rows)
    x = rng.normal(size=(n_rows, len(GENES)))
    x[:, :10] += 1.5 * sensitivity[:, None]
    return x.astype(np.float32), sensitivity


def make_lines(n_lines: int = 90, seed: int = 0) -> Lines:
    """Return lines of which the most sensitive 30 % are labelled 1."""
    x, sensitivity = expression(n_lines, np.random.default_rng(seed))
    names = pd.Index([f"LINE{number}" for number in range(n_lines)])
    return Lines(
        x=x,
        genes=list(GENES),
        response=pd.Series(sensitivity, names),
        labels=pd.Series((sensitivity > np.quantile(sensitivity, 0.7)).astype(int), names),
        origin=pd.DataFrame({"database": "test", "tissue": "unknown"}, names),
        n_genes_bulk=len(GENES),
    )


def write_cells(
    path: Path,
    n_cells: int = 70,
    sparse: bool = True,
    truth: bool = True,
    seed: int = 1,
    genes: list[str] | None = None,
) -> Path:
    """Write a sample as ``qc`` does; negative values become 0, so that it can be sparse."""
    x, sensitivity = expression(n_cells, np.random.default_rng(seed))
    x = np.maximum(x, 0)
    obs = pd.DataFrame({"n_genes": (x > 0).sum(1)}, [f"cell{number}" for number in range(n_cells)])
    if truth:
        obs["pharmacell_truth"] = (sensitivity > 0).astype(np.int8)
    cells = ad.AnnData(sp.csr_matrix(x) if sparse else x, obs, pd.DataFrame(index=genes or GENES))
    cells.obsm["X_pca"] = x[:, :10] - x[:, :10].mean(0)
    cells.uns["pharmacell"] = {"sample": "s", "scale": "log1p", "simulated": True, "genes_matched": 1.0}
    cells.write_h5ad(path)
    return path


def write_bulk(folder: Path, lines: Lines | None = None) -> tuple[Path, Path]:
    """Write lines as ``prepare_bulk`` does; returns the paths of bulk.h5ad and response.parquet."""
    lines = lines or make_lines()
    bulk = ad.AnnData(lines.x, lines.origin, pd.DataFrame(index=lines.genes))
    bulk.uns["pharmacell"] = {"kind": "bulk", "database": "test", "scale": "zscore"}
    bulk.write_h5ad(folder / "bulk.h5ad")
    table = pd.DataFrame(
        {
            "drug": DRUG,
            "line": lines.labels.index,
            "value": -lines.response.to_numpy(),
            "z": -lines.response.to_numpy(),
            "measure": "ln_ic50",
            "label": lines.labels.to_numpy(np.int8),
        }
    )
    table.to_parquet(folder / "response.parquet")
    return folder / "bulk.h5ad", folder / "response.parquet"


def pretrain_small(
    lines: Lines | None = None, training: TrainingConfig = TRAINING, n_replicas: int = 2, seed: int = 7
) -> Pretrained:
    """Pretrain a small stack on the CPU."""
    return pretrain(lines or make_lines(), Configuration(CONFIG, training), n_replicas, TrainingRun(seed, CPU))


def weights_of(model, replica: int | None = None) -> dict[str, np.ndarray]:
    """Return a copy of all weights of a stack, or of one of its replicas."""
    rows = slice(None) if replica is None else slice(replica, replica + 1)
    return {name: value[rows].numpy().copy() for name, value in model.state_dict().items()}


def equal(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    """Tell whether two sets of weights are the same to the last bit."""
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)
