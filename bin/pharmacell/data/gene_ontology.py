"""Hierarchy of biological processes, pruned to the genes at hand."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pharmacell.core.errors import InputError

TABLE = Path(__file__).parent / "gene_ontology.parquet"
ROOT = "GO:0008150"  # biological process


@dataclass(frozen=True)
class Hierarchy:
    """Terms whose genes and children a network can be shaped by.

    Parameters
    ----------
    terms
        Kept terms; each stands after all its descendants, so the root is the last one.
    genes
        Positions of the genes annotated to each term itself, in the order of ``terms``.
    children
        Positions in ``terms`` of each term's kept children.
    level
        0 for a term without kept children, else one more than the highest of its children.
    """

    terms: tuple[str, ...]
    genes: tuple[tuple[int, ...], ...]
    children: tuple[tuple[int, ...], ...]
    level: tuple[int, ...]


@lru_cache(maxsize=4)
def hierarchy(genes: tuple[str, ...], fewest_genes: int) -> Hierarchy:
    """Keep the terms that have enough of the genes; what belongs to a smaller term goes to its parents.

    Parameters
    ----------
    genes
        Human symbols at hand.
    fewest_genes
        Genes, its descendants' included, that a term must have.

    Raises
    ------
    InputError
        If none of the genes is annotated.
    """
    import pandas as pd

    table = pd.read_parquet(TABLE)
    position = {gene: place for place, gene in enumerate(genes)}
    own, children = defaultdict(set), defaultdict(set)
    for term, member, is_gene in table.itertuples(index=False):
        if not is_gene:
            children[term].add(member)
        elif member in position:
            own[term].add(position[member])
    order = _descendants_first(children)
    below: dict[str, set[int]] = {}
    for term in order:
        below[term] = own[term].union(*(below[child] for child in children[term]))
    if not below[ROOT]:
        raise InputError(
            f"drugcell: none of the {len(genes)} genes that bulk and cells share is in the gene ontology; "
            "leave drugcell out of --models"
        )
    kept = [term for term in order if len(below[term]) >= fewest_genes or term == ROOT]
    place = {term: number for number, term in enumerate(kept)}
    own_genes: list[tuple[int, ...]] = []
    own_children: list[tuple[int, ...]] = []
    level: list[int] = []
    for term in kept:
        large = [child for child in children[term] if child in place]
        small = (below[child] for child in children[term] if child not in place)
        own_genes.append(tuple(sorted(own[term].union(*small))))
        own_children.append(tuple(sorted(place[child] for child in large)))
        level.append(1 + max((level[place[child]] for child in large), default=-1))
    return Hierarchy(tuple(kept), tuple(own_genes), tuple(own_children), tuple(level))


def _descendants_first(children: dict[str, set[str]]) -> list[str]:
    """Return all terms below the root and the root itself, each after its descendants, in an order of their names."""
    order: dict[str, None] = {}
    open_terms = [(ROOT, False)]
    while open_terms:
        term, done = open_terms.pop()
        if done:
            order.setdefault(term)
        elif term not in order:
            open_terms.append((term, True))
            open_terms += [(child, False) for child in sorted(children.get(term, ())) if child not in order]
    return list(order)
