"""Molecules that the panel's network is asked about by their structure, measured or not."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.drug_panel.profiles import BulkScale

if TYPE_CHECKING:
    from pharmacell.drug_panel.trained_network import PanelNetwork


def molecules_table(
    network: "PanelNetwork | None", smiles: tuple[str, ...], profiles: np.ndarray, scale: BulkScale, groups: list[str]
) -> pd.DataFrame:
    """Return what the network alone says of molecules, most sensitive first in each group.

    Parameters
    ----------
    network
        Of the bulk stage; None where it has none.
    smiles
        Of the molecules.
    profiles
        Of the groups, on the bulk scale, [n_groups, n_genes].
    scale
        Of the lines on the sample's genes.
    groups
        Names of the groups.

    Returns
    -------
    pandas.DataFrame
        ``group, smiles, ln_ic50, measured, nearest_drug, tanimoto``. Where ``measured`` is false the molecule is of a
        kind that was never measured, and ``tanimoto`` says how like the nearest drug of the panel it is.

    Raises
    ------
    InputError
        If there is no network, it knows drugs by name alone, or a text is no molecule.
    """
    if network is None:
        raise InputError(
            "--smiles: the bulk stage has no network; run pretrain_panel with --panel_network on --drug_features "
            "fingerprint"
        )
    known = network.look_up(smiles).rename(columns={"asked": "smiles", "drug": "nearest_drug"})
    values = network.ln_ic50(network.inputs(scale.within(profiles), scale.genes), smiles)
    found = pd.concat([known.assign(group=group, ln_ic50=row) for group, row in zip(groups, values, strict=True)])
    columns = ["group", "smiles", "ln_ic50", "measured", "nearest_drug", "tanimoto"]
    return found.sort_values(["group", "ln_ic50"], kind="stable")[columns].reset_index(drop=True)
