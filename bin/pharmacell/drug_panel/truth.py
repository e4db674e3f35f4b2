"""What was measured on the origins of the cells, beside what the panel predicts."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.columns import OF_DRUG
from pharmacell.data.drugs import find_drugs
from pharmacell.drug_panel.groups import Groups

MEASURED = "_ln_ic50"  # KEY_ln_ic50:DRUG beside KEY:DRUG
CLEAR = float(np.log(2))  # difference of two measured ln IC50 whose order counts: a factor of two


def measured_responses(obs: pd.DataFrame, groups: Groups, label_key: str | None, drugs: list[str]) -> pd.DataFrame:
    """Return the measured response of each group, where the sample has it: ``group, drug, ln_ic50``.

    Parameters
    ----------
    obs
        Of the prepared sample; ``<label_key>_ln_ic50:<drug>`` is ln(IC50 / uM) of what each cell comes from.
    groups
        Of its cells; of several values in a group the mean counts.
    label_key
        Begin of the columns' names; None where nothing is known.
    drugs
        Of the panel.

    Raises
    ------
    InputError
        If a value is no number.
    """
    begin = f"{label_key}{MEASURED}{OF_DRUG}"
    rows = []
    for column in [column for column in map(str, obs.columns) if label_key and column.startswith(begin)]:
        found = find_drugs(column.removeprefix(begin), drugs)
        try:
            values = obs[column].astype(float).to_numpy()
        except (TypeError, ValueError):
            raise InputError(f"column {column}: holds something that is no number; give ln(IC50 / uM)") from None
        for drug in found:
            for code, group in enumerate(groups.names):
                own = values[(groups.code == code) & np.isfinite(values)]
                rows += [(group, drug, own.mean())] if len(own) else []
    return pd.DataFrame(rows, columns=["group", "drug", "ln_ic50"])


def score(measured: pd.DataFrame, panel: pd.DataFrame) -> dict[str, Any] | None:
    """Return how often the panel puts two groups in the measured order; None without a clear pair.

    Parameters
    ----------
    measured
        From :func:`measured_responses`.
    panel
        ``panel.csv``.
    """
    both = measured.merge(panel, on=["group", "drug"], suffixes=("", "_predicted"))
    right = []
    for _, rows in both.groupby("drug"):
        for one, other in combinations(rows.itertuples(), 2):
            difference = one.ln_ic50 - other.ln_ic50
            if abs(difference) > CLEAR:
                right.append(difference * (one.ln_ic50_predicted - other.ln_ic50_predicted) > 0)
    return {"share_of_pairs_in_order": float(np.mean(right)), "pairs": len(right)} if right else None
