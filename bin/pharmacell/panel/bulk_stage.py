"""The bulk stage of the panel: everything that does not depend on a sample."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.core.progress import say
from pharmacell.data.drugs import describe_drugs
from pharmacell.data.structures import smiles_of
from pharmacell.panel.columns import DRUGS
from pharmacell.panel.held_out import Predictability, folds_of, held_out_z, predictability
from pharmacell.panel.linear import LinearChoice
from pharmacell.panel.profiles import BulkScale
from pharmacell.panel.responses import Responses, read_responses
from pharmacell.panel.store import PanelModel
from pharmacell.panel.verdict import ceiling

if TYPE_CHECKING:
    from anndata import AnnData


def bulk_stage(lines: "AnnData", table: pd.DataFrame, seed: int) -> PanelModel:
    """Score held-out lines of all drugs, and choose what the linear members need.

    Parameters
    ----------
    lines
        The bulk file.
    table
        ``response.parquet`` of all drugs.
    seed
        Draws the folds.
    """
    responses = read_responses(lines, table)
    say(f"panel: {len(responses.drugs)} drugs on {lines.n_obs} lines")
    if responses.left_out:
        say(f"panel: {len(responses.left_out)} drugs have fewer than 50 lines: {', '.join(responses.left_out)}")
    tissues = lines.obs["tissue"].to_numpy(str)
    scale = BulkScale.fit(np.asarray(lines.X, np.float32), list(lines.var_names))
    choice = LinearChoice()
    found = held_out_z(scale.x, responses, tissues, folds_of(tissues, seed), choice)
    scores = predictability(responses, found, tissues)
    card = {
        "seed": seed,
        "genes": scale.genes,
        "drugs": responses.drugs,
        "left_out": responses.left_out,
        "members": ["linear"],
    }
    return PanelModel(choice, drug_table(responses, scores), found, list(lines.obs_names), card)


def drug_table(responses: Responses, scores: Predictability) -> pd.DataFrame:
    """Return what is known of each drug, one row each.

    Parameters
    ----------
    responses
        Of the lines.
    scores
        Of held-out lines.
    """
    facts = describe_drugs(responses.drugs)
    table = pd.DataFrame(
        {
            "drug": responses.drugs,
            "target": facts["target"].to_numpy(),
            "pathway": facts["pathway"].to_numpy(),
            "smiles": smiles_of(responses.drugs).to_numpy(),
            "n_lines": np.isfinite(responses.z).sum(0),
            "reliability": responses.reliability,
            "predictability": scores.within,
            "predictability_low": scores.low,
            "predictability_high": scores.high,
            "predictability_all": scores.everywhere,
            "verdict_ceiling": [ceiling(low) for low in scores.low],
        }
    )
    return table[list(DRUGS)]
