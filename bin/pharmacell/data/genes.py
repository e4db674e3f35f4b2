"""Gene names of every kind, mapped to human symbols with the table that ships with the project."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data import excel_names

TABLE = Path(__file__).with_name("gene_table.parquet")
MIN_MATCHED = 0.2
HUMAN_ENSEMBL = re.compile(r"ENSG\d{11}")
MOUSE_ENSEMBL = re.compile(r"ENSMUSG\d{11}")
NUMBERED = re.compile(r"([A-Z]+)(\d+)")  # a family and a number
MADE_UNIQUE = re.compile(r"[-.]\d+$")
BESIDE = re.compile(r"\||__CHR|\s*\(")
ENTREZ = re.compile(r"(\d+)(\.0+)?")  # a spreadsheet or pandas may have made a fraction of it
NUMBER = re.compile(r"[-+]?\d*[.,]?\d+([eE][-+]?\d+)?")
FEWEST_NUMBERS = 20  # fewer numbers are not taken for Entrez ids
ENOUGH_NAMES = 2000  # to tell where gene names stand
DENSE = 0.3  # share of the numbers of a range that counting leaves out no more of; of Entrez ids far fewer exist
CLEARLY_MORE = 1.5  # times as many names of one side as of the other


@dataclass(frozen=True)
class GeneMapping:
    """Names of a data set and the human symbols they stand for.

    Attributes
    ----------
    names
        As given, shape (n_genes,).
    symbols
        Human symbols, ``None`` where nothing matches, shape (n_genes,).
    species
        ``human`` or ``mouse``.
    kind
        The most frequent kind of name, in words.
    notes
        What was made of names that a spreadsheet changed.
    """

    names: np.ndarray
    symbols: np.ndarray
    species: str
    kind: str
    notes: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Share of the names that match."""
        return float(np.mean([symbol is not None for symbol in self.symbols])) if len(self.symbols) else 0.0


@dataclass(frozen=True)
class GeneTable:
    """Look-ups from a name to a human symbol; symbols and aliases are upper case, mouse symbols are as published."""

    symbols: dict[str, str]
    aliases: dict[str, str]
    ensembl: dict[str, str]
    entrez: dict[str, str]
    mouse_symbols: dict[str, str]
    mouse_ensembl: dict[str, str]


@lru_cache(maxsize=1)
def gene_table() -> GeneTable:
    """Read the table that ships with the project."""
    table = pd.read_parquet(TABLE)

    def lookup(column: str, key: Callable[[str], str] = str) -> dict[str, str]:
        pairs = table[["symbol", column]].explode(column).dropna()
        return {key(name): symbol for name, symbol in zip(pairs[column], pairs["symbol"], strict=True)}

    return GeneTable(
        {symbol.upper(): symbol for symbol in table["symbol"]},
        lookup("aliases", str.upper),
        lookup("ensembl"),
        lookup("entrez"),
        lookup("mouse_symbols"),
        lookup("mouse_ensembl"),
    )


def map_names(names: Sequence[str], species: str = "auto") -> GeneMapping:
    """Map names to human symbols.

    Parameters
    ----------
    names
        Symbols, previous symbols, aliases, Ensembl ids (a version suffix is cut off), Entrez ids; mouse symbols or
        mouse Ensembl ids. Kinds may be mixed.
    species
        ``human``, ``mouse``, or ``auto``: whichever more names belong to.
    """
    table = gene_table()
    given = [str(name).strip() for name in names]
    if is_count_up(given) or (len(given) < FEWEST_NUMBERS and len(given) > 2 and all(map(ENTREZ.fullmatch, given))):
        nothing = np.full(len(given), None, dtype=object)
        return GeneMapping(np.asarray(given, dtype=object), nothing, "human", "consecutive numbers")
    if species == "auto":
        n_mouse = sum(name in table.mouse_symbols or MOUSE_ENSEMBL.match(name) is not None for name in given)
        n_human = sum(table.symbols.get(name) == name or HUMAN_ENSEMBL.match(name) is not None for name in given)
        species = "mouse" if n_mouse > n_human else "human"
    find = _find_mouse if species == "mouse" else _find_human
    dates = [
        place for place, name in enumerate(given) if excel_names.is_date(name) and name.upper() not in table.aliases
    ]
    found = [find(name, table) for name in given]
    others = frozenset(symbol for symbol in found if symbol is not None)
    for place in dates:
        found[place] = excel_names.gene_of_date(given[place], others)
    kinds = Counter(kind_of(name) for name in given)
    kind = kinds.most_common(1)[0][0] if kinds else "none"
    symbols = np.empty(len(given), dtype=object)
    symbols[:] = found
    return GeneMapping(np.asarray(given, dtype=object), symbols, species, kind, excel_names.statements(given, found))


