"""Which columns of a table of differential expression are genes, and which only describe a row."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pharmacell.core.errors import InputError
from pharmacell.core.progress import say
from pharmacell.data.column_kinds import GENE_COLUMNS, MEASURES
from pharmacell.data.excel_names import is_date, is_rounded_number
from pharmacell.data.genes import gene_table
from pharmacell.data.input_file import check_file
from pharmacell.data.text_table import TEXT_ERRORS, open_text

SHAPE = re.compile(r"[A-Z0-9][A-Z0-9.@/-]*(orf[A-Z0-9.-]+)?|Gm\d+|\w+Rik\w*")  # symbols, Ensembl and Entrez ids
DESCRIBES = re.compile(
    r"(obs_?|sample_?|row_?|n_?|num_?)?(id|index|name|cells?|wells?|counts?|genes?|umis?|replicates?|doses?|times?)|"
    r"(dose|time|timepoint|pert|cell|compound|plate|well|batch|donor|library|drug)([_.].*)?|"
    r"conc(entration)?|hours?|days?|weight|size|depth|row|col(umn)?|replicate|"
    r"age|sex|mw|tpsa|[acsx]?logp|qed|[egi]c50|gr50|auc|(pc|umap)[._]?\d+",
    re.IGNORECASE,
)
AGAIN = re.compile(r"(.+)\.\d+")  # how pandas and R name a column whose name is there already
NAMED = 5  # columns that a note names


def read_genes(path: Path) -> list[str]:
    """Read names of genes: the first field of each line; a first line such as ``gene`` is a header.

    Parameters
    ----------
    path
        Text, csv or tsv.

    Raises
    ------
    InputError
        If the file cannot be read or names none.
    """
    check_file(path, (".txt", ".csv", ".tsv"))
    try:
        with open_text(path, "utf-8-sig") as text:
            lines = text.read().splitlines()
    except TEXT_ERRORS as error:
        raise InputError(f"{path}: cannot be read as text ({error}); give one gene a line") from error
    names = [name for line in lines if (name := re.split(r"[,;\t]", line)[0].strip().strip('"'))]
    if names and names[0].lower() in GENE_COLUMNS:
        names = names[1:]
    if not names:
        raise InputError(f"{path}: names no gene; give one a line")
    return names


def refuse_statistics(path: Path, columns: Sequence[str], keys: Sequence[str]) -> None:
    """Refuse a table with a row for each gene and several statistics, as limma, DESeq2 and edgeR write it.

    Parameters
    ----------
    path
        For a message.
    columns
        Of the table.
    keys
        Columns that are no values.

    Raises
    ------
    InputError
        If it is one, and no column ``value`` says which number is meant.
    """
    others = [name for name in columns if name not in keys]
    found = [name for name in others if MEASURES.fullmatch(name)]
    if "value" not in others and len(found) > 1 and 2 * len(found) >= len(others):
        raise InputError(
            f"{path}: statistics with a row for each gene ({', '.join(found[:NAMED])}); give one number a gene: a long "
            "table with the keys, gene and value, value being -log10 of the p-value with the sign of the fold change"
        )


def gene_columns(
    path: Path, words: Mapping[str, str], genes: Sequence[str] | None, declared: bool = False
) -> list[str]:
    """Return the columns that are genes, in their order, and say which are left out.

    Parameters
    ----------
    path
        Of the table, for messages.
    words
        Column, which is no key, to what it holds that is no number; empty: numbers only.
    genes
        Names of the genes that the user gave; None: known symbols and what looks like a symbol or an id are genes.
    declared
        Whether the file says itself that all of these are genes, as an h5ad and a long table do.

    Raises
    ------
    InputError
        If a gene holds no numbers, or it cannot be told which columns are genes.
    """
    if genes is not None:
        wanted = set(genes)
        found = [name for name in words if name in wanted]
        if not found:
            raise InputError(f"{path}: none of the {len(wanted)} genes of --genes is a column, such as {genes[0]}")
        if len(found) < len(wanted):
            missing = next(name for name in genes if name not in words)
            say(f"{path}: {len(wanted) - len(found)} genes of --genes are no columns, such as {missing}")
    else:
        found = list(words) if declared else [name for name in words if is_gene(name)]
    chosen = set(found)
    left = [name for name in words if name not in chosen]
    if genes is None and len(left) > len(found):
        raise InputError(
            f"{path}: only {len(found)} of the {len(words)} columns beside the keys look like genes ({left[0]} does "
            "not); name the genes, one a line, with --genes FILE"
        )
    if genes is None and len(found) > 1 and found in (numbered(found, 0), numbered(found, 1)):
        raise InputError(
            f"{path}: genes have numbers for names ({found[0]} to {found[-1]}); write their symbols or ids as names of "
            "the columns (var_names of an h5ad)"
        )
    for name in found:
        if words[name]:
            raise InputError(f"{path}: column {name} holds {words[name]}, and a gene's values have to be numbers")
    if again := [name for name in found if (base := AGAIN.fullmatch(name)) and base[1] in chosen]:
        say(
            f"{path}: {len(again)} genes, such as {again[0]}, repeat the name of another with a number; is each wanted?"
        )
    if left and genes is None:
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        say(f"{path}: not genes, and left out: {', '.join(left[:NAMED])}{more} (--genes FILE names the genes)")
    return found


def numbered(names: Sequence[str], start: int) -> list[str]:
    """Return as many numbers as there are names.

    Parameters
    ----------
    names
        Of columns.
    start
        First number.
    """
    return [str(number) for number in range(start, start + len(names))]


def is_gene(name: str) -> bool:
    """Tell whether a column's name is that of a gene: a known symbol, or one that looks like a symbol or an id.

    A symbol that a spreadsheet made a date or a number of, such as ``1-Mar``, is one and stays as it is written.

    Parameters
    ----------
    name
        Of the column.
    """
    if DESCRIBES.fullmatch(name):
        return False
    if SHAPE.fullmatch(name) or is_date(name) or is_rounded_number(name):
        return True
    table = gene_table()
    return table.symbols.get(name.upper()) == name or name in table.mouse_symbols
