"""Whether what is predicted coincides with what was done to the cells, and what the numbers then mean.

Shen et al. 2026: Predicting pre-treatment resistance or post-treatment effect? doi:10.64898/2026.04.10.717709.
"""

import numpy as np
import pandas as pd

from pharmacell.data.columns import NOT_KNOWN, OBS_GROUP, OBS_TREATMENT, OBS_TRUTH, UNKNOWN, UNTREATED
from pharmacell.data.treatment import place_of
from pharmacell.response.columns import Diagnostics

BOUND = 0.5  # of Cramér's V, from which on two things coincide
BATCHES = ("batch", "batch_id")  # columns of the user's annotation, in any case
ALL_TREATED = "all treated"
BENCHMARK = (
    "An independent benchmark (Shen et al. 2026) found that most tools detect what a drug has done, not which "
    "cells will resist it; on PC9 cells after eleven days of erlotinib against untreated ones the default "
    "had an AUROC of 0.36"
)


def parts_of(obs: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return which cells are of which part, bool [n_cells]: untreated first, all that are treated last.

    Parameters
    ----------
    obs
        The cells' annotation, with their treatment.
    """
    treatment = obs[OBS_TREATMENT].astype(str).to_numpy()
    names = sorted(set(treatment), key=place_of)
    parts = {name: treatment == name for name in names}
    if len(set(names) - {UNTREATED, NOT_KNOWN}) > 1:
        parts[ALL_TREATED] = ~np.isin(treatment, [UNTREATED, NOT_KNOWN])
    return parts


def cramers_v(one: np.ndarray, other: np.ndarray) -> float | None:
    """Return Cramér's V with Bergsma's correction of its bias (J. Korean Stat. Soc. 42, 2013), None where undefined.

    It is 1 also where every group had one treatment only, and its expectation is about 0 for many small groups.

    Parameters
    ----------
    one, other
        Two categories of each cell, [n_cells].
    """
    from scipy.stats.contingency import association

    table = pd.crosstab(one, other).to_numpy()
    if min(table.shape, default=0) < 2:
        return None
    n, degrees = table.sum(), np.array(table.shape) - 1
    phi2 = association(table, method="cramer") ** 2 * degrees.min()
    scale = (degrees - degrees**2 / (n - 1)).min()
    return float(np.sqrt(max(0.0, phi2 - degrees.prod() / (n - 1)) / scale)) if scale > 0 else None


def of_treatment(obs: pd.DataFrame, labels: np.ndarray) -> Diagnostics:
    """Return how far the treatment coincides with classes, groups and batches; nothing where it is not known.

    Parameters
    ----------
    obs
        The cells' annotation.
    labels
        1 where the probability is at least 0.5, else 0, [n_cells].
    """
    if OBS_TREATMENT not in obs:
        return {}
    treatment = obs[OBS_TREATMENT].astype(str).to_numpy()
    known, treated = treatment != NOT_KNOWN, treatment != UNTREATED
    found: Diagnostics = {
        "n_untreated": int((~treated).sum()),
        "n_treated": int((treated & known).sum()),
        "treatment_and_label": cramers_v(labels[known], treated[known]),
    }
    if OBS_TRUTH in obs:
        truth = obs[OBS_TRUTH].to_numpy()
        told = known & (truth != UNKNOWN)
        found["treatment_and_truth"] = cramers_v(truth[told], treated[told])
    if OBS_GROUP in obs:
        found["treatment_and_group"] = cramers_v(obs[OBS_GROUP].astype(str).to_numpy()[known], treated[known])
    for column in obs.columns:
        if str(column).lower() in BATCHES:
            told = known & obs[column].notna().to_numpy()
            found["treatment_and_batch"] = cramers_v(obs[column].astype(str).to_numpy()[told], treated[told])
            break
    return found


def notes(found: Diagnostics) -> list[str]:
    """Say what coincides with the treatment and what the numbers then mean; empty where the treatment is not known.

    Parameters
    ----------
    found
        The diagnostics.
    """
    if "n_untreated" not in found:
        return []
    if not found["n_treated"]:
        return ["Note: all cells are untreated; the prediction is about cells before treatment"]
    if not found["n_untreated"]:
        return [
            "Note: no cell is untreated, so the prediction is about what the treatment has done, not about who will "
            f"resist. {BENCHMARK}"
        ]
    meanings = {
        "predicted classes": (
            found["treatment_and_label"],
            "the prediction tells treated from untreated cells, which is not the same as who will resist",
        ),
        "known responses": (
            found.get("treatment_and_truth"),
            "a score over all cells measures how well treated and untreated cells are told apart, not who will resist",
        ),
        "groups": (
            found.get("treatment_and_group"),
            "an effect of the origin cannot be told from one of the treatment",
        ),
        "batches": (
            found.get("treatment_and_batch"),
            "an effect of the batch cannot be told from one of the treatment",
        ),
    }
    warnings = [
        f"Warning: the {what} coincide with the treatment (Cramér's V {value:.2f}, at least {BOUND}): {meaning}"
        for what, (value, meaning) in meanings.items()
        if value is not None and value >= BOUND
    ]
    return [
        *warnings,
        f"Note: {found['n_untreated']:,} cells are untreated and {found['n_treated']:,} treated; look at the untreated "
        f"ones alone for who will resist. {BENCHMARK}",
    ]