def require_orientation(columns: Sequence[str], rows: Sequence[str], source: str) -> tuple[str, str]:
    """Tell which way a table lies by where its gene names stand.

    Parameters
    ----------
    columns, rows
        Names of the table's columns and of its rows, or of the first of them.
    source
        The file, for a message.

    Returns
    -------
    orientation : str
        ``cells_by_genes`` or ``genes_by_cells``.
    statement : str
        A sentence saying so, and why.

    Raises
    ------
    InputError
        If both may be genes. Symbols and Ensembl ids count before numbers, which any cell may be called by.
    """
    sides = {"cells_by_genes": _Evidence.of(columns), "genes_by_cells": _Evidence.of(rows)}
    by_column, by_row = sides.values()
    statement = f"{by_column.share:.0%} of column and {by_row.share:.0%} of row names are genes"
    chosen, other = sorted(sides, key=lambda side: sides[side].words, reverse=True)
    if sides[chosen].words >= MIN_MATCHED:
        is_tie = sides[other].words * CLEARLY_MORE > sides[chosen].words
        is_tie = is_tie or sides[chosen].words < 0.5 < sides[other].numbers
    else:
        is_tie = min(side.numbers for side in sides.values()) >= MIN_MATCHED
        chosen = max(sides, key=lambda side: sides[side].share)
    if is_tie:
        raise InputError(
            f"{source}: {statement}, so genes may be either; say --orientation cells_by_genes or genes_by_cells"
        )
    return chosen, f"orientation is {chosen} (detected: {statement})"


@dataclass(frozen=True)
class _Evidence:
    """How much some names look like genes.

    Attributes
    ----------
    share
        Share of them that match a gene.
    words
        The same for symbols and Ensembl ids; an alias counts a quarter, because wells such as A1 are aliases, too.
    numbers
        The same for numbers; none if they just count up.
    """

    share: float
    words: float
    numbers: float

    @classmethod
    def of(cls, names: Sequence[str]) -> "_Evidence":
        """Look at names, or at 2000 of them; a name counts once."""
        if not len(names):
            return cls(0.0, 0.0, 0.0)
        places = np.linspace(0, len(names) - 1, min(len(names), ENOUGH_NAMES)).astype(int)
        once = list(dict.fromkeys(str(names[place]) for place in places))
        mouse = gene_table().mouse_symbols
        words, numbers, found = 0.0, 0.0, 0
        for name, symbol in zip(once, map_names(once).symbols, strict=True):
            found += symbol is not None
            if symbol is not None and ENTREZ.fullmatch(name):
                numbers += 1
            elif symbol is not None:
                current = symbol.upper() in _spellings(name) or name in mouse or name.startswith("ENS")
                words += 1 if current else 0.25
        if is_count_up(names) or len(names) < FEWEST_NUMBERS:
            found, numbers = found - int(numbers), 0.0
        return cls(found / len(places), words / len(places), numbers / len(places))


def is_count_up(names: Sequence[str]) -> bool:
    """Tell whether names are just counted through, with gaps or from the start again, and so are no Entrez ids.

    Parameters
    ----------
    names
        Of genes, or of cells.
    """
    if len(names) < 2 or not all(name.isdecimal() for name in names):
        return False
    numbers = {int(name) for name in names}
    return len(numbers) > DENSE * (max(numbers) - min(numbers) + 1) or len(numbers) < len(names) / 2


def kind_of(name: str) -> str:
    """Return the kind of a name, in words.

    Parameters
    ----------
    name
        As written in a file.
    """
    if HUMAN_ENSEMBL.match(name):
        return "human Ensembl ids"
    if MOUSE_ENSEMBL.match(name):
        return "mouse Ensembl ids"
    if ENTREZ.fullmatch(name):
        return "Entrez ids"
    if excel_names.is_date(name):
        return "dates"
    return "numbers" if NUMBER.fullmatch(name) else "symbols"


def _find_human(name: str, table: GeneTable) -> str | None:
    """Return the symbol of one human gene name."""
    if ensembl := HUMAN_ENSEMBL.search(name):  # also beside a symbol
        return table.ensembl.get(ensembl[0])
    if entrez := ENTREZ.fullmatch(name):
        return table.entrez.get(entrez[1])
    if NUMBER.fullmatch(name):
        return None
    for spelling in _spellings(name):
        found = table.symbols.get(spelling) or table.aliases.get(spelling)
        if found:
            return found
    return None


def _find_mouse(name: str, table: GeneTable) -> str | None:
    """Return the human symbol of one mouse gene name; a symbol that is not listed may differ in case only.

    A human alias counts only where a whole family was renamed, as Sept9 to Septin9: Mup1, a urinary protein that people
    do not have, is an alias of the human SLC25A19.
    """
    if ensembl := MOUSE_ENSEMBL.search(name):
        return table.mouse_ensembl.get(ensembl[0])
    if NUMBER.fullmatch(name):
        return None
    found = table.mouse_symbols.get(name) or table.mouse_symbols.get(MADE_UNIQUE.sub("", name))
    if found or name.isupper():
        return found
    for spelling in _spellings(name):
        symbol, renamed = table.symbols.get(spelling), table.aliases.get(spelling)
        if symbol is None and renamed is not None and is_longer_name(spelling, renamed):
            symbol = renamed
        if symbol is not None:
            return symbol
    return None


