"""What is known of drugs: synonyms, target and pathway; and how a drug is found by any of its names."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.names import drug_key, nearest_names, plain, rotation

TABLE = Path(__file__).parent / "drug_table.csv"
# what a drug is dispensed with; "erlotinib hydrochloride" is erlotinib
SALTS = (
    "acetate",
    "benzoate",
    "besylate",
    "bromide",
    "chloride",
    "citrate",
    "dihydrochloride",
    "ditosylate",
    "edisylate",
    "esylate",
    "fumarate",
    "gluconate",
    "hcl",
    "hemifumarate",
    "hydrate",
    "hydrobromide",
    "hydrochloride",
    "lactate",
    "malate",
    "maleate",
    "mesilate",
    "mesylate",
    "methanesulfonate",
    "monohydrate",
    "monohydrochloride",
    "nitrate",
    "oxalate",
    "phosphate",
    "potassium",
    "salt",
    "sodium",
    "succinate",
    "sulfate",
    "sulphate",
    "tartrate",
    "tosylate",
    "trihydrochloride",
)
LAST_SALT = re.compile(rf"[\s,(-]+(?:\d+)?(?:{'|'.join(SALTS)})[\s)]*$", re.IGNORECASE)


@dataclass(frozen=True)
class DrugFacts:
    """What is known of one drug.

    Attributes
    ----------
    names
        Its name and synonyms.
    target
        What it acts on.
    pathway
        Where that belongs.
    """

    names: tuple[str, ...]
    target: str
    pathway: str


@cache
def drug_facts() -> tuple[DrugFacts, ...]:
    """Return the drugs of GDSC, release 8.2; where they come from stands beside the table."""
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    return tuple(
        DrugFacts(
            (row.name, *(name.strip() for name in row.synonyms.split(",") if name.strip())), row.target, row.pathway
        )
        for row in table.itertuples(index=False)
    )


def unsigned(name: str) -> str:
    """Return a drug's key without its optical rotation: of ``"(+)-JQ1"``, that of ``"JQ1"``.

    Parameters
    ----------
    name
        Of the drug.
    """
    return plain(rotation(name)[0])


def base(name: str) -> str:
    """Return the name of what a salt is made of: of ``"Erlotinib hydrochloride"``, ``"Erlotinib"``.

    Parameters
    ----------
    name
        Of the drug.
    """
    shorter = name
    while (found := LAST_SALT.sub("", shorter)) != shorter:
        shorter = found
    return shorter if plain(shorter) else name


def base_key(name: str) -> str:
    """Return the key of what a salt is made of.

    Parameters
    ----------
    name
        Of the drug.
    """
    return drug_key(base(name))


def unsigned_base(name: str) -> str:
    """Return the key of what a salt is made of, without its optical rotation.

    Parameters
    ----------
    name
        Of the drug.
    """
    return unsigned(base(name))


SIGNED: tuple[Callable[[str], str], ...] = (drug_key, base_key)  # from the strictest
UNSIGNED: tuple[Callable[[str], str], ...] = (drug_key, unsigned, base_key, unsigned_base)
ALL = "all"  # in the place of a drug's name: every drug
KINDS = ("target", "pathway")  # target:EGFR in the place of a drug's name: every drug that acts on it
BRACKETS = re.compile(r"^(.*?)\((.*)\)$")


def find_drugs(name: str, known: Sequence[str]) -> list[str]:
    """Return the drugs that a name may stand for, in the order in which they are known.

    Case and punctuation do not matter. The name itself is looked for first, then what it is a salt of, then drugs of
    which it is a synonym. A name without ``(+)`` or ``(-)`` stands for both; one with a sign for that one only.

    Parameters
    ----------
    name
        What the user wrote.
    known
        The names in the response table.
    """
    spellings = SIGNED if rotation(name)[1] else UNSIGNED
    for spelling in spellings:
        wanted = spelling(name)
        if found := [drug for drug in known if spelling(drug) == wanted]:
            return found
    for spelling in spellings:
        wanted = spelling(name)
        synonyms = {key for keys in _groups(spelling) if wanted in keys for key in keys}
        if found := [drug for drug in known if spelling(drug) in synonyms]:
            return found
    return []


@cache
def _groups(spelling: Callable[[str], str]) -> tuple[frozenset[str], ...]:
    """Return the names of each drug, spelled in one way."""
    return tuple(frozenset(map(spelling, facts.names)) - {""} for facts in drug_facts())


def match_drug(name: str, known: Iterable[str], where: str) -> str:
    """Find a drug by its name or a synonym; see :func:`find_drugs`.

    Parameters
    ----------
    name
        What the user wrote.
    known
        The names in the response table.
    where
        What the response table is called in the message.

    Raises
    ------
    InputError
        If no drug matches, and the message lists the nearest five; or if several do, and it lists these.
    """
    known = list(known)
    found = find_drugs(name, known)
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{where}: '{name}' may be any of {', '.join(found)}; write the one that is meant")
    raise InputError(
        f"{where}: no drug is named '{name}'; nearest: {', '.join(nearest_names(name, _all_names(known)))} "
        "(pharmacell list_drugs prints all)"
    )


def is_choice(name: str) -> bool:
    """Tell whether a text stands for drugs to be looked up: ``all``, ``target:T`` or ``pathway:P``.

    Parameters
    ----------
    name
        What the user wrote in the place of a drug's name.
    """
    kind, colon, _ = name.lower().partition(":")
    return (kind.strip() == ALL and not colon) or (kind.strip() in KINDS and bool(colon))


def choose_drugs(name: str, known: Sequence[str], where: str) -> list[str]:
    """Return the drugs that a name, ``all``, ``target:T`` or ``pathway:P`` stands for, in the order of the table.

    A target is one of those that a drug acts on, a pathway the whole name of one; neither case nor punctuation matters.
    ``target:PI3K`` is also that of ``PI3K (class 1)``, ``target:PDPK1`` that of ``PDK1 (PDPK1)``.

    Parameters
    ----------
    name
        What the user wrote.
    known
        The names in the response table.
    where
        What the response table is called in the message.

    Raises
    ------
    InputError
        If there is no such drug, or none on that target or in that pathway; the message names the nearest.
    """
    if not is_choice(name):
        return [match_drug(name, known, where)]
    kind, _, wanted = (part.strip() for part in name.partition(":"))
    if kind.lower() == ALL:
        return list(known)
    facts = describe_drugs(known)[kind.lower()]
    parts = [list(filter(None, _targets(text) if kind.lower() == "target" else text.split("; "))) for text in facts]
    found = [drug for drug, each in zip(known, parts, strict=True) if plain(wanted) in map(plain, each)]
    if found:
        return found
    there = {part: part for each in parts for part in each}
    raise InputError(
        f"{where}: no drug has the {kind.lower()} '{wanted}'; nearest: {', '.join(nearest_names(wanted, there))} "
        "(pharmacell list_drugs prints all)"
    )


def _targets(text: str) -> list[str]:
    """Return the names of all targets in a cell of the table: ``PDK1 (PDPK1), IKK`` has four, one with the brackets."""
    names = []
    for part in re.split("[,;]", text):
        inside = BRACKETS.match(part.strip())
        names += [part.strip(), *(name.strip() for name in (inside.groups() if inside else ()))]
    return names


def _all_names(known: Sequence[str]) -> dict[str, str]:
    """Return the names and synonyms of known drugs, each with the drug that it is a name of."""
    names, by_key = {drug: drug for drug in known}, {drug_key(drug): drug for drug in known}
    for facts in drug_facts():
        for drug in {by_key[key] for key in map(drug_key, facts.names) if key in by_key}:
            for synonym in facts.names:
                names.setdefault(synonym, drug)
    return names


def describe_drugs(known: Sequence[str]) -> pd.DataFrame:
    """Return ``synonyms``, ``target`` and ``pathway`` of drugs, empty where nothing is known; indexed as ``known``.

    Synonyms and targets of several entries are joined with ``"; "``.

    Parameters
    ----------
    known
        Names of the drugs.
    """
    rows = []
    for drug in known:
        key = unsigned(drug)
        named = [facts for facts in drug_facts() if unsigned(facts.names[0]) == key]
        entries = named or [facts for facts in drug_facts() if key in map(unsigned, facts.names)]
        synonyms = [name for facts in entries for name in facts.names if unsigned(name) != key]
        columns = (synonyms, [facts.target for facts in entries], [facts.pathway for facts in entries])
        rows.append(tuple("; ".join(dict.fromkeys(filter(None, values))) for values in columns))
    return pd.DataFrame(rows, columns=["synonyms", "target", "pathway"])
