"""Names of drugs and cell lines: one spelling for comparison."""

import difflib
import re
from collections.abc import Iterable

from pharmacell.core.errors import InputError

PUNCTUATION = re.compile(r"[^A-Z0-9]")
NCI_SHORT = re.compile(r"^H(?=\d{3,4}$)")  # H2373 for NCI-H2373; H4 and H9 are lines of their own
NCI_LONG = re.compile(r"^NCI(?=SNU\d)")  # NCI-SNU-1 for SNU-1


def drug_key(name: str) -> str:
    """Return a drug's name without case and punctuation: ``"PLX-4720"`` and ``"plx 4720"`` are one drug."""
    return PUNCTUATION.sub("", str(name).upper())


def line_key(name: str) -> str:
    """Return a cell line's canonical name: upper case, no punctuation, NCI prefix where the collection uses it."""
    key = PUNCTUATION.sub("", str(name).upper())
    return NCI_LONG.sub("", NCI_SHORT.sub("NCIH", key))


def match_drug(name: str, known: Iterable[str], source: str) -> str:
    """Find a drug without regard to case and punctuation.

    Parameters
    ----------
    name
        What the user wrote.
    known
        The names in the response table.
    source
        What the response table is called in the message.

    Raises
    ------
    InputError
        If no drug matches; the message lists the nearest five.
    """
    by_key = {drug_key(drug): drug for drug in known}
    key = drug_key(name)
    if key in by_key:
        return by_key[key]
    nearest = difflib.get_close_matches(key, by_key, n=5, cutoff=0.0)
    raise InputError(
        f"{source}: no drug is named '{name}'; nearest: {', '.join(by_key[found] for found in nearest)} "
        "(list_drugs.py prints all)"
    )
