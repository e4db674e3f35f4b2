"""Should I believe it? What speaks for and against a sample's predictions."""

import numpy as np
from scipy.stats import spearmanr

from pharmacell.models.floors import NAMES
from pharmacell.models.inference import CellPredictions

WEAK_AUROC = 0.6
GOOD_AUROC = 0.7
FEWEST_GENES_SHARE = 0.2
GOOD_AGREEMENT = 0.5


def diagnose(found: CellPredictions, card: dict, sample: dict) -> dict:
    """Collect the evidence and draw a verdict from it.

    Parameters
    ----------
    found
        Predictions of all cells.
    card
        The model card.
    sample
        ``uns["pharmacell"]`` of the prepared sample.

    Returns
    -------
    dict
        ``verdict`` (``supported``, ``uncertain`` or ``not supported``), ``reasons`` and the numbers behind them.
    """
    source = card["source_auroc"]["atsdp"]
    agreement = found.agreement()
    floors = {
        f"agreement_{name}": float(spearmanr(found.probability, found.floors[:, column]).statistic)
        for column, name in enumerate(NAMES)
    }
    facts = {
        "drug": card["drug"], "sample": card["sample"], "simulated": bool(sample.get("simulated", False)),
        "n_cells": int(found.replicas.shape[1]), "share_sensitive": float((found.probability >= 0.5).mean()),
        "genes_shared": card["genes_shared"], "genes_bulk": card["genes_bulk"],
        "genes_matched": sample.get("genes_matched"),
        "source_auroc": source["value"], "source_auroc_low": source["low"], "source_auroc_high": source["high"],
        "mmd_before": card["mmd_before"], "mmd_after": card["mmd_after"],
        "replica_agreement": agreement, "replica_std": float(found.std.mean()), **floors,
        "supervision": card["supervision"],
    }
    return judge(facts) | facts


def judge(facts: dict) -> dict:
    """Return ``verdict`` and ``reasons`` for the collected facts."""
    against, doubts, support = [], [], []

    def weigh(condition: bool, reason: str, else_reason: str, to: list) -> None:
        (to if condition else support).append(reason if condition else else_reason)

    auroc, low = facts["source_auroc"], facts["source_auroc_low"]
    interval = f"AUROC {auroc:.2f} (95 % interval {low:.2f} to {facts['source_auroc_high']:.2f})"
    if low <= 0.5 or auroc < WEAK_AUROC:
        against.append(f"the drug's response can hardly be told from bulk expression: {interval} on held-out lines")
    else:
        weigh(auroc < GOOD_AUROC, f"held-out lines are told apart only in part: {interval}",
              f"held-out lines are told apart: {interval}", doubts)
    share = facts["genes_shared"] / facts["genes_bulk"]
    weigh(share < FEWEST_GENES_SHARE, f"only {share:.0%} of the bulk genes are among the cells' genes",
          f"{facts['genes_shared']} genes ({share:.0%} of the bulk genes) are shared", doubts)
    agreement = facts["replica_agreement"]
    if not np.isnan(agreement):
        if agreement < 0:
            against.append(f"the replicas contradict each other (mean rank correlation {agreement:.2f})")
        else:
            weigh(agreement < GOOD_AGREEMENT, f"the replicas agree little (mean rank correlation {agreement:.2f})",
                  f"the replicas agree (mean rank correlation {agreement:.2f})", doubts)
    with_signature = facts["agreement_signature"]
    if with_signature < 0:
        against.append("the ranking runs against the gene-correlation signature "
                       f"(rank correlation {with_signature:.2f})")
    else:
        weigh(with_signature < 0.3, f"the ranking has little to do with the gene-correlation signature "
              f"(rank correlation {with_signature:.2f})",
              f"the ranking goes with the gene-correlation signature (rank correlation {with_signature:.2f})", doubts)
    verdict = "not supported" if against else "uncertain" if doubts else "supported"
    return {"verdict": verdict, "reasons": against + doubts + support}
