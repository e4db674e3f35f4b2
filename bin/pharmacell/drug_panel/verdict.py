"""How far to believe a row of the panel: the rules of the per-drug verdict that hold for a drug and a group."""

import numpy as np
import pandas as pd

from pharmacell.drug_panel.columns import NOT_SUPPORTED, SUPPORTED, UNCERTAIN

LEVEL = 0.05
AGAINST, DOUBT = 0.50, 0.60  # of the AUROC within tissue, as in the verdict on one drug


def ceiling(predictability_low: float) -> str:
    """Return the best verdict that a drug's rows can have.

    Parameters
    ----------
    predictability_low
        Lower end of the interval of its AUROC within tissue.
    """
    if np.isnan(predictability_low) or predictability_low < AGAINST:
        return NOT_SUPPORTED
    return UNCERTAIN if predictability_low < DOUBT else SUPPORTED


def unknown_events(drugs: pd.DataFrame, known: bool) -> list[str]:
    """Return the events that each drug follows and of which nothing is known in a group, such as ``EGFR;ALK fusion``.

    Parameters
    ----------
    drugs
        ``drugs.csv``.
    known
        Whether the sheet names the group's events. Fusions it cannot name.
    """
    columns = ["fusion"] if known else ["driver_event", "fusion"]
    return [";".join(filter(None, row)) for row in drugs[columns].itertuples(index=False)]


def verdicts(ceilings: np.ndarray, fdr: np.ndarray, flagged: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Return the verdict of each group and drug, object [n_groups, n_drugs].

    Parameters
    ----------
    ceilings
        From :func:`ceiling`, [n_drugs].
    fdr
        False discovery rate of the group's mean, [n_groups, n_drugs].
    flagged
        Whether the group resembles no bulk line, [n_groups].
    events
        Of each group and drug, that the drug follows and that are not known of the group: its verdict is uncertain at
        best, [n_groups, n_drugs].
    """
    ceilings = np.where((events != "") & (ceilings == SUPPORTED), UNCERTAIN, ceilings)
    found = np.where(fdr <= LEVEL, ceilings, np.where(ceilings == SUPPORTED, UNCERTAIN, ceilings))
    return np.where(flagged[:, None], NOT_SUPPORTED, found)
