"""Should I believe it? The numbers behind a sample's predictions."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from pharmacell.response import resembled_lines, treatment
from pharmacell.response.cell_tests import CellTests
from pharmacell.response.columns import BASELINE_NAMES, Diagnostics, main_model
from pharmacell.response.model_card import ModelCard
from pharmacell.response.predict import CellPredictions
from pharmacell.response.verdict import judge


def diagnose(
    predictions: CellPredictions,
    card: ModelCard,
    sample: Mapping[str, Any],
    tests: CellTests | None,
    obs: pd.DataFrame | None = None,
) -> Diagnostics:
    """Collect what speaks for and against the predictions and draw a verdict from it.

    Parameters
    ----------
    predictions
        Of all cells.
    card
        The card of an adapted model.
    sample
        ``uns["pharmacell"]`` of the prepared sample.
    tests
        What permuted bulk responses say of the cells, or None.
    obs
        The cells' annotation, which may say which cells were treated.

    Raises
    ------
    ValueError
        If the model was not adapted to cells.
    """
    if card.adaptation is None:
        raise ValueError("the model was not adapted to cells")
    of_lines = card.pretraining.source_auroc
    source_auroc, (agreement, opposed) = of_lines[main_model(of_lines)], predictions.agreement()
    signature, ridge, logistic = baseline_agreements(predictions)
    measured: Diagnostics = {
        "drug": card.drug,
        "sample": card.sample,
        "simulated": bool(sample.get("simulated", False)),
        "n_cells": int(predictions.replicas.shape[1]),
        "share_sensitive": float(predictions.labels.mean()),
        "n_lines": sum(card.pretraining.lines.values()),
        "genes_shared": card.pretraining.genes_shared,
        "genes_bulk": card.pretraining.genes_bulk,
        "genes_matched": sample.get("genes_matched"),
        "source_auroc": source_auroc.value,
        "source_auroc_low": source_auroc.low,
        "source_auroc_high": source_auroc.high,
        "mmd_before": card.adaptation.mmd_before,
        "mmd_after": card.adaptation.mmd_after,
        "replica_agreement": agreement,
        "replicas_opposed": opposed,
        "replica_std": float(predictions.std.mean()),
        "supervision": card.adaptation.supervision,
        "agreement_signature": signature,
        "agreement_ridge": ridge,
        "agreement_logistic": logistic,
    }
    measured |= of_ensemble(card) | of_drug(card)
    if tests is not None:
        measured |= of_tests(predictions.scores.mean(0), tests)
    resembled = card.adaptation.resembles_line
    measured["resembles_line"] = None if resembled is None else [asdict(one) for one in resembled]
    if obs is not None:
        measured |= treatment.of_treatment(obs, predictions.labels)
    verdict, reasons = judge(measured)
    notes = resembled_lines.notes(resembled) + treatment.notes(measured)
    return {"verdict": verdict, "reasons": reasons + notes, **measured}


def baseline_agreements(predictions: CellPredictions) -> list[float]:
    """Return the Spearman correlation of the probability with that of each baseline, in the order of their names.

    Parameters
    ----------
    predictions
        Of all cells.
    """
    from scipy.stats import spearmanr

    return [
        float(spearmanr(predictions.probability, predictions.baselines[:, column]).statistic)
        for column in range(len(BASELINE_NAMES))
    ]


def of_drug(card: ModelCard) -> Diagnostics:
    """Return how reliable the drug's responses are, and how well they can be predicted where that was measured.

    Parameters
    ----------
    card
        The model card.
    """
    found, reliability = card.pretraining.predictability, card.pretraining.response_reliability
    known: Diagnostics = {
        "response_reliability": None if reliability is None else reliability.correlation,
        "response_reliability_lines": None if reliability is None else reliability.n_lines,
    }
    if found is None:
        return known
    return known | {
        "predictability_within": found.within.value,
        "predictability_within_low": found.within.low,
        "predictability_within_high": found.within.high,
        "predictability_pooled": found.pooled.value,
        "predictability_pooled_low": found.pooled.low,
        "predictability_pooled_high": found.pooled.high,
    }


def of_ensemble(card: ModelCard) -> Diagnostics:
    """Return what was found in training where linear members stand beside the network, else nothing.

    Parameters
    ----------
    card
        The model card.
    """
    shifted, checks = card.shifted_scores, card.cell_checks
    if shifted is None or checks is None:
        return {}
    return {
        "shifted_auroc": shifted.shifted_auroc.value,
        "shifted_auroc_low": shifted.shifted_auroc.low,
        "shifted_auroc_high": shifted.shifted_auroc.high,
        "shifted_auroc_pooled": shifted.shifted_auroc_pooled,
        "halves_agreement": checks.halves_agreement,
        "halves_p": checks.halves_p,
        "share_beyond_range": checks.share_beyond_range,
        "calibration_error": shifted.calibration_error,
        "weight_network": shifted.ensemble_weights["network"],
        "weight_signature": shifted.ensemble_weights["signature"],
        "weight_ridge": shifted.ensemble_weights["ridge"],
        "weight_logistic": shifted.ensemble_weights["logistic"],
    }


def of_tests(score: np.ndarray, tests: CellTests) -> Diagnostics:
    """Say what the permuted bulk responses say of the sample as a whole.

    Parameters
    ----------
    score
        Score of each cell that the probability comes from, mean over replicas, [n_cells].
    tests
        Of the cells.
    """
    from scipy.stats import spearmanr

    linear, network = tests.linear, tests.with_network
    return {
        "separation_ratio": linear.ratio,
        "separation_p": linear.spread_p,
        "separation_spread": linear.spread,
        "separation_null": linear.null_spreads.tolist(),
        "largest_deviation_p": linear.p,
        "network_separation_p": None if network is None else network.spread_p,
        "network_largest_deviation_p": None if network is None else network.p,
        "linear_score_correlation": float(spearmanr(score, tests.deviation).statistic),
        "cell_axes": tests.axes,
    }
