"""Which cells were treated, read from a column of their annotation."""

import re

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.annotations import MISSING
from pharmacell.data.columns import NOT_KNOWN, UNTREATED
from pharmacell.data.frames import plain_text

MOST_PARTS = 20  # different values; a column with more is none of treatments or time points
TREATED = "treated"
UNTREATED_WORDS = {
    *("0", "false", "f", "no", "n"),
    *("untreated", "un treated", "not treated", "non treated", "nontreated", "no treatment", "no drug"),
    *("control", "controls", "ctrl", "ctl", "untreated control", "vehicle", "vehicle control", "dmso", "mock", "pbs"),
    *("saline", "before", "before treatment", "pre", "pre treatment", "pretreatment", "baseline", "naive"),
}
TREATED_WORDS = {
    *("1", "true", "t", "yes", "y"),
    *("treated", "treatment", "drug", "drug treated", "after", "after treatment", "post", "post treatment"),
    *("posttreatment", "on treatment"),
}
MAYBE = {"none"}  # no drug, or not written down
HINTS = (
    {  # a longer value with one of these may mean cells without the drug, or with it
        word for word in UNTREATED_WORDS if " " not in word and len(word) > 1
    }
    | {"un", "not", "no", "non", "without", "none", "free", "pretreated"}
    | {"parental", "unexposed", "undrugged", "medium", "media"}
)
ZERO = re.compile(
    r"(day|d|week|w|hour|h|time|t|month|m|cycle|c|dose)? ?0+(\.0+)? ?"
    r"(days?|d|weeks?|w|hours?|hrs?|h|months?|min|minutes?|[unpmµμ]?m|[unmµμ]g)?"
)
EXAMPLES = "untreated, control, vehicle, DMSO, before, pre, day 0, 0 or false"


def parse_treatment(values: pd.Series, source: str) -> tuple[pd.Categorical, list[str]]:
    """Read which cells were treated, and with what or for how long.

    Parameters
    ----------
    values
        One for each cell: an untreated cell has a word of ``UNTREATED_WORDS``, 0, false, or a zero time or dose such as
        ``day 0``; beside such cells any other value says what was done to the treated ones.
    source
        The file, for a message.

    Returns
    -------
    parts : pandas.Categorical
        ``untreated``, ``treated`` or the treatment as written, ``not known`` where there is no value; [n_cells].
    notes : list of str
        Which values count as what.

    Raises
    ------
    InputError
        If a value may mean either, if none says which cells are untreated, or if there are too many values.
    """
    codes, seen = pd.factorize(values)
    counts = np.bincount(codes[codes >= 0], minlength=len(seen))
    spelled = [plain_text(value).strip() for value in seen]
    words = [normal(text) for text in spelled]
    named = [f"'{text}' ({count} cells)" for text, count in zip(spelled, counts, strict=True)]
    require_understood(words, named, f"{source}: column {values.name}")
    parts = parts_of(words, spelled)
    cells = np.array([*parts, NOT_KNOWN], dtype=object)[codes]  # code -1: missing
    return pd.Categorical(cells, pd.Index(sorted(set(cells), key=place_of), dtype=object)), [
        note(values.name, parts, named, cells)
    ]


def require_understood(words: list[str], named: list[str], place: str) -> None:
    """Check that the values say which cells were treated.

    Parameters
    ----------
    words
        Different values, from :func:`normal`.
    named
        How each is spelled with its number of cells, for a message.
    place
        File and column, for a message.

    Raises
    ------
    InputError
        If a value may mean either, if none says which cells are untreated, or if there are too many values.
    """
    given = {word for word in words if is_known(word)}
    if not given:
        raise InputError(f"{place}: no cell has a value; leave treatment_key out")
    if len(given) > MOST_PARTS:
        raise InputError(
            f"{place}: {len(given)} different values, at most {MOST_PARTS} treatments or time points can be told "
            "apart; name another column with treatment_key"
        )
    if maybe := [name for name, word in zip(named, words, strict=True) if is_unclear(word)]:
        raise InputError(
            f"{place}: {', '.join(maybe)} may mean untreated cells or not; write {UNTREATED} or the treatment, or "
            "leave the cell empty where it is not known"
        )
    if not any(is_untreated(word) for word in given) and not given <= TREATED_WORDS:
        shown = ", ".join(name for name, word in zip(named, words, strict=True) if is_known(word))
        raise InputError(
            f"{place}: no value says which cells are untreated: {shown}; write one of {EXAMPLES} for those, or leave "
            "treatment_key out"
        )


