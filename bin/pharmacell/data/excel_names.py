"""Gene names that a spreadsheet turned into dates or numbers."""

import re
from collections.abc import Sequence

MONTHS = {
    "mar": 3,
    "mär": 3,
    "mrz": 3,
    "mars": 3,
    "march": 3,
    "märz": 3,
    "maart": 3,
    "mrt": 3,
    "sep": 9,
    "sept": 9,
    "september": 9,
    "set": 9,
    "dec": 12,
    "dez": 12,
    "déc": 12,
    "dic": 12,
    "december": 12,
    "oct": 10,
    "okt": 10,
    "apr": 4,
    "feb": 2,
    "nov": 11,
    "jan": 1,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "may": 5,
}
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
DAY_MONTH = re.compile(rf"(\d{{1,2}})[-. /]+({MONTH})\.?([-. /]\d{{2,4}})?", re.IGNORECASE)
MONTH_DAY = re.compile(rf"({MONTH})\.?[-. /](\d{{1,2}})([-. /,]+\d{{4}})?", re.IGNORECASE)
YEAR_FIRST = re.compile(r"(?:19|20)\d\d[-/.](\d{1,2})[-/.](\d{1,2})(?:[ T]00:00(?::00)?)?")
YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](?:19|20)\d\d")
SCIENTIFIC = re.compile(r"\d+([.,]\d+)?E\+\d+", re.IGNORECASE)
LAST_SEPTIN, LAST_MARCHF = 14, 11
# the names that MARC1 and MARC2 go by; a spreadsheet gives them the same dates as MARCH1 and MARCH2
MARCH_OR_MARC = {1: ("MARCHF1", "MTARC1"), 2: ("MARCHF2", "MTARC2")}


def is_date(name: str) -> bool:
    """Tell whether a name is a date.

    Parameters
    ----------
    name
        As given.
    """
    return bool(_days(name))


def is_rounded_number(name: str) -> bool:
    """Tell whether a name is a number such as 2.31E+19, which was once a clone such as 2310009E13.

    Parameters
    ----------
    name
        As given.
    """
    return SCIENTIFIC.fullmatch(name) is not None


def gene_of_date(name: str, others: frozenset[str]) -> str | None:
    """Return the symbol of the gene whose name became a date, None where it may be several or none.

    Parameters
    ----------
    name
        As given, such as ``2-Sep`` or ``2006/09/02``.
    others
        Current symbols of the other names; MARCH1 and MARC1 both become 1-Mar, and one that is there tells the other.
    """
    found = {gene for month, day in _days(name) for gene in _genes(month, day)}
    if len(found) > 1:
        found -= others
    return found.pop() if len(found) == 1 else None


def statements(names: Sequence[str], symbols: Sequence[str | None]) -> list[str]:
    """Return sentences on the names that a spreadsheet changed.

    Parameters
    ----------
    names
        As given, [n_genes].
    symbols
        What was made of them, [n_genes].
    """
    dates = [(name, symbol) for name, symbol in zip(names, symbols, strict=True) if is_date(name)]
    restored = [f"{name} is {symbol}" for name, symbol in dates if symbol is not None]
    lost = [name for name, symbol in dates if symbol is None]
    numbers = [name for name in names if is_rounded_number(name)]
    notes = []
    if restored:
        notes.append(f"{len(restored)} gene names that a spreadsheet made dates of are restored: {_some(restored)}")
    if lost:
        notes.append(
            f"{len(lost)} gene names that a spreadsheet made dates of may be one of several and are left out: "
            f"{_some(lost)}"
        )
    if numbers:
        notes.append(f"{len(numbers)} names that a spreadsheet made numbers of are left out: {_some(numbers)}")
    return notes


def _some(words: list[str]) -> str:
    """List the first words."""
    return ", ".join(words[:12]) + (" ..." if len(words) > 12 else "")


def _days(name: str) -> list[tuple[int, int]]:
    """Return the months and days that a name may stand for."""
    if match := DAY_MONTH.fullmatch(name):
        return [(MONTHS[match[2].lower()], int(match[1]))]
    if match := MONTH_DAY.fullmatch(name):
        return [(MONTHS[match[1].lower()], int(match[2]))]
    if match := YEAR_FIRST.fullmatch(name):
        return [(int(match[1]), int(match[2]))]
    if match := YEAR_LAST.fullmatch(name):
        return [(int(match[1]), int(match[2])), (int(match[2]), int(match[1]))]
    return []


def _genes(month: int, day: int) -> tuple[str, ...]:
    """Return the genes whose names become this date."""
    if month == 9:
        return (f"SEPTIN{day}",) if 1 <= day <= LAST_SEPTIN else ("SELENOF",) if day == LAST_SEPTIN + 1 else ()
    if month == 3:
        return MARCH_OR_MARC.get(day, (f"MARCHF{day}",) if 1 <= day <= LAST_MARCHF else ())
    return ("DELEC1",) if (month, day) == (12, 1) else ()
