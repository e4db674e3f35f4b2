"""The folder ``panel_model/``: what PRETRAIN_PANEL hands to PREDICT_PANEL."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmacell import __version__
from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file, write_json
from pharmacell.data.input_file import reason
from pharmacell.drug_panel.columns import CARD_FILE, DRUGS_FILE, LINEAR_FILE, NETWORK_FILE
from pharmacell.drug_panel.linear import LinearChoice
from pharmacell.drug_panel.mutations import EventEffects

if TYPE_CHECKING:
    from pharmacell.drug_panel.trained_network import PanelNetwork

FORMAT = 4


@dataclass(frozen=True)
class PanelModel:
    """What does not depend on a sample.

    Attributes
    ----------
    choice
        What shifted validation chose for the linear members.
    drugs
        One row a drug, see :data:`pharmacell.drug_panel.columns.DRUGS`.
    held_out
        Predicted z of each line, as a pseudo-bulk, by a fit that did not see it, float32 [n_lines, n_drugs].
    effects
        What driver events change.
    lines
        Names of these lines.
    card
        Everything else that ``card.json`` says.
    network
        Of all drugs; None where none was trained.
    network_weight
        What it counts beside the linear member, from 0 to 1.
    """

    choice: LinearChoice
    drugs: pd.DataFrame
    held_out: np.ndarray
    effects: EventEffects
    lines: list[str]
    card: dict[str, Any]
    network: "PanelNetwork | None" = None
    network_weight: float = 0.0


def write_panel_model(model: PanelModel, outdir: Path) -> None:
    """Write the folder.

    Parameters
    ----------
    model
        What is written.
    outdir
        The folder.
    """
    from safetensors.numpy import save_file

    with whole_file(outdir / DRUGS_FILE) as partial:
        model.drugs.to_csv(partial, index=False)
    with whole_file(outdir / LINEAR_FILE) as partial:
        arrays = {
            "held_out": model.held_out,
            "event_rates": model.effects.rates,
            "event_pairs": np.stack([model.effects.event, model.effects.drug]),
            "event_effects": model.effects.effects,
        }
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, partial)
    if model.network is not None:
        from pharmacell.drug_panel.trained_network import save_network  # torch takes seconds to import

        save_network(model.network, outdir / NETWORK_FILE)
    fixed = {
        "format": FORMAT,
        "version": __version__,
        "linear": asdict(model.choice),
        "network_weight": model.network_weight,
        "lines": model.lines,
        "events": model.effects.names,
        "event_tissues": model.effects.tissues,
    }
    write_json(outdir / CARD_FILE, {**fixed, **model.card})


def read_panel_model(folder: Path, with_network: bool = False) -> PanelModel:
    """Read what :func:`write_panel_model` wrote.

    Parameters
    ----------
    folder
        ``panel_model/``.
    with_network
        Whether the network is read although it counts nothing.

    Raises
    ------
    InputError
        If a file is missing, damaged or of another version.
    """
    from safetensors.numpy import load_file

    try:
        card = json.loads((folder / CARD_FILE).read_text())
        if card.get("format") != FORMAT:
            raise InputError(f"{folder}: written by version {card.get('version')}; run pretrain_panel again")
        drugs = pd.read_csv(
            folder / DRUGS_FILE, dtype={"drug": str}, keep_default_na=False, na_values={"reliability": [""]}
        )
        arrays = load_file(folder / LINEAR_FILE)
        event, drug = arrays["event_pairs"]
        names, tissues = card["events"], card["event_tissues"]
        effects = EventEffects(names, arrays["event_rates"], tissues, event, drug, arrays["event_effects"])
        choice, weight, network = LinearChoice(**card["linear"]), float(card["network_weight"]), None
        if (weight or with_network) and (folder / NETWORK_FILE).exists():
            from pharmacell.drug_panel.trained_network import load_network  # torch takes seconds to import

            network = load_network(folder / NETWORK_FILE)
        return PanelModel(choice, drugs, arrays["held_out"], effects, card["lines"], card, network, weight)
    except InputError:
        raise
    except Exception as error:  # whatever a library makes of a damaged file
        raise InputError(f"{folder}: not a panel model ({reason(error)}); run pretrain_panel again") from error
