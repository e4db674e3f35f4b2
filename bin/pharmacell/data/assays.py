"""Which features of a file are genes of the wanted species; all others are left out and stated."""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.genes import ENOUGH_NAMES, MIN_MATCHED, map_names

TYPE_COLUMNS = ("feature_types", "feature_type", "modality", "assay")
EXPRESSION = {"gene expression", "gene", "genes", "gex", "rna", "expression", "gene_expression", "scrna"}
GENOME_COLUMNS = ("genome", "genomes", "species", "organism")
GENOME_PREFIX = re.compile(r"(GRCh3[78]|hg19|hg38|human|GRCm3[89]|mm9|mm10|mm39|mouse)[_.-]{1,6}(?=.)", re.IGNORECASE)
ASSAY_PREFIX = re.compile(r"(rna|sct|originalexp|integrated)_(?=.)")  # of Seurat's FetchData
HUMAN_GENOME = re.compile(r"GRCh|hg\d|human|homo", re.IGNORECASE)
MOUSE_GENOME = re.compile(r"GRCm|mm\d|mouse|mus", re.IGNORECASE)
SPIKE_IN = re.compile(r"(g?ERCC[-_.]\d{3,}|ERCC-?\d{5}|RNASpike\d+|SPIKE[-_]?IN.*)", re.IGNORECASE)
ANTIBODY = re.compile(r".*\|pAbO|.*[-_.]?TotalSeq[-_.]?[ABCD]?|ADT[-_.:].+", re.IGNORECASE)
COUNTER = re.compile(
    r"__[a-z_]+|N_(unmapped|multimapping|noFeature|ambiguous)|(no_feature|ambiguous|too_low_aQual|not_aligned|"
    r"alignment_not_unique)|_(unmapped|ambiguous|no_feature)",
    re.IGNORECASE,
)
PEAK = re.compile(r"(chr)?([0-9]{1,2}|[XYM]|MT|[A-Z]{2}\d{6}\.\d)[:_-]\d+[-_]\d+", re.IGNORECASE)
MIXED_GENOMES = 0.5  # share of names with a genome's prefix from which on the prefix is one


def genes_of(var: pd.DataFrame, species: str, source: str) -> tuple[np.ndarray, pd.Index, list[str]]:
    """Tell which features are genes of one species.

    Parameters
    ----------
    var
        Annotation of the features as read; the index holds their names.
    species
        ``human``, ``mouse`` or ``auto``: of several genomes the human one.
    source
        The file, for a message.

    Returns
    -------
    kept : numpy.ndarray
        Places of the features to read, int [n_kept].
    names : pandas.Index
        Names of all features, without a genome's prefix.
    notes : list of str
        What is left out.

    Raises
    ------
    InputError
        If the file says that none of its features is a gene's expression, or nothing tells which of several genomes
        is the species'.
    """
    names = [str(name).strip() for name in var.index]
    kept, notes = np.ones(len(names), bool), []
    types = _types(var)
    if types is not None:
        kinds = Counter(types[kept])
        is_gene = np.array([kind.lower() in EXPRESSION for kind in types], bool)
        if len(names) and not is_gene.any():
            raise InputError(
                f"{source}: none of its features is of the type Gene Expression (there are "
                f"{', '.join(f'{n} {kind}' for kind, n in kinds.most_common(5))}); give the cells' RNA"
            )
        others = [f"{n} {kind}" for kind, n in kinds.most_common() if kind.lower() not in EXPRESSION]
        if others:
            notes.append(f"only features of the type Gene Expression are read; left out: {', '.join(others)}")
        kept &= is_gene
    kept, names, genome_notes = _one_genome(var, kept, names, species, source)
    notes += genome_notes
    for pattern, words in (
        (ANTIBODY, "antibodies"),
        (SPIKE_IN, "spike-ins"),
        (COUNTER, "counters of the alignment"),
        (PEAK, "peaks"),
    ):
        found = np.array([pattern.fullmatch(name) is not None for name in names], bool) & kept
        if found.any():
            some = [names[place] for place in np.flatnonzero(found)[:3]]
            notes.append(f"{int(found.sum())} {words} are left out (such as {', '.join(some)})")
            kept &= ~found
    return np.flatnonzero(kept), pd.Index(names, dtype=object), notes