def is_longer_name(alias: str, symbol: str) -> bool:
    """Tell whether a symbol is an alias with a longer family name and the same number, as SEPTIN9 of SEPT9.

    Parameters
    ----------
    alias, symbol
        In upper case.
    """
    old, new = (NUMBERED.fullmatch(name) for name in (alias, symbol))
    return bool(old and new and old[2] == new[2] and new[1].startswith(old[1]))


def _spellings(name: str) -> list[str]:
    """Spellings to try: as it is, dots that R put in place of dashes, a number that made a name unique cut off.

    What follows a bar, a bracket or ``__chr`` is cut off before: TP53|7157, TP53 (7157), TP53__chr17.
    """
    name = BESIDE.split(name.upper(), maxsplit=1)[0]
    spellings = [name]
    if "." in name:
        spellings.append(name.replace(".", "-"))
    if MADE_UNIQUE.search(name):
        spellings.append(MADE_UNIQUE.sub("", name))
    return spellings


def require_match(mapping: GeneMapping, source: str) -> None:
    """Check that enough names match.

    Parameters
    ----------
    mapping
        How its names were mapped.
    source
        The file, for messages.

    Raises
    ------
    InputError
        If fewer than 20 % do; the message says which kinds of names were seen, with examples.
    """
    if mapping.share >= MIN_MATCHED:
        return
    kinds = Counter(kind_of(name) for name in mapping.names)
    unmatched = mapping.names[[symbol is None for symbol in mapping.symbols]]
    seen = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "no names"
    if is_count_up(list(mapping.names)):
        seen = "consecutive numbers"
    raise InputError(
        f"{source}: {mapping.share:.0%} of the gene names match known {mapping.species} genes, at least "
        f"{MIN_MATCHED:.0%} must; seen: {seen}, such as {', '.join(unmatched[:4])}; use symbols, Ensembl ids or human "
        "Entrez ids, and check --orientation and --species"
    )


class SymbolColumns:
    """How columns of names become one column for each human symbol.

    Parameters
    ----------
    mapping
        Of the columns of the matrices that are brought to symbols.
    how
        What to do with several columns of one symbol: ``sum`` or ``mean``.

    Attributes
    ----------
    var
        Indexed by symbol, in the order in which the symbols first occur; ``original``: the names as given, joined by
        ``|``.
    """

    def __init__(self, mapping: GeneMapping, how: str) -> None:
        self.known = np.flatnonzero([symbol is not None for symbol in mapping.symbols])
        self.codes, symbols = pd.factorize(mapping.symbols[self.known])
        original = pd.Series(mapping.names[self.known]).groupby(self.codes).agg("|".join)
        self.var = pd.DataFrame({"original": original.to_numpy()}, index=pd.Index(symbols.astype(str)))
        self.gather: sparse.csr_matrix | None = None
        if len(symbols) < len(self.known):
            weight = np.ones(len(self.known), dtype=np.float32)
            if how == "mean":
                weight /= np.bincount(self.codes)[self.codes]
            shape = (len(mapping.names), len(symbols))
            self.gather = sparse.csr_matrix((weight, (self.known, self.codes)), shape=shape, dtype=np.float32)

    def names_of(self, symbols: np.ndarray) -> np.ndarray:
        """Return the columns of the names that became some symbols, sorted int [n].

        Parameters
        ----------
        symbols
            Which, bool [n_symbols].
        """
        return self.known[symbols[self.codes]]

    def of(self, matrix: sparse.csr_matrix | np.ndarray) -> sparse.csr_matrix | np.ndarray:
        """Return the same rows by symbol, float32 [n_cells, n_symbols]; sparse stays sparse.

        Parameters
        ----------
        matrix
            [n_cells, n_names].
        """
        if self.gather is None:
            chosen = matrix if len(self.known) == matrix.shape[1] else matrix[:, self.known]
            return chosen.astype(np.float32, copy=False)
        if sparse.issparse(matrix):
            return (matrix.astype(np.float32, copy=False) @ self.gather).tocsr()
        return np.ascontiguousarray((self.gather.T @ matrix.T.astype(np.float32)).T)


def canonical_columns(table: pd.DataFrame, source: str) -> tuple[pd.DataFrame, list[str]]:
    """Rename a table's columns to current human symbols, averaging duplicates.

    Parameters
    ----------
    table
        Lines x genes.
    source
        What to call the table in a message.

    Returns
    -------
    table : pandas.DataFrame
        float32; a name that matches nothing keeps its spelling.
    notes : list of str
        How many names matched.

    Raises
    ------
    InputError
        If fewer than 20 % of the names match.
    """
    mapping = map_names(table.columns)
    require_match(mapping, source)
    kept = np.where([symbol is None for symbol in mapping.symbols], mapping.names, mapping.symbols)
    whole = GeneMapping(mapping.names, kept, mapping.species, mapping.kind)
    columns = SymbolColumns(whole, "mean")
    note = f"{source}: {mapping.share:.1%} of {len(mapping.names)} gene names match ({mapping.kind}, {mapping.species})"
    return pd.DataFrame(columns.of(table.to_numpy(np.float32)), table.index, columns.var.index), [note, *mapping.notes]
