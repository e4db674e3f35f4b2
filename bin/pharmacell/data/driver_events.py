"""Known driver events of cell lines of GDSC, and those that a sample sheet names."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.names import nearest_names, plain

NO_EVENT = {"NONE", "WT", "WILDTYPE"}
COLUMN = "column:"  # before the name of a column of the cells that has the events of each
TABLE = Path(__file__).parent / "driver_events.csv"


def driver_events(lines: pd.Index) -> pd.DataFrame:
    """Return the driver events of lines: 1 where a line has the event, 0 where not, NaN for lines not looked at.

    Parameters
    ----------
    lines
        Canonical names.

    Returns
    -------
    pandas.DataFrame
        float32, lines x events (genes that are mutated, ``BCR-ABL`` and ``MSI``).
    """
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False).set_index("line")["events"]
    events = table.str.get_dummies(";").astype(np.float32)
    return events.reindex(lines)


def known_events() -> pd.Index:
    """Return the names of all driver events of the table."""
    return driver_events(pd.Index([])).columns


def events_column(mutations: str) -> str | None:
    """Return the column of the cells that a sheet names for their driver events; None where it names the events.

    Parameters
    ----------
    mutations
        Such as ``EGFR;TP53`` or ``column:events``.
    """
    return mutations.removeprefix(COLUMN).strip() if mutations.startswith(COLUMN) else None


def named_events(text: str | None, known: pd.Index) -> list[str]:
    """Return the events that a text such as ``EGFR;TP53`` names, as they are called in the table.

    Parameters
    ----------
    text
        Genes, separated by semicolons, commas or blanks; a change behind the gene (``EGFR L858R``, ``EGFR:L858R``) is
        left out. None, empty, ``none``, ``WT`` and ``wild type`` name none.
    known
        Events of the table.

    Raises
    ------
    InputError
        If a gene is not among them.
    """
    by_key = {plain(event): event for event in known}
    found = []
    for part in re.split(r"[;,]", text or ""):
        name = re.split(r"[\s:]", part.strip())[0]
        if not name or plain(part) in NO_EVENT:
            continue
        if plain(name) not in by_key:
            near = ", ".join(nearest_names(name, {event: event for event in known}))
            raise InputError(f"--mutations: '{name}' is none of the {len(known)} known driver events; nearest: {near}")
        found.append(by_key[plain(name)])
    return list(dict.fromkeys(found))
