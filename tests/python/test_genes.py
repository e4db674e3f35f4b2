"""Names of every kind reach human symbols."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.genes import SymbolColumns, canonical_columns, gene_table, map_names, require_match


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("TP53", "TP53"),
        ("IL8", "CXCL8"),  # previous symbol
        ("C10ORF54", "VSIR"),  # previous symbol in upper case
        ("HLA.A", "HLA-A"),  # R's make.names
        ("NKX2.1", "NKX2-1"),
        ("MATR3-1", "MATR3"),  # made unique
        ("ENSG00000141510", "TP53"),
        ("ENSG00000141510.18", "TP53"),
        ("7157", "TP53"),
        ("MT-ND1", "MT-ND1"),
        ("ENSG00000198888", "MT-ND1"),
        ("not_a_gene", None),
        ("CD97", None),  # an alias of two genes
    ],
)
def test_human_names(name, symbol):
    assert map_names([name, "GAPDH", "ACTB"]).symbols[0] == symbol


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("Trp53", "TP53"),
        ("Cd8b1", "CD8B"),
        ("mt-Nd1", "MT-ND1"),
        ("ENSMUSG00000059552.14", "TP53"),
        ("Sept9", "SEPTIN9"),  # not a current mouse symbol: a family that was renamed
        ("March1", "MARCHF1"),
        ("Mup1", None),  # a mouse gene without human orthologue, and an alias of the human SLC25A19
        ("Kap", None),  # the mouse's androgen-regulated kidney protein, and an alias of CDKN3
    ],
)
def test_mouse_names(name, symbol):
    mapping = map_names([name, "Gapdh", "Actb", "Pten"])
    assert mapping.species == "mouse"
    assert mapping.symbols[0] == symbol


def test_species_told_wins():
    assert map_names(["Actb", "Pten"], "human").species == "human"


def test_table_is_consistent():
    table = gene_table()
    assert len(table.symbols) > 40_000
    assert not set(table.symbols) & set(table.aliases)
    assert table.symbols.keys() >= {symbol.upper() for symbol in table.mouse_symbols.values()}


def test_too_few_matches_says_what_was_seen():
    names = ["99999991", "99999993", "99999997", "x1", "x2", "TP53", "ENSG00000000000"]
    with pytest.raises(InputError, match=r"14% .* 3 Entrez ids, 3 symbols, 1 human Ensembl ids, such as 99999991"):
        require_match(map_names(names), "a file")


def test_consecutive_numbers_are_no_entrez_ids():
    assert map_names([str(i) for i in range(1, 500)]).share == 0


@pytest.mark.parametrize("kind", [sparse.csr_matrix, np.asarray])
@pytest.mark.parametrize(("how", "expected"), [("sum", [3, 4]), ("mean", [1.5, 4])])
def test_duplicates_are_summed_or_averaged(kind, how, expected):
    mapping = map_names(["IL8", "CXCL8", "nothing", "TP53"])
    columns = SymbolColumns(mapping, how)
    values, var = columns.of(kind(np.array([[1, 2, 9, 4]], dtype=np.float32))), columns.var
    assert sparse.issparse(values) == (kind is sparse.csr_matrix)
    values = values.toarray() if sparse.issparse(values) else values
    assert list(var.index) == ["CXCL8", "TP53"]
    assert list(var["original"]) == ["IL8|CXCL8", "TP53"]
    np.testing.assert_allclose(values, [expected])


def test_bulk_columns_keep_unknown_names_and_become_unique():
    table = pd.DataFrame([[1.0, 3.0, 5.0]], columns=["IL8", "CXCL8", "nothing"])
    named, notes = canonical_columns(table, "bulk")
    assert named.iloc[0].to_dict() == {"CXCL8": 2.0, "nothing": 5.0}
    assert "66.7%" in notes[0]
