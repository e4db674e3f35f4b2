"""The drugs that tell the groups of a sample apart best."""

from typing import Any

import numpy as np
import pandas as pd

from pharmacell.drug_panel.columns import NOT_SUPPORTED

N_BEST = 5


def separation(z: np.ndarray, spread: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Return by how much groups differ in each drug, in standard deviations of a held-out prediction, [n_drugs].

    Parameters
    ----------
    z
        Drug-specific prediction of each group, [n_groups, n_drugs].
    spread
        Of a held-out line's measurement about its prediction, [n_drugs].
    counted
        Groups that are compared, bool [n_groups].
    """
    if counted.sum() < 2:
        return np.zeros(z.shape[1])
    return np.ptp(z[counted], axis=0) / spread


def best_drugs(
    panel: pd.DataFrame, apart: pd.Series, drugs: pd.DataFrame, had: dict[str, tuple[str, ...]]
) -> list[dict[str, Any]]:
    """Return the five predictable drugs that separate the groups best, with how far to believe it.

    Parameters
    ----------
    panel
        ``panel.csv``.
    apart
        From :func:`separation`, by drug.
    drugs
        ``drugs.csv``, its ``driver_event`` those that are not known of the sample, and with ``follows``, all driver
        events that change the response to each drug.
    had
        Driver events of each group of which they are known.
    """
    facts = drugs.set_index("drug")
    believed = facts.index[facts["verdict_ceiling"] != NOT_SUPPORTED]
    ranked = apart[apart.index.isin(believed) & (apart > 0)].sort_values(ascending=False, kind="stable")
    found = []
    for drug in ranked.index[:N_BEST]:
        own = panel[(panel["drug"] == drug) & (panel["verdict"] != NOT_SUPPORTED)].sort_values("percentile")
        if own.empty:
            continue
        fact = facts.loc[drug]
        first, last = own.iloc[0], own.iloc[-1]
        words = (
            f"{drug}: {first['group']} most sensitive, {last['group']} least; held-out lines of one tissue are told "
            f"apart with AUROC {fact['predictability']:.2f} (95 % interval {fact['predictability_low']:.2f} to "
            f"{fact['predictability_high']:.2f}); {first['verdict']}"
        )
        reasons = [event for event in fact["follows"].split(";") if event in had.get(first["group"], ())]
        if reasons:
            words += f"; follows {', '.join(reasons)}, which {first['group']} has"
        if fact["driver_event"]:
            words += f"; follows {fact['driver_event'].replace(';', ', ')}, which is not known of this sample"
        found.append(
            {
                "drug": drug,
                "pathway": fact["pathway"],
                "separation": float(apart[drug]),
                "most_sensitive": first["group"],
                "least_sensitive": last["group"],
                "verdict": first["verdict"],
                "predictability": fact["predictability"],
                "predictability_low": fact["predictability_low"],
                "predictability_high": fact["predictability_high"],
                "words": words,
            }
        )
    return found
