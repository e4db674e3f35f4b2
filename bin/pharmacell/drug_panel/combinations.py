"""Pairs of drugs by independent action: each group is hit by the better of the two."""

import numpy as np
import pandas as pd

from pharmacell.drug_panel.columns import COMBINATIONS


def pairs_of_drugs(
    percentile: np.ndarray, drugs: list[str], groups: list[str], counted: np.ndarray, normal: np.ndarray
) -> pd.DataFrame:
    """Return every pair of drugs with the percentile of the group that it hits worst.

    Independent action (Bliss 1939, as Palmer and Sorger 2017 use it): a group responds to a pair as to the better of
    the two drugs. ``worst_percentile`` is the largest over groups of the smaller percentile, ``better_single`` the same
    for the better of the drugs alone, ``gain`` what the pair gains, and ``normal_percentile`` the smallest percentile
    of a normal group. The best pair comes first; pairs that hit a normal group at least as hard as the worst-hit group
    come last.

    Parameters
    ----------
    percentile
        Of each group and drug, 0 most sensitive, [n_groups, n_drugs].
    drugs, groups
        Names.
    counted
        Groups that are to be hit, bool [n_groups].
    normal
        Groups that are to be spared, bool [n_groups].
    """
    if len(drugs) < 2 or not counted.any():
        return pd.DataFrame(columns=list(COMBINATIONS))
    first, second = np.triu_indices(len(drugs), 1)
    hit = percentile[counted]
    best = np.minimum(hit[:, first], hit[:, second])
    worst = best.argmax(0)
    single = np.minimum(hit.max(0)[first], hit.max(0)[second])
    names, counted_groups = np.array(drugs, object), np.array(groups, object)[counted]
    spared = np.full(len(first), np.nan)
    if normal.any():
        spared = np.minimum(percentile[normal][:, first], percentile[normal][:, second]).min(0)
    table = pd.DataFrame(
        dict(
            zip(
                COMBINATIONS,
                (names[first], names[second], counted_groups[worst], best.max(0), single, single - best.max(0), spared),
                strict=True,
            )
        )
    )
    hits_normal = table["normal_percentile"] <= table["worst_percentile"]
    order = table.assign(hits_normal=hits_normal).sort_values(
        ["hits_normal", "worst_percentile", "gain", "drug_a", "drug_b"], ascending=[True, True, False, True, True]
    )
    return order.drop(columns="hits_normal").reset_index(drop=True)