def parts_of(words: list[str], spelled: list[str]) -> list[str]:
    """Return what each value is taken for.

    Parameters
    ----------
    words
        Different values, from :func:`normal`; some may be the same word.
    spelled
        How they are spelled; the first spelling of a treatment names it.
    """
    times = any(is_number(word) and word not in ("0", "1") for word in words)  # 1 beside 3 and 7 is a time or dose
    names: dict[str, str] = {}
    parts = []
    for word, text in zip(words, spelled, strict=True):
        if not is_known(word):
            parts.append(NOT_KNOWN)
        elif is_untreated(word):
            parts.append(UNTREATED)
        elif word in TREATED_WORDS and not (times and is_number(word)):
            parts.append(TREATED)
        else:
            parts.append(names.setdefault(word, text))
    return parts


def is_known(word: str) -> bool:
    """Tell whether a value says anything.

    Parameters
    ----------
    word
        From :func:`normal`.
    """
    return word not in MISSING - MAYBE


def normal(text: str) -> str:
    """Return a value in small letters, with single blanks, and whole numbers without a decimal point.

    Parameters
    ----------
    text
        The value.
    """
    word = text.lower()
    if word in MISSING:
        return word
    if is_number(word):
        return f"{float(word):g}"
    return re.sub(r"[\s_\-]+", " ", word).replace("naïve", "naive").strip()


def place_of(part: str) -> tuple:
    """Return what parts are sorted by: untreated first, what is not known last, 3 before 11.

    Parameters
    ----------
    part
        Its name.
    """
    pieces = re.split(r"(\d+)", part)
    return part != UNTREATED, part == NOT_KNOWN, [int(piece) if at % 2 else piece for at, piece in enumerate(pieces)]


def is_number(word: str) -> bool:
    """Tell whether a value is a number.

    Parameters
    ----------
    word
        The value.
    """
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", word) is not None


def is_untreated(word: str) -> bool:
    """Tell whether a value stands for an untreated cell.

    Parameters
    ----------
    word
        From :func:`normal`.
    """
    return word in UNTREATED_WORDS or ZERO.fullmatch(word) is not None


def is_unclear(word: str) -> bool:
    """Tell whether a value may mean untreated cells, or treated ones: ``DMSO 24h``, ``none``, ``-3``.

    Parameters
    ----------
    word
        From :func:`normal`.
    """
    if not is_known(word) or word in TREATED_WORDS or is_untreated(word):
        return False
    if is_number(word):
        return float(word) < 0
    tokens = re.split(r"[^a-z0-9.µμ]+", word)
    return any(token in HINTS or ZERO.fullmatch(token) for token in tokens)


def note(column: object, parts: list[str], named: list[str], cells: np.ndarray) -> str:
    """Say which values count as untreated and which as treated.

    Parameters
    ----------
    column
        Its name.
    parts, named
        Of each value: what it was taken for, and how it is spelled with its number of cells.
    cells
        The part of each cell, [n_cells].
    """
    sides: dict[bool, list[str]] = {True: [], False: []}
    for part, name in zip(parts, named, strict=True):
        if part != NOT_KNOWN:
            sides[part == UNTREATED].append(name)
    before, after = (", ".join(sides[side]) or "nothing" for side in (True, False))
    missing = int((cells == NOT_KNOWN).sum())
    return f"{column}: taken as untreated {before}, as treated {after}" + (
        f"; {missing} cells have no value" if missing else ""
    )
