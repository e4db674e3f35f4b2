"""The bulk stage of the panel: everything that does not depend on a sample."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmacell.core.progress import say
from pharmacell.core.seeds import generator
from pharmacell.data.drugs import describe_drugs
from pharmacell.data.structures import smiles_of
from pharmacell.drug_panel.columns import DRUGS, NOT_SUPPORTED, SUPPORTED, UNCERTAIN
from pharmacell.drug_panel.held_out import HeldOutLines, Predictability, folds_of, pair_scores, predictability
from pharmacell.drug_panel.linear import LinearChoice
from pharmacell.drug_panel.mutations import fusions_of, learn_effects
from pharmacell.drug_panel.profiles import BulkScale
from pharmacell.drug_panel.responses import Responses, read_responses
from pharmacell.drug_panel.settings import PanelNetworkConfig
from pharmacell.drug_panel.shifted import pseudo_bulks
from pharmacell.drug_panel.store import PanelModel
from pharmacell.drug_panel.verdict import ceiling

if TYPE_CHECKING:
    import torch
    from anndata import AnnData

PENALTIES, TISSUE_WEIGHTS = (2.0, 4.0, 8.0), (1.0, 2.0, 4.0)  # the first weight needs the fewest fits
LEAST_TRUST = 0.2  # or no profile would count


def bulk_stage(
    lines: "AnnData",
    table: pd.DataFrame,
    seed: int,
    network: PanelNetworkConfig | None = None,
    device: "torch.device | str" = "cpu",
) -> PanelModel:
    """Choose by shifted validation what the linear members need, and score held-out lines of all drugs.

    Parameters
    ----------
    lines
        The bulk file.
    table
        ``response.parquet`` of all drugs.
    seed
        Draws folds and pseudo-bulks.
    network
        Settings of the network of all drugs; None trains none.
    device
        Where it trains.
    """
    responses = read_responses(lines, table)
    say(f"panel: {len(responses.drugs)} drugs on {lines.n_obs} lines")
    if responses.left_out:
        say(f"panel: {len(responses.left_out)} drugs have fewer than 50 lines: {', '.join(responses.left_out)}")
    tissues = lines.obs["tissue"].to_numpy(str)
    expression = np.asarray(lines.X, np.float32)
    scale = BulkScale.fit(expression, list(lines.var_names))
    fold = folds_of(tissues, seed)
    profiles = scale.of_counts(pseudo_bulks(expression, fold, generator(seed, "panel pseudo-bulks")))
    held = HeldOutLines.of(scale, profiles, responses, tissues, fold)
    groups = np.array([f"{tissue} {one}" for tissue, one in zip(tissues, fold, strict=True)])
    choice, scores, found = choose(held, groups)
    say(
        f"panel: penalty {choice.penalty:g} a gene, lines of the sample's tissue count {choice.tissue_weight:g} times, "
        f"differences from their mean {choice.trust:.2f} times"
    )
    kept, weight, facts = None, 0.0, dict[str, Any]()
    if network is not None:
        from pharmacell.drug_panel.blend import network_weight  # torch takes seconds to import
        from pharmacell.drug_panel.train_network import train_network

        trained = train_network(scale, responses, network, seed, device)
        weight, tried = network_weight(trained, scale, responses, tissues, choice)
        say(f"panel: the network counts {weight:g}, the linear member {1 - weight:g}")
        kept, facts = trained.network, {"network_epochs": trained.epochs, "network_weights_tried": tried}
        known = np.isfinite(trained.held_out_imitated)
        said = np.nan_to_num(trained.held_out_imitated)
        found = np.where(known, (1 - weight) * found + weight * said, found).astype(np.float32)
    targets = list(describe_drugs(responses.drugs)["target"])
    effects = learn_effects(lines.obs_names, responses.z - found, targets, tissues)
    events = effects.driving(len(responses.drugs))
    say(f"panel: driver events change the response to {np.count_nonzero(events)} drugs by half a deviation or more")
    card = {
        "seed": seed,
        "genes": scale.genes,
        "drugs": responses.drugs,
        "left_out": responses.left_out,
        "members": ["linear", "network"] if weight else ["linear"],
        "shifted_validation": scores,
        **facts,
    }
    drugs = drug_table(responses, predictability(responses, found, groups), events)
    ceilings = drugs["verdict_ceiling"].to_numpy()
    card["calibration"] = {
        verdict: pair_scores(responses.z[:, ceilings == verdict], found[:, ceilings == verdict], groups)[0]
        for verdict in (SUPPORTED, UNCERTAIN, NOT_SUPPORTED)
    }
    return PanelModel(choice, drugs, found, effects, list(lines.obs_names), card, kept, weight)


def choose(held: HeldOutLines, groups: np.ndarray) -> tuple[LinearChoice, list[dict[str, float]], np.ndarray]:
    """Choose penalty, tissue weight and trust by held-out lines as pseudo-bulks.

    Penalty, and with the best one the tissue weight, by the order of lines of one tissue.

    The trust in predicted differences from the tissue's mean response is the slope of the measured ones on them, over
    all lines and drugs: each fold is counted by a platform of its own, so it has a platform's error in it.

    Parameters
    ----------
    held
        The lines.
    groups
        Tissue and fold of each line.

    Returns
    -------
    choice
        With the highest mean share of pairs in the right order, of responses and of specific responses.
    scores
        Of every choice.
    found
        Predicted z of every line with it, float32 [n_lines, n_drugs].
    """
    z, rows = held.responses.z, []
    tried: dict[LinearChoice, tuple[float, np.ndarray, np.ndarray]] = {}

    def score(choice: LinearChoice) -> float:
        if choice not in tried:
            mean, difference = held.predict(choice)
            pairs, specific = pair_scores(z, mean + difference, groups)
            row = {"penalty": choice.penalty, "tissue_weight": choice.tissue_weight}
            rows.append(row | {"pairs": pairs, "specific": specific})
            tried[choice] = (pairs + specific, mean, difference)
        return tried[choice][0]

    penalty = max(PENALTIES, key=lambda one: score(LinearChoice(one, TISSUE_WEIGHTS[0])))
    weight = max(TISSUE_WEIGHTS, key=lambda one: score(LinearChoice(penalty, one)))
    _, mean, difference = tried[LinearChoice(penalty, weight)]
    known = np.isfinite(z)
    slope = float((difference[known] @ (z - mean)[known]) / max(np.square(difference[known]).sum(), 1e-12))
    trust = float(np.clip(slope, LEAST_TRUST, 1.0))
    return LinearChoice(penalty, weight, trust), rows, mean + trust * difference


def drug_table(responses: Responses, scores: Predictability, events: list[str]) -> pd.DataFrame:
    """Return what is known of each drug, one row each.

    Parameters
    ----------
    responses
        Of the lines.
    scores
        Of held-out lines.
    events
        That change the response to each drug.
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
            "driver_event": events,
            "fusion": fusions_of(list(facts["target"])),
        }
    )
    return table[list(DRUGS)]
