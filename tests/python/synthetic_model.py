"""A small model by hand whose linear members know the answer, and cells that it explains; nothing is trained."""

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from synthetic_cells import CONFIG, TRAINING

from pharmacell.data.standardise import Standardiser
from pharmacell.response.baselines import LinearBaselines
from pharmacell.response.ensemble import Ensemble
from pharmacell.response.model_card import ModelCard, Penalties, Pretraining
from pharmacell.response.network import ATSDP
from pharmacell.response.settings import ATSDPConfig
from pharmacell.response.store import Bundle

GENES = [f"GENE{number}" for number in range(120)]
N_GENES, N_REPLICAS, PLANTED = len(GENES), 2, 6
CARD = ModelCard(
    Pretraining(
        seed=0,
        n_replicas=N_REPLICAS,
        training=TRAINING,
        genes_bulk=N_GENES,
        genes_shared=N_GENES,
        lines={"train": 70, "validation": 15, "test": 15},
        predictor_epochs=[3] * N_REPLICAS,
        penalties=Penalties(),
    ),
    drug="cisplatin",
)
NO_ATTENTION = ATSDPConfig(bottleneck=16, encoder=(24,), predictor=(12,), dropout=0.2, heads=0)


def network(config: ATSDPConfig = CONFIG) -> ATSDP:
    """Return an untrained stack."""
    return ATSDP(config, N_GENES, range(N_REPLICAS)).eval()


def planted_weights() -> np.ndarray:
    """Return weights: the first genes speak for sensitive, the next against it, the rest not at all."""
    weights = np.zeros(N_GENES, np.float32)
    weights[:PLANTED], weights[PLANTED : 2 * PLANTED] = 1, -1
    return weights


def linear_ensemble(network_weight: float = 0.0) -> Ensemble:
    """Return an ensemble whose linear members have the planted weights."""
    rest = (1 - network_weight) / 3
    shape = (N_REPLICAS, 4)
    return Ensemble(
        np.tile(planted_weights(), (N_REPLICAS, 3, 1)),
        np.full(shape, 0.3, np.float32),
        np.full(shape, 2, np.float32),
        np.array([network_weight, rest, rest, rest], np.float32),
        slope=1.0,
        intercept=0.0,
        network_slope=1.0,
        network_intercept=0.0,
    )


def bundle_of(model: ATSDP, ensemble: Ensemble | None) -> Bundle:
    """Return a model that leaves expression as it is."""
    plain = Standardiser(np.zeros(N_GENES, np.float32), np.ones(N_GENES, np.float32))
    baselines = LinearBaselines(np.zeros((3, N_GENES), np.float32), np.ones(3, np.float32), np.zeros(3, np.float32))
    return Bundle(model, list(GENES), plain, plain, baselines, CARD, ensemble)


def planted_cells(n_cells: int, labels: np.ndarray, seed: int = 2) -> np.ndarray:
    """Return expression [n_cells, n_genes] whose planted genes differ between the classes; none is negative."""
    x = np.random.default_rng(seed).normal(2, 0.7, size=(n_cells, N_GENES))
    return np.maximum(x + np.outer(labels - 0.5, planted_weights()), 0).astype(np.float32)


def write_predicted(
    path: Path, x: np.ndarray, labels: np.ndarray, truth: np.ndarray | None = None, groups: bool = False
) -> Path:
    """Write cells as ``predict`` does, with given predicted labels and true ones."""
    obs = pd.DataFrame(
        {
            "pharmacell_probability": 0.2 + 0.6 * labels,
            "pharmacell_std": 0.05,
            "pharmacell_label": pd.Categorical.from_codes(labels, ["resistant", "sensitive"]),
        },
        [f"cell_{number}" for number in range(len(x))],
    )
    if truth is not None:
        obs["pharmacell_truth"] = truth.astype(np.int8)
    if groups:
        obs["pharmacell_group"] = pd.Categorical([f"line{number % 8}" for number in range(len(x))])
    cells = ad.AnnData(x, obs, pd.DataFrame(index=GENES))
    cells.obsm["X_umap"] = x[:, :2]
    cells.uns["pharmacell"] = {"sample": "s", "scale": "log1p", "simulated": False}
    cells.write_h5ad(path)
    return path