def _types(var: pd.DataFrame) -> np.ndarray | None:
    """Return the type of each feature, if a column holds types and some are expression or another known assay."""
    known = {
        "antibody capture",
        "peaks",
        "crispr guide capture",
        "multiplexing capture",
        "custom",
        "atac",
        "adt",
        "prot",
    }
    for column in TYPE_COLUMNS:
        if column in var:
            types = var[column].astype(str).str.strip().to_numpy(dtype=object)
            if any(str(kind).lower() in EXPRESSION | known for kind in pd.unique(types)):
                return types
    return None


def without_genome(names: list[str]) -> list[str]:
    """Cut a genome's or assay's prefix off names such as GRCh38_TP53 or rna_TP53; the same list where most have none.

    Parameters
    ----------
    names
        Of features.
    """
    for prefix in (GENOME_PREFIX, ASSAY_PREFIX):
        matches = [prefix.match(name) is not None for name in names]
        if names and np.mean(matches) >= MIXED_GENOMES:
            return [prefix.sub("", name, count=1).lstrip("_") for name in names]
    return names


def of_species(genomes: Sequence[str], species: str) -> list[str]:
    """Return those of some genomes that are of a species, by their names.

    Parameters
    ----------
    genomes
        Names, such as ``hg19``.
    species
        ``human``, ``mouse``, or ``auto``: human ones.
    """
    pattern = MOUSE_GENOME if species == "mouse" else HUMAN_GENOME
    return [genome for genome in genomes if pattern.match(genome)]


def _one_genome(
    var: pd.DataFrame, kept: np.ndarray, names: list[str], species: str, source: str
) -> tuple[np.ndarray, list[str], list[str]]:
    """Keep the features of one genome, and cut its prefix off their names."""
    plain = without_genome(names)
    genomes = np.array([match[1] if (match := GENOME_PREFIX.match(name)) else "" for name in names], dtype=object)
    if plain is names:
        column = next((column for column in GENOME_COLUMNS if column in var), None)
        if column is None:
            return kept, plain, []
        genomes = var[column].astype(str).to_numpy(dtype=object)
    there = Counter(genome for genome in genomes[kept] if genome and genome.lower() not in ("nan", "none"))
    if len(there) < 2:
        return kept, plain, []
    chosen, why = _wanted_genome(var, genomes, there, species, source)
    others = ", ".join(f"{n} of {genome}" for genome, n in there.most_common() if genome != chosen)
    note = f"several genomes: the {there[chosen]} features of {chosen} are read ({why}), left out: {others}"
    return kept & (genomes == chosen), plain, [note]


def _wanted_genome(
    var: pd.DataFrame, genomes: np.ndarray, there: Counter, species: str, source: str
) -> tuple[str, str]:
    """Return the genome to read and why: the species' by its name, else the one with most genes of the species.

    Raises
    ------
    InputError
        If neither names nor genes tell which one it is.
    """
    named = of_species(list(there), species)
    if len(named) == 1:
        return named[0], f"--species {species}" if species != "auto" else "human by its name"
    wanted = "human" if species == "auto" else species
    shares = {}
    for genome in named or list(there):
        places = np.flatnonzero(genomes == genome)
        some = var.iloc[places[np.linspace(0, len(places) - 1, min(len(places), ENOUGH_NAMES)).astype(int)]]
        columns = [some.index, *(some[column] for column in ("gene_id", "symbol") if column in some)]
        mappings = [map_names(without_genome([str(name) for name in column])) for column in columns]
        shares[genome] = max(mapping.share * (mapping.species == wanted) for mapping in mappings)
    best = max(shares, key=lambda genome: (shares[genome], there[genome]))
    if shares[best] < MIN_MATCHED:
        listed = ", ".join(f"{n} of {genome}" for genome, n in there.most_common(5))
        raise InputError(
            f"{source}: features of several genomes ({listed}), and nothing tells which one is {wanted}; give the "
            "file with one of them, or --species"
        )
    return best, f"its genes are {wanted}"
