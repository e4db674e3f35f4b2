"""Which of a user's gene sets the key genes fall into; no gene sets come with the project, and none are fetched."""

from pathlib import Path

import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.input_file import check_file, reason
from pharmacell.explanation.key_genes import key_list

SMALLEST_SET, LARGEST_SET = 5, 500  # genes of a set that are among the model's
PERMUTATIONS = 1000
COLUMNS = ("method", "class", "set", "genes_in_set", "score", "p", "fdr", "leading_genes")


def read_gene_sets(path: str | Path) -> dict[str, list[str]]:
    """Read a gmt file: one set a line, tab-separated name, description and genes.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        If a line is no set, or a name occurs twice.
    """
    check_file(Path(path), [".gmt"])
    try:
        lines = Path(path).read_text().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a text file ({reason(error)}); give gene sets in gmt format") from error
    sets = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        name, *rest = [part.strip() for part in line.split("\t")]
        genes = [gene for gene in rest[1:] if gene]
        if not name or not genes:
            raise InputError(
                f"{path}: line {number} is no gene set; give name, description and genes, separated by tabs"
            )
        if name in sets:
            raise InputError(f"{path}: line {number} has the name {name!r} again; give every set a name of its own")
        sets[name] = genes
    return sets


def enrichment(table: pd.DataFrame, sets: dict[str, list[str]], most: int, seed: int, threads: int) -> pd.DataFrame:
    """Test gene sets by over-representation among the key genes and by preranked GSEA (Subramanian et al. 2005).

    Over-representation compares each class's list with all genes of the model (hypergeometric test). For GSEA every
    gene has the value of its attribution towards sensitive, negative when it is expressed lower in sensitive cells.

    Parameters
    ----------
    table
        From :func:`pharmacell.explanation.key_genes.key_gene_table`.
    sets
        Name to genes.
    most
        Length of a class's list.
    seed
        Seed of GSEA's permutations.
    threads
        Of GSEA.

    Returns
    -------
    DataFrame
        ``COLUMNS``. ``score`` is the odds ratio, or GSEA's normalised enrichment score; its sign tells the class.
    """
    universe = set(table["gene"])
    usable = {
        name: genes
        for name, found in sets.items()
        if SMALLEST_SET <= len(genes := sorted(set(found) & universe)) <= LARGEST_SET
    }
    if not usable:
        return pd.DataFrame(columns=list(COLUMNS))
    parts = [
        over_represented(key_list(table, name, most), usable, sorted(universe), name)
        for name in table["class"].unique()
    ]
    parts.append(preranked(table, usable, seed, threads))
    found = pd.concat([part for part in parts if len(part)] or parts)[list(COLUMNS)]
    return found.sort_values(["method", "class", "p"], kind="stable", ignore_index=True)


def over_represented(genes: list[str], sets: dict[str, list[str]], universe: list[str], name: str) -> pd.DataFrame:
    """Return the sets that share a gene with a class's list, with ``COLUMNS``.

    Parameters
    ----------
    genes
        The class's list.
    sets
        Name to genes.
    universe
        All genes of the model.
    name
        The class.
    """
    import gseapy

    if not genes or not any(set(genes) & set(members) for members in sets.values()):
        return pd.DataFrame(columns=list(COLUMNS))
    found = gseapy.enrich(genes, sets, background=universe, outdir=None, no_plot=True).results
    return pd.DataFrame(
        {
            "method": "over-representation",
            "class": name,
            "set": found["Term"],
            "genes_in_set": found["Term"].map(lambda term: len(sets[term])),
            "score": found["Odds Ratio"],
            "p": found["P-value"],
            "fdr": found["Adjusted P-value"],
            "leading_genes": found["Genes"].str.replace(";", " "),
        }
    )


def preranked(table: pd.DataFrame, sets: dict[str, list[str]], seed: int, threads: int) -> pd.DataFrame:
    """Return GSEA's result with ``COLUMNS``.

    Parameters
    ----------
    table
        From :func:`pharmacell.explanation.key_genes.key_gene_table`.
    sets
        Name to genes.
    seed
        Of the permutations.
    threads
        Of the computation.
    """
    import gseapy

    rows = table[table["class"] == "sensitive"].set_index("gene")
    signed = rows["attribution"].where(rows["expressed"] == "higher", -rows["attribution"]).sort_values(ascending=False)
    found = gseapy.prerank(
        signed,
        sets,
        min_size=SMALLEST_SET,
        max_size=LARGEST_SET,
        permutation_num=PERMUTATIONS,
        outdir=None,
        no_plot=True,
        seed=seed % 2**31,
        threads=threads,
    ).res2d
    score, least = found["NES"].astype(float), 1 / (PERMUTATIONS + 1)  # permutations resolve no smaller p
    return pd.DataFrame(
        {
            "method": "GSEA",
            "class": score.map(lambda value: "sensitive" if value > 0 else "resistant"),
            "set": found["Term"],
            "genes_in_set": found["Term"].map(lambda term: len(sets[term])),
            "score": score,
            "p": found["NOM p-val"].astype(float).clip(lower=least),
            "fdr": found["FDR q-val"].astype(float).clip(lower=least),
            "leading_genes": found["Lead_genes"].str.replace(";", " "),
        }
    )
