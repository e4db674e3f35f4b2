"""Build the table of gene names that ships with the project."""

import sqlite3
from pathlib import Path

import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file

MIN_SOURCES = 2  # orthology calls that agree
HCOP_COLUMNS = ["Gene stable ID", "Gene name", "Human gene stable ID", "supporting_source"]


def build_gene_table(human_db: Path, mouse_orthologs: Path) -> pd.DataFrame:
    """Collect the names of human genes and of their mouse orthologues.

    Parameters
    ----------
    human_db
        ``org.Hs.eg.sqlite`` of Bioconductor's org.Hs.eg.db (NCBI Gene, Ensembl).
    mouse_orthologs
        Orthology calls of HCOP (HGNC Comparison of Orthology Predictions), csv with the columns ``Gene stable ID``,
        ``Gene name``, ``Human gene stable ID`` and ``supporting_source`` (comma-separated).

    Returns
    -------
    pandas.DataFrame
        One row per gene: ``symbol``, ``entrez`` (int32), and lists of names, each of which stands for this gene only:
        ``aliases``, ``ensembl``, ``mouse_symbols``, ``mouse_ensembl``.

    Raises
    ------
    InputError
        If a file is missing or is something else.
    """
    for path in (human_db, mouse_orthologs):
        if not path.is_file():
            raise InputError(f"{path}: no such file")
    genes, aliases, ensembl = _read_human(human_db)
    mouse = _read_mouse(mouse_orthologs, ensembl)
    table = genes[["symbol", "entrez"]].copy()
    columns = (
        ("aliases", aliases, "name"),
        ("ensembl", ensembl, "name"),
        ("mouse_symbols", mouse, "mouse_symbol"),
        ("mouse_ensembl", mouse, "mouse_ensembl"),
    )
    for column, source, name in columns:
        lists = source.groupby("entrez")[name].agg(lambda names: sorted(set(names)))
        table[column] = [found if isinstance(found, list) else [] for found in table["entrez"].map(lists)]
    return table.sort_values("symbol", ignore_index=True)


def write_gene_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write the table as parquet.

    Parameters
    ----------
    table
        Of all genes.
    path
        The parquet to write.
    """
    with whole_file(path) as partial:
        table.to_parquet(partial, index=False, compression="zstd", compression_level=22)


def _read_human(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return genes with a proper symbol, and the aliases and Ensembl ids that stand for one of them each."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            genes = pd.read_sql(
                "SELECT CAST(gene_id AS INTEGER) AS entrez, symbol, gene_type = 'protein-coding' AS coding "
                "FROM genes JOIN gene_info USING (_id) JOIN genetype USING (_id)",
                database,
            )
            aliases = pd.read_sql(
                "SELECT CAST(gene_id AS INTEGER) AS entrez, alias_symbol AS name FROM genes JOIN alias USING (_id)",
                database,
            )
            mitochondrial = pd.read_sql(
                "SELECT DISTINCT CAST(gene_id AS INTEGER) AS entrez FROM genes JOIN chromosomes USING (_id) "
                "WHERE chromosome = 'MT'",
                database,
            )["entrez"]
            ensembl = pd.read_sql(
                "SELECT CAST(gene_id AS INTEGER) AS entrez, ensembl_id AS name FROM genes JOIN ensembl USING (_id)",
                database,
            )
    except (sqlite3.DatabaseError, pd.errors.DatabaseError) as error:
        raise InputError(f"{path}: not an org.Hs.eg.sqlite ({str(error).splitlines()[-1]})") from None
    genes["symbol"] = genes["symbol"].mask(
        genes["entrez"].isin(mitochondrial), genes["entrez"].map(_hgnc_mitochondrial(aliases, mitochondrial))
    )
    placeholder = genes["symbol"].str.fullmatch(r"LOC\d+|TR[A-Z]-[A-Z]{3}.*")
    genes = genes[~placeholder].sort_values(["coding", "entrez"], ascending=[False, True]).drop_duplicates("symbol")
    genes = genes.astype({"entrez": "int32"})
    aliases = aliases[~aliases["name"].str.upper().isin(set(genes["symbol"].str.upper()))]
    return genes, _only_owner(aliases, genes, first=False), _only_owner(ensembl, genes, first=True)


def _hgnc_mitochondrial(aliases: pd.DataFrame, mitochondrial: pd.Series) -> dict[int, str]:
    """Return HGNC symbols such as MT-ND1: NCBI calls the gene ND1 and lists MTND1 among its aliases."""
    names = aliases[aliases["entrez"].isin(mitochondrial)].replace({"name": {"TRNF": "MTTF"}})
    names = names[names["name"].str.startswith("MT")].drop_duplicates("entrez")
    return dict(zip(names["entrez"], names["name"].str.replace("MT", "MT-", n=1), strict=True))


def _only_owner(names: pd.DataFrame, genes: pd.DataFrame, first: bool) -> pd.DataFrame:
    """Keep each name for one gene: a protein-coding one before others; of several the oldest, or none of them."""
    owned = names.merge(genes[["entrez", "coding"]], on="entrez").sort_values(
        ["coding", "entrez"], ascending=[False, True]
    )
    best = owned["coding"] == owned.groupby("name")["coding"].transform("max")
    owned = owned[best].drop_duplicates(["name", "entrez"])
    return owned.drop_duplicates("name", keep="first" if first else False)


def _read_mouse(path: Path, ensembl: pd.DataFrame) -> pd.DataFrame:
    """Return ``mouse_symbol, mouse_ensembl, entrez``: each mouse gene with the human gene most sources agree on."""
    calls = pd.read_csv(path)
    missing = [column for column in HCOP_COLUMNS if column not in calls]
    if missing:
        raise InputError(f"{path}: no column '{missing[0]}'; a table of HCOP is needed")
    calls = calls[HCOP_COLUMNS].dropna().set_axis(["mouse_ensembl", "mouse_symbol", "name", "sources"], axis=1)
    calls = calls.merge(ensembl[["name", "entrez"]], on="name")
    calls["sources"] = calls["sources"].str.count(",") + 1
    calls = calls[(calls["sources"] >= MIN_SOURCES) & (calls["mouse_symbol"] != "-")]
    agreed = calls["sources"] == calls.groupby("mouse_ensembl")["sources"].transform("max")
    calls = calls[agreed].drop_duplicates(["mouse_ensembl", "entrez"])
    return calls.drop_duplicates("mouse_ensembl", keep=False).drop_duplicates("mouse_symbol", keep=False)
