"""Should I believe it? The facts behind a sample's predictions."""

import numpy as np

from pharmacell.evaluate.significance import separation, spreads
from pharmacell.response.baselines import NAMES
from pharmacell.response.predict import CellPredictions
from pharmacell.response.verdict import judge

# written by the target stage when an ensemble stands behind the prediction
EVIDENCE = (
    "sign_agreement",
    "replicas_reversed",
    "stability_half_genes",
    "stability_half_lines",
    "share_beyond_range",
    "calibration_error",
)


def diagnose(found: CellPredictions, card: dict, sample: dict, null: np.ndarray | None) -> dict:
    """Collect the evidence and draw a verdict from it.

    Parameters
    ----------
    found
        Predictions of all cells.
    card
        The model card.
    sample
        ``uns["pharmacell"]`` of the prepared sample.
    null
        Scores under permuted bulk responses, [n_permutations, n_cells], or None.

    Returns
    -------
    dict
        ``verdict`` (``supported``, ``uncertain`` or ``not supported``), ``reasons`` and the numbers behind them.
    """
    from scipy.stats import spearmanr

    source, (agreement, opposed) = card["source_auroc"]["atsdp"], found.agreement()
    facts = {
        "drug": card["drug"],
        "sample": card["sample"],
        "simulated": bool(sample.get("simulated", False)),
        "n_cells": int(found.replicas.shape[1]),
        "share_sensitive": float((found.probability >= 0.5).mean()),
        "n_lines": sum(card["lines"].values()),
        "genes_shared": card["genes_shared"],
        "genes_bulk": card["genes_bulk"],
        "genes_matched": sample.get("genes_matched"),
        "source_auroc": source["value"],
        "source_auroc_low": source["low"],
        "source_auroc_high": source["high"],
        "mmd_before": card["mmd_before"],
        "mmd_after": card["mmd_after"],
        "replica_agreement": agreement,
        "replicas_opposed": opposed,
        "replica_std": float(found.std.mean()),
        "supervision": card["supervision"],
    }
    for column, name in enumerate(NAMES):
        facts[f"agreement_{name}"] = float(spearmanr(found.probability, found.baselines[:, column]).statistic)
    if "shifted_auroc" in card:
        shifted = card["shifted_auroc"]
        facts |= {
            "shifted_auroc": shifted["value"],
            "shifted_auroc_low": shifted["low"],
            "shifted_auroc_high": shifted["high"],
        }
        facts |= {name: card[name] for name in EVIDENCE}
        facts |= {f"weight_{name}": weight for name, weight in card["ensemble_weights"].items()}
    if null is not None:
        score = found.scores.mean(0)
        facts["separation_ratio"], facts["separation_p"] = separation(score, null)
        spread, of_null = spreads(score, null)
        facts |= {"separation_spread": spread, "separation_null": of_null.tolist()}
    return judge(facts) | facts
