"""Names of drugs and cell lines: one spelling for comparison, and ids that spreadsheets turned into numbers."""

import difflib
import re
import unicodedata
from collections.abc import Mapping

PUNCTUATION = re.compile(r"[\W_]")
NCI_SHORT = re.compile(r"^H(?=\d{3,4}$)")  # H2373 for NCI-H2373; H4 and H9 are lines of their own
NCI_LONG = re.compile(r"^NCI(?=SNU\d)")  # NCI-SNU-1 for SNU-1
WHOLE = re.compile(r"^(\d+)\.0+$")  # 683000.0, as a column of ids is written once one of them was missing
SCIENTIFIC = re.compile(r"^\d(\.\d+)?E\+\d+$")  # 6.83E+05, as Excel writes a long id: its digits are lost
# the optical rotation of a molecule tells two drugs apart, although it is punctuation
ROTATIONS = {"(+/-)": "RACEMIC", "(+-)": "RACEMIC", "(±)": "RACEMIC", "(+)": "PLUS", "(-)": "MINUS"}
GREEK = re.compile(r"GREEK (?:SMALL|CAPITAL) LETTER (?:FINAL )?(\w+)")
DASHES = re.compile(r"[\u2010-\u2015\u2212]")
MISSING = ("", "nan", "NA", "N/A", "<NA>", "None")
N_NEAREST = 5


def plain(name: object) -> str:
    """Return a name in upper case without punctuation and accents, with Greek letters spelled out.

    Parameters
    ----------
    name
        As somebody wrote it.
    """
    text = unicodedata.normalize("NFKD", str(name))
    return PUNCTUATION.sub("", "".join(_letter(one) for one in text).upper())


def rotation(name: str) -> tuple[str, str]:
    """Return a drug's name without the sign of its optical rotation, and the sign as a word, empty without one.

    Parameters
    ----------
    name
        Such as ``(+)-camptothecin`` or ``Nutlin-3a (-)``.
    """
    text = DASHES.sub("-", str(name))
    for sign, word in ROTATIONS.items():
        if sign in text:
            return text.replace(sign, " "), word
    return text, ""


def _letter(letter: str) -> str:
    """Spell out a Greek letter, and drop an accent that the normalisation set apart."""
    if letter.isascii():
        return letter
    if unicodedata.combining(letter):
        return ""
    if letter == "μ":
        return "u"  # of 10 μM
    found = GREEK.fullmatch(unicodedata.name(letter, ""))
    return found[1] if found else letter


def drug_key(name: str) -> str:
    """Return a drug's name without case and punctuation: ``"PLX-4720"`` and ``"plx 4720"`` are one drug.

    Greek letters become words, and so do ``(+)`` and ``(-)``, which are two drugs, wherever they stand.

    Parameters
    ----------
    name
        As somebody wrote it.
    """
    text, word = rotation(name)
    return plain(text) + word


def line_key(name: str) -> str:
    """Return a cell line's canonical name: upper case, no punctuation, NCI prefix where the collection uses it.

    Parameters
    ----------
    name
        As somebody wrote it.
    """
    return NCI_LONG.sub("", NCI_SHORT.sub("NCIH", plain(name)))


def text_id(value: object) -> str | None:
    """Return an id as text, or None where there is none.

    Parameters
    ----------
    value
        Of a column of ids, whatever its type: 683000.0 and ``"683000.0"`` are ``"683000"``.

    Raises
    ------
    ValueError
        If a spreadsheet wrote the id with an exponent, which loses digits.
    """
    text = str(value).strip()
    if text in MISSING:
        return None
    if SCIENTIFIC.match(text.upper()):
        raise ValueError(f"the id {text} has an exponent: a spreadsheet took it for a number and dropped its digits")
    return WHOLE.sub(r"\1", text)


def nearest_names(name: str, known: Mapping[str, str]) -> list[str]:
    """Return the five things whose name, or one of whose names, is spelled most like a name.

    Parameters
    ----------
    name
        As somebody wrote it.
    known
        All names that there are, and what each is a name of.

    Returns
    -------
    list of str
        What is meant, with the other name in brackets, such as ``Erlotinib (Tarceva)``; the nearest first.
    """
    by_key = {plain(one): one for one in reversed(list(known))}  # the first of one spelling is kept
    nearest: dict[str, str] = {}
    for key in difflib.get_close_matches(plain(name), by_key, n=max(len(by_key), 1), cutoff=0.0):
        found = by_key[key]
        nearest.setdefault(known[found], known[found] if known[found] == found else f"{known[found]} ({found})")
    return list(nearest.values())[:N_NEAREST]
