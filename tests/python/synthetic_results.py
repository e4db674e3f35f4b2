"""Makes the files that earlier steps write for one sample, small and quick, with a known answer."""

import json
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from PIL import Image
from scipy import sparse

from pharmacell.evaluate.bootstrap import bootstrap
from pharmacell.report.figures.style import Drawn
from pharmacell.report.results import Results
from pharmacell.report.sample_figures import SAMPLE_FIGURES
from pharmacell.response.model_card import Interval, ModelCard, Penalties, Pretraining, ReliabilityBin, ShiftedScores
from pharmacell.training.settings import TrainingConfig

BASELINES = {"network": 0.7, "signature": 0.8, "ridge": 1.1, "logistic": 0.9}
# where an ensemble stands behind the prediction
SHIFTED_SCORES = ShiftedScores(
    shifted_auroc=Interval(0.75, 0.7, 0.8),
    shifted_auroc_pooled=0.77,
    shifted_auroc_members={"network": 0.67, "signature": 0.69, "ridge": 0.74, "logistic": 0.72},
    ensemble_weights={"network": 0.2, "signature": 0.0, "ridge": 0.5, "logistic": 0.3},
    reliability=[ReliabilityBin(0.15, 0.1, 40), ReliabilityBin(0.5, 0.52, 1200), ReliabilityBin(0.85, 0.9, 60)],
    calibration_error=0.0321,
)
CARD = ModelCard(
    Pretraining(
        seed=0,
        n_replicas=5,
        training=TrainingConfig(epochs=7),
        genes_bulk=6163,
        genes_shared=5012,
        lines={"train": 500, "validation": 100, "test": 150},
        predictor_epochs=[7] * 5,
        penalties=Penalties(),
    ),
    drug="cisplatin",
)
NULL = {
    "separation_spread": 0.85,
    "separation_null": [round(0.2 + 0.04 * n, 2) for n in range(20)],
    "separation_ratio": 1.5,
    "separation_p": 4 / 21,
}


def write_results(
    folder: Path,
    sample: str = "tumour",
    n_cells: int = 300,
    truth: bool = True,
    simulated: bool = False,
    counts: bool = True,
    verdict: str = "supported",
    ensemble: bool = True,
) -> dict[str, Path]:
    """Write every input of ``figures`` and return option name to path; without an ensemble the network stands alone."""
    rng = np.random.default_rng(7)
    labels = (np.arange(n_cells) % 3 > 0).astype(np.int8)
    cells = [f"cell_{number}" for number in range(n_cells)]
    probability = 1 / (1 + np.exp(-(rng.normal(size=n_cells) + 1.6 * labels - 0.8)))
    paths = {"sample": sample}

    def path(option: str, suffix: str) -> Path:
        paths[option] = folder / f"{sample}.{suffix}"
        return paths[option]

    write_quality(
        path("qc_metrics", "qc_metrics.csv"),
        path("qc_summary", "qc_summary.json"),
        sample,
        cells,
        counts,
        simulated,
        rng,
    )
    history(["autoencoder", "predictor"], rng).to_csv(path("source_history", "source_history.csv"), index=False)
    history(["target_autoencoder", "joint"], rng).to_csv(path("history", "history.csv"), index=False)

    baselines = {
        name: 1 / (1 + np.exp(-(rng.normal(size=n_cells) + d * labels - d / 2))) for name, d in BASELINES.items()
    }
    pd.DataFrame({"cell_id": cells, **baselines}).to_csv(path("baselines", "baselines.csv"), index=False)
    scored = {"ensemble": probability, **baselines}
    tables = pd.concat([bootstrap(labels, p, n=100).assign(model=m) for m, p in scored.items()])
    tables = tables[["model", "metric", "value", "low", "high"]]
    tables.to_csv(path("source_metrics", "source_metrics.csv"), index=False)
    predictions = pd.DataFrame(
        {
            "cell_id": cells,
            "probability": probability,
            "probability_std": 0.05,
            "label": (probability >= 0.5).astype(int),
        }
    )
    if truth:
        predictions["truth"] = labels
        tables.to_csv(path("model_metrics", "model_metrics.csv"), index=False)
    predictions.to_csv(path("predictions", "predictions.csv"), index=False)
    write_target(
        path("target", "predicted.h5ad"),
        sample,
        predictions,
        simulated,
        replace(CARD, shifted_scores=SHIFTED_SCORES if ensemble else None),
        rng,
    )
    if ensemble:
        p = np.linspace(0.001, 1, n_cells)
        call = np.select([p < 0.01, p < 0.02], ["sensitive", "resistant"], "not significant")
        significance = pd.DataFrame({"cell_id": cells, "p": p, "fdr": p, "call": call})
        significance.to_csv(path("significance", "significance.csv"), index=False)
    path("diagnostics", "diagnostics.json").write_text(
        json.dumps(
            {
                "verdict": verdict,
                "drug": "cisplatin",
                "n_cells": n_cells,
                "genes_shared": 5012,
                "genes_bulk": 6163,
                "reasons": [
                    "81 % of the bulk lines' genes were found in the sample.",
                    "on bulk lines that were held out, the AUROC is 0.84 (0.77 to 0.90)",
                ],
                "source_auroc": 0.84,
                "source_auroc_low": 0.77,
                "source_auroc_high": 0.90,
                "response_reliability": 0.54 if ensemble else None,
                "response_reliability_lines": 747 if ensemble else None,
                "mmd_before": 0.31,
                "mmd_after": 0.04,
                "replica_agreement": 0.93,
                "seed": 0,
                **(NULL if ensemble else {}),
            }
        )
    )
    return paths


