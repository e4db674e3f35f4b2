"""Gene names of every kind, mapped to human symbols with the table that ships with the project."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError

TABLE = Path(__file__).with_name("gene_table.parquet")
MIN_MATCHED = 0.2
HUMAN_ENSEMBL = re.compile(r"ENSG\d{11}")
MOUSE_ENSEMBL = re.compile(r"ENSMUSG\d{11}")
MADE_UNIQUE = re.compile(r"[-.]\d+$")


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
    """

    names: np.ndarray
    symbols: np.ndarray
    species: str
    kind: str

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
    names = np.asarray([str(name).strip() for name in names], dtype=object)
    if is_count_up(names):
        return GeneMapping(names, np.full(len(names), None, dtype=object), "human", "consecutive numbers")
    if species == "auto":
        n_mouse = sum(name in table.mouse_symbols or MOUSE_ENSEMBL.match(name) is not None for name in names)
        n_human = sum(table.symbols.get(name) == name or HUMAN_ENSEMBL.match(name) is not None for name in names)
        species = "mouse" if n_mouse > n_human else "human"
    find = _find_mouse if species == "mouse" else _find_human
    symbols = np.empty(len(names), dtype=object)
    symbols[:] = [find(name, table) for name in names]
    kinds = Counter(kind_of(name) for name in names)
    return GeneMapping(names, symbols, species, kinds.most_common(1)[0][0] if kinds else "none")


def is_count_up(names: Sequence[str]) -> bool:
    """Tell whether names are just consecutive numbers, which would pass for Entrez ids."""
    if len(names) < 2 or not all(name.isdecimal() for name in names):
        return False
    numbers = np.array([int(name) for name in names])
    return bool((np.diff(numbers) == 1).all())


def kind_of(name: str) -> str:
    """Return the kind of a name, in words."""
    if HUMAN_ENSEMBL.match(name):
        return "human Ensembl ids"
    if MOUSE_ENSEMBL.match(name):
        return "mouse Ensembl ids"
    if name.isdecimal():
        return "Entrez ids"
    return "symbols"


def _find_human(name: str, table: GeneTable) -> str | None:
    """Return the symbol of one human gene name."""
    if name.startswith("ENSG"):
        return table.ensembl.get(name.split(".")[0])
    if name.partition(".")[0].isdecimal():
        return table.entrez.get(name.partition(".")[0])
    for spelling in _spellings(name):
        found = table.symbols.get(spelling) or table.aliases.get(spelling)
        if found:
            return found
    return None


def _find_mouse(name: str, table: GeneTable) -> str | None:
    """Return the human symbol of one mouse gene name; a symbol that is not listed may differ in case only."""
    if name.startswith("ENSMUSG"):
        return table.mouse_ensembl.get(name.split(".")[0])
    if name.isdecimal():
        return None
    found = table.mouse_symbols.get(name) or table.mouse_symbols.get(MADE_UNIQUE.sub("", name))
    return found or (None if name.isupper() else _find_human(name, table))


def _spellings(name: str) -> list[str]:
    """Spellings to try: as it is, dots that R put in place of dashes, a number that made a name unique cut off."""
    name = name.upper()
    spellings = [name]
    if "." in name:
        spellings.append(name.replace(".", "-"))
    if MADE_UNIQUE.search(name):
        spellings.append(MADE_UNIQUE.sub("", name))
    return spellings


def require_match(mapping: GeneMapping, source: str) -> None:
    """Check that enough names match.

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
    if is_count_up(mapping.names):
        seen = "consecutive numbers"
    raise InputError(
        f"{source}: {mapping.share:.0%} of the gene names match known {mapping.species} genes, at least "
        f"{MIN_MATCHED:.0%} must; seen: {seen}, such as {', '.join(unmatched[:4])}; use symbols, Ensembl ids or human "
        "Entrez ids, and check --orientation and --species"
    )


def collapse_genes(
    matrix: sparse.csr_matrix | np.ndarray, mapping: GeneMapping, how: str
) -> tuple[sparse.csr_matrix | np.ndarray, pd.DataFrame]:
    """Keep matched genes, one column per human symbol.

    Parameters
    ----------
    matrix
        Shape (n_cells, n_names); sparse stays sparse.
    mapping
        Of the matrix's columns.
    how
        What to do with several columns of one symbol: ``sum`` or ``mean``.

    Returns
    -------
    matrix
        float32, shape (n_cells, n_symbols), in the order in which the symbols first occur.
    var : pandas.DataFrame
        Indexed by symbol; ``original``: the names as given, joined by ``|``.
    """
    known = np.flatnonzero([symbol is not None for symbol in mapping.symbols])
    codes, symbols = pd.factorize(mapping.symbols[known])
    original = pd.Series(mapping.names[known]).groupby(codes).agg("|".join)
    var = pd.DataFrame({"original": original.to_numpy()}, index=pd.Index(symbols.astype(str)))
    if len(symbols) == len(known):
        return matrix[:, known].astype(np.float32), var
    weight = np.ones(len(known), dtype=np.float32)
    if how == "mean":
        weight /= np.bincount(codes)[codes]
    shape = (matrix.shape[1], len(symbols))
    gather = sparse.csr_matrix((weight, (known, codes)), shape=shape, dtype=np.float32)
    if sparse.issparse(matrix):
        return (matrix.astype(np.float32, copy=False) @ gather).tocsr(), var
    return np.ascontiguousarray((gather.T @ matrix.T.astype(np.float32)).T), var


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
    values, var = collapse_genes(table.to_numpy(np.float32), whole, "mean")
    note = f"{source}: {mapping.share:.1%} of {len(mapping.names)} gene names match ({mapping.kind}, {mapping.species})"
    return pd.DataFrame(values, index=table.index, columns=var.index), [note]
