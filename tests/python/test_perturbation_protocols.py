"""What is predicted was not learned from, for each protocol and in the sense that the protocol promises."""

from dataclasses import replace

import numpy as np
import pytest
from perturbation_tables import small_table

from pharmacell.core.errors import InputError
from pharmacell.perturbation.protocols import PROTOCOLS, anchor_compounds, folds, lineage_of, parts_of_test
from pharmacell.perturbation.scaffolds import compound_groups, scaffold_groups

ONCE = ("random", "leave_compound_out", "leave_scaffold_out", "leave_cell_type_out")


def table_with_split():
    table = small_table()
    return replace(table, split=np.where(np.arange(len(table)) % 4 == 0, "private_test", "train"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_parts_are_disjoint_and_no_row_is_tested_twice(protocol):
    table = table_with_split()
    tested = np.zeros(len(table), int)
    for train, test in folds(table, protocol, 3):
        assert len(train)
        assert len(test)
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(len(table)))
        tested[test] += 1
    assert tested.max() == 1
    if protocol in ONCE:
        assert tested.min() == 1


@pytest.mark.parametrize(
    ("protocol", "of_row"),
    [
        ("leave_compound_out", lambda table: table.sm_name),
        ("leave_compound_out", lambda table: table.smiles),
        ("leave_scaffold_out", lambda table: scaffold_groups(table.sm_name, table.smiles)),
        ("leave_scaffold_out", lambda table: table.sm_name),
        ("leave_cell_type_out", lambda table: table.cell_type),
    ],
)
def test_nothing_straddles(protocol, of_row):
    table = small_table()
    groups = of_row(table)
    for train, test in folds(table, protocol, 0):
        assert not set(groups[train]) & set(groups[test])


def test_two_names_of_one_structure_and_two_structures_of_one_name_are_one_compound():
    names = ["a", "b", "b", "c", "d"]
    smiles = ["CCO", "OCC", "CCO.Cl", "CCN", "NCC"]
    groups = compound_groups(names, smiles)
    assert groups[0] == groups[1] == groups[2]
    assert groups[3] == groups[4] != groups[0]


def test_scaffold_ignores_side_chains_and_keeps_acyclic_molecules_apart():
    groups = scaffold_groups(list("abcd"), ["c1ccccc1C", "c1ccccc1CCO", "CCO", "CCN"])
    assert groups[0] == groups[1]
    assert len(set(groups)) == 3


def test_kaggle_holds_out_one_lineage_except_its_anchors():
    table = small_table()
    anchors = set(anchor_compounds(table, 0))
    assert {"drug 8", "drug 9", "drug 10", "drug 11"} < anchors, "those measured in every cell type come first"
    assert len(anchors) == 6
    found = folds(table, "kaggle", 0)
    assert len(found) == 2, "the rare cell type has anchors only"
    for train, test in found:
        (cell_type,) = set(table.cell_type[test])
        assert not anchors & set(table.sm_name[test])
        assert set(table.sm_name[train][table.cell_type[train] == cell_type]) == anchors
        assert set(table.sm_name[test]) <= set(table.sm_name[train])


def test_kaggle_has_17_anchors_when_compounds_are_many():
    table = small_table()
    many = replace(
        table,
        cell_type=np.repeat(["A", "B"], 40),
        sm_name=np.tile([f"d{n}" for n in range(40)], 2),
        smiles=np.tile(["CCO"], 80),
        y=np.zeros((80, 3), np.float32),
    )
    assert [len(test) for _, test in folds(many, "kaggle", 0)] == [23, 23]


def test_cell_types_of_one_lineage_are_held_out_together():
    table = small_table()
    names = {"NK cells": "T cells CD4+", "T cells": "T regulatory cells", "B cells": "B cells"}
    related = replace(table, cell_type=np.array([names[name] for name in table.cell_type]))
    ((train, test),) = folds(related, "kaggle", 0)
    assert set(related.cell_type[test]) == {"T cells CD4+", "T regulatory cells"}
    assert set(related.sm_name[train]) == set(anchor_compounds(related, 0))
    others = ["T cells CD8+", "NK cells", "CD40+ B cells", "naive CD45RA+ CD8", "regulatory B cells"]
    assert [lineage_of(name) for name in others] == others
    assert {lineage_of(name) for name in ("CD4 T", "CD4+", "Treg", "T-reg", "Regulatory T")} == {"CD4+ T cells"}


@pytest.mark.parametrize("learned", ["train", "Train", "control", "public_test"])
def test_predefined_knows_the_parts_of_open_problems(learned):
    table = table_with_split()
    split = np.where(table.split == "train", learned, table.split)
    ((train, test),) = folds(replace(table, split=split), "predefined", 0)
    assert set(split[train]) == {learned}
    assert set(split[test]) == {"private_test"}


def test_predefined_tests_what_the_table_says():
    table = table_with_split()
    ((train, test),) = folds(table, "predefined", 0)
    assert set(table.split[train]) == {"train"}
    assert set(table.split[test]) == {"private_test"}


def test_kaggle_has_a_public_and_a_private_part_that_share_no_compound():
    table = small_table()
    of_compound: dict[str, set] = {}
    for _, test in folds(table, "kaggle", 0):
        for name, part in zip(table.sm_name[test], parts_of_test(table, test, "kaggle", 0), strict=True):
            of_compound.setdefault(name, set()).add(part)
    assert sorted(part for (part,) in of_compound.values()) == ["private_test"] * 4 + ["public_test"] * 2
    rows = np.arange(3)
    assert set(parts_of_test(table, rows, "random", 0)) == {"test"}
    assert list(parts_of_test(table_with_split(), rows, "predefined", 0)) == ["private_test", "train", "train"]


def test_same_seed_same_folds_and_another_seed_others():
    table = small_table()
    first, again, other = (folds(table, "leave_compound_out", seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    ("protocol", "rows", "expected"),
    [
        ("leave_compound_out", lambda t: t.sm_name == "drug 9", "only one compound"),
        ("leave_cell_type_out", lambda t: t.cell_type == "NK cells", "the only cell type is 'NK cells'"),
        ("kaggle", lambda t: t.cell_type == "NK cells", "needs cell types of two lineages"),
        ("predefined", lambda t: t.cell_type == "NK cells", "needs a column 'split'"),
        ("random", lambda t: np.arange(len(t)) == 0, "1 rows cannot be split"),
        ("ramdom", lambda t: np.arange(len(t)) >= 0, "'ramdom' is not one of"),
    ],
)
def test_what_cannot_be_split_is_refused(protocol, rows, expected):
    table = small_table()
    with pytest.raises(InputError, match=expected):
        folds(table.take(np.flatnonzero(rows(table))), protocol, 0)