def write_quality(
    metrics: Path, summary: Path, sample: str, cells: list[str], counts: bool, simulated: bool, rng: np.random.Generator
) -> None:
    """Write the metrics of all cells that were read (a tenth more than were kept) and the summary."""
    n_read = len(cells) * 11 // 10
    removed = np.arange(n_read) >= len(cells)
    genes = np.where(removed, 120, rng.normal(2000, 300, n_read).clip(250)).round()
    table = pd.DataFrame(
        {
            "cell_id": cells + [f"poor_{number}" for number in range(n_read - len(cells))],
            "n_genes": genes if counts else np.nan,
            "total_counts": genes * 3.2 if counts else np.nan,
            "pct_mt": rng.gamma(2, 1.5, n_read).clip(max=9.5) if counts else np.nan,
            "kept": ~removed,
            "reason": np.where(removed, "few genes", ""),
        }
    )
    table.to_csv(metrics, index=False)
    summary.write_text(
        json.dumps(
            {
                "sample": sample,
                "scale": "counts" if counts else "zscore",
                "species": "human",
                "simulated": simulated,
                "n_cells_read": n_read,
                "n_genes_read": 6000,
                "n_cells": len(cells),
                "n_genes": 5500,
                "genes_matched": 0.91,
                "has_truth": True,
                "limits": {"min_genes": 200, "min_cells": 3, "max_mt_percent": 10},
                "removed": {"few genes": int(removed.sum())},
                "notes": ["The values are whole numbers: read as counts."],
            }
        )
    )


def history(stages: list[str], rng: np.random.Generator, epochs: int = 12, replicas: int = 3) -> pd.DataFrame:
    """Return a history whose terms fall, as long rows."""
    terms = {
        "autoencoder": ["reconstruction"],
        "predictor": ["cross_entropy"],
        "target_autoencoder": ["reconstruction"],
        "joint": ["cross_entropy", "mmd", "cluster", "total"],
    }
    return pd.DataFrame(
        [
            (
                stage,
                epoch,
                term,
                part,
                replica,
                float(np.exp(-epoch / 5) + 0.05 * rng.random() + 0.1 * (part != "train")),
            )
            for stage in stages
            for term in terms[stage]
            for part in ("train", "validation")
            for replica in range(replicas)
            for epoch in range(epochs)
        ],
        columns=["stage", "epoch", "term", "part", "replica", "value"],
    )


def write_target(
    path: Path, sample: str, predictions: pd.DataFrame, simulated: bool, card: ModelCard, rng: np.random.Generator
) -> None:
    """Write the predicted sample: few genes, a UMAP, the predictions and a model card."""
    names = np.where(predictions["label"] == 1, "sensitive", "resistant")
    obs = pd.DataFrame(
        {
            "pharmacell_probability": predictions["probability"].to_numpy(dtype=np.float32),
            "pharmacell_std": predictions["probability_std"].to_numpy(dtype=np.float32),
            "pharmacell_label": pd.Categorical(names),
            "pharmacell_group": pd.Categorical(np.where(np.arange(len(predictions)) % 2, "treated", "parental")),
        },
        index=predictions["cell_id"],
    )
    shift = np.zeros(len(predictions))
    if "truth" in predictions:
        obs["pharmacell_truth"] = predictions["truth"].to_numpy(dtype=np.int8)
        shift = 4.0 * obs["pharmacell_truth"].to_numpy()
    target = anndata.AnnData(sparse.random(len(obs), 20, 0.3, "csr", dtype=np.float32, random_state=0), obs=obs)
    target.obsm["X_umap"] = (rng.normal(size=(len(obs), 2)) + shift[:, None]).astype(np.float32)
    target.uns["pharmacell"] = {
        "sample": sample,
        "scale": "counts",
        "simulated": simulated,
        "drug": "cisplatin",
        "version": "0.1.0",
        "model_card": json.dumps(card.to_json()),
    }
    target.write_h5ad(path)


def figures(results: Results, seed: int) -> dict:
    """Return every figure that the results allow, by name."""
    drawn = {name: entry.draw(results, seed) for name, entry in SAMPLE_FIGURES.items()}
    return {name: figure for name, figure in drawn.items() if figure is not None}


def stand_ins(results: Results, folder: Path) -> dict[str, Drawn]:
    """Make every figure that the results allow, but write one blank picture for each: for tests of what stands around.

    To lay a figure out and to write it takes longer than all else of a report.
    """
    folder.mkdir()
    drawn = {}
    for name in figures(results, seed=0):
        Image.new("RGB", (40, 30)).save(folder / f"{name}.png")
        drawn[name] = Drawn(folder / f"{name}.png", SAMPLE_FIGURES[name].caption, SAMPLE_FIGURES[name].note)
    return drawn


def of_chapter(chapter: str) -> set[str]:
    """Return the names of a chapter's figures."""
    return {name for name, entry in SAMPLE_FIGURES.items() if entry.chapter == chapter}
