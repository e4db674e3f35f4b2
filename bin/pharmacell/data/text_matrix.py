"""Read an expression matrix from a text table, row by row, into a sparse matrix when it is mostly zero."""

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.assays import without_genome
from pharmacell.data.column_kinds import (
    CELL_COLUMNS,
    GENE_COLUMNS,
    MEASURES,
    MOSTLY_MEASURES,
    OF_CELLS,
    OF_GENES,
    ROW_NUMBERS,
    VALUE_COLUMNS,
)
from pharmacell.data.contents import Candidate, Contents
from pharmacell.data.genes import map_names, require_orientation
from pharmacell.data.matrices import in_memory
from pharmacell.data.text_table import (
    HEAD_ROWS,
    TEXT_ERRORS,
    Layout,
    checked_fields,
    damaged,
    lines_of,
    look_at_table,
    number_of,
    rows_of,
)

VALUES_AT_ONCE = 4_000_000
NUMBER = re.compile(r"[-+]?[\d.,]*\d([eE][-+]?\d+)?")
MOST_LONG_COLUMNS = 6
NAME_AT_MOST = 1000  # characters of a line


@dataclass
class _Plan:
    """Which fields of the table hold values.

    Attributes
    ----------
    ids
        Place of the column of row names; None where there is none.
    values
        Places of the columns of values.
    described
        Places of columns that describe the rows.
    described_rows
        Names of rows (among the first) that describe the columns.
    """

    ids: int | None
    values: list[int]
    described: list[int] = field(default_factory=list)
    described_rows: set[str] = field(default_factory=set)


@dataclass
class _Rows:
    """Rows as they come: their names, descriptions and values."""

    ids: list[str] = field(default_factory=list)
    described: list[list[str]] = field(default_factory=list)
    above: dict[str, list[str]] = field(default_factory=dict)
    blocks: list[sparse.csr_matrix | np.ndarray] = field(default_factory=list)


def read_text(path: Path, orientation: str, annotations: tuple[str, ...]) -> Contents:
    """Read a table whose first column holds cell ids (or gene names) and whose header holds the other.

    Parameters
    ----------
    path
        The file.
    orientation
        ``cells_by_genes``, ``genes_by_cells``, or ``auto``: whichever way the names match genes.
    annotations
        Columns that describe cells rather than genes.

    Raises
    ------
    InputError
        If it is no such table.
    """
    layout = look_at_table(path)
    try:
        if (long := _long_columns(layout)) is not None:
            return _read_long(path, layout, long)
        first = [fields for _, fields in islice(rows_of(path, layout), _rows_at_once(layout.width, HEAD_ROWS))]
        if not first:
            raise InputError(f"{path}: a header and no rows; there is nothing to read")
        names = [layout.corner or "", *layout.header]
        ids, notes = _id_column(names, first)
        row_names = _row_names(path, layout, first, ids)
        columns = without_genome([name for place, name in enumerate(names) if place != ids])
        found, note = _orient(columns, without_genome(row_names), orientation, path)
        by_cell = found == "cells_by_genes"
        if by_cell:
            plan = _plan_of_cells(names, first, ids, annotations, layout)
        else:
            plan = _plan_of_genes(names, first, ids, annotations, layout, path)
        if ids == 1:
            plan.values, plan.described = [[p for p in places if p] for places in (plan.values, plan.described)]
        rows = _read_rows(path, layout, names, plan)
    except TEXT_ERRORS as error:
        raise damaged(path, error) from None
    matrix = (
        sparse.vstack(rows.blocks, format="csr") if sparse.issparse(rows.blocks[0]) else np.concatenate(rows.blocks)
    )
    described = pd.DataFrame(
        rows.described, columns=[names[place] for place in plan.described], index=None, dtype=object
    )
    described.index = pd.Index(rows.ids, dtype=object)
    others = _of_columns(rows.above, names[0], [names[place] for place in plan.values])
    if plan.described or rows.above:
        kept = [names[place] for place in plan.described] + list(rows.above)
        notes.append(f"{', '.join(kept[:8])} describe {'cells' if by_cell or rows.above else 'genes'}, not expression")
    if by_cell:
        return Contents(described, [Candidate("X", in_memory(matrix), others)], notes=[note, *notes])
    return Contents(others, [Candidate("X", in_memory(matrix.T), described)], notes=[note, *notes])


def _of_columns(above: dict[str, list[str]], corner: str, names: list[str]) -> pd.DataFrame:
    """Return what the rows above the values say of the columns; of two headers the one without repeats names them."""
    if len(set(names)) < len(names):
        for title, texts in above.items():
            if len(set(texts)) == len(texts):
                rest = {other: values for other, values in above.items() if other != title}
                return pd.DataFrame(
                    {corner or "group": names} | rest, index=pd.Index(texts, dtype=object), dtype=object
                )
    return pd.DataFrame(above, index=pd.Index(names, dtype=object), dtype=object)


def _row_names(path: Path, layout: Layout, first: list[list[str]], ids: int | None) -> list[str]:
    """Return the names of the first rows, more of them than are looked at as a whole where rows are long."""
    if ids == 0:
        return [layout.split(line[:NAME_AT_MOST])[0] for _, line in islice(lines_of(path, layout), HEAD_ROWS)]
    return [] if ids is None else [fields[ids] for fields in first]


def _rows_at_once(width: int, most: int | None = None) -> int:
    """Return how many rows fit into one piece."""
    rows = max(1, VALUES_AT_ONCE // max(1, width))
    return rows if most is None else min(rows, most)


def _id_column(names: list[str], first: list[list[str]]) -> tuple[int | None, list[str]]:
    """Return the place of the row names: the first column, or one called so where the first cannot be it."""
    column = [fields[0] for fields in first]
    if _is_numbered(names, first):
        return 1, [f"the first column only numbers the rows; their names are taken from the next ('{names[1]}')"]
    if len(set(column)) == len(column):
        return 0, []
    named = [place for place, name in enumerate(names) if place and name.lower() in CELL_COLUMNS]
    for place in named:
        if len({fields[place] for fields in first}) == len(first):
            return place, [f"cell ids are taken from the column '{names[place]}'"]
    numeric = all(re.fullmatch(r"[\d.,eE+-]+", value) for value in column)
    if numeric and names[0].lower() not in ("", "index", "id", "x", "unnamed: 0", *CELL_COLUMNS, *GENE_COLUMNS):
        return None, ["the table has no cell ids: cells are called 1, 2, 3"]
    return 0, []


def _is_numbered(names: list[str], first: list[list[str]]) -> bool:
    """Tell whether the first column counts the rows and the second one names them."""
    if len(names) < 3 or names[0].strip().lower() not in ROW_NUMBERS:
        return False
    numbers, words = [fields[0].strip() for fields in first], [fields[1].strip() for fields in first]
    counted = [[str(number) for number in range(start, start + len(first))] for start in (0, 1)]
    is_named = not any(NUMBER.fullmatch(word) for word in words) and len(set(words)) > 0.9 * len(words)
    return numbers in counted and is_named and len(first) > 2


def _orient(columns: Sequence[str], rows: Sequence[str], asked: str, path: Path) -> tuple[str, str]:
    """Return the orientation and a sentence about it."""
    if asked != "auto":
        return asked, f"orientation is {asked} (as asked)"
    return require_orientation(columns, rows, str(path))


def _plan_of_cells(
    names: list[str], first: list[list[str]], ids: int | None, asked: tuple[str, ...], layout: Layout
) -> _Plan:
    """Tell genes from columns that describe cells: asked, known by name, words, or unlike the genes' values."""
    places = [place for place in range(len(names)) if place != ids]
    symbols = map_names(without_genome([names[place] for place in places])).symbols
    is_gene = {place: symbol is not None for place, symbol in zip(places, symbols, strict=True)}
    columns = list(zip(*first, strict=True))
    numbers = {place: _numbers(columns[place], layout) for place in places}
    words = {place for place in places if numbers[place] is None}
    usual = _Usual.of([values for place, values in numbers.items() if values is not None and is_gene[place]])
    described = []
    for place in places:
        name, values = names[place], numbers[place]
        if (
            name in asked
            or OF_CELLS.fullmatch(name.lower())
            or (place in words and (not is_gene[place] or _all_words(columns[place], layout)))
            or (values is not None and np.isnan(values).all())
            or (values is not None and not is_gene[place] and (np.isnan(values).any() or usual.differs(values)))
        ):
            described.append(place)
    kept = set(described)
    return _Plan(ids, [place for place in places if place not in kept], described)


def _plan_of_genes(
    names: list[str], first: list[list[str]], ids: int | None, asked: tuple[str, ...], layout: Layout, path: Path
) -> _Plan:
    """Tell cells from columns that describe genes, and genes from rows that describe cells."""
    places = [place for place in range(len(names)) if place != ids]
    described = [
        place
        for place, column in enumerate(zip(*first, strict=True))
        if place != ids and (OF_GENES.fullmatch(names[place].lower()) or _all_words(column, layout))
    ]
    kept = set(described)
    values = [place for place in places if place not in kept]
    measures = [place for place in values if MEASURES.fullmatch(names[place].strip())]
    if len(measures) > 1 and len(measures) >= MOSTLY_MEASURES * len(values):
        listed = ", ".join(names[place] for place in values[:6])
        raise InputError(
            f"{path}: its columns ({listed}) are measures of one sample, not cells; give a table of counts with a "
            "column for each cell"
        )
    rows = set()
    if ids is not None:
        for fields in first:
            name = fields[ids]
            words = [number_of(fields[place], layout) is None for place in values]
            known = name in asked or OF_CELLS.fullmatch(name.lower()) is not None
            if (known or np.mean(words) > 0.5) and not (map_names([name]).share and not np.any(words)):
                rows.add(name)
    return _Plan(ids, values, described, rows)


@dataclass(frozen=True)
class _Usual:
    """What the values of genes look like in the first rows."""

    negative: bool
    fractions: bool
    high: float

    @classmethod
    def of(cls, genes: list[np.ndarray]) -> "_Usual":
        """Look at the values of genes."""
        if not genes:
            return cls(True, True, np.inf)
        values = np.concatenate(genes)
        values = values[np.isfinite(values)]
        return cls(bool((values < 0).any()), bool((values != np.rint(values)).any()), float(values.max(initial=0)))

    def differs(self, values: np.ndarray) -> bool:
        """Tell whether a column's values are of another kind."""
        values = values[np.isfinite(values)]
        if not self.negative and (values < 0).any():
            return True
        if not self.fractions and (values != np.rint(values)).any():
            return True
        return self.fractions and bool((values > max(30.0, 2 * self.high)).any())


def _numbers(column: Sequence[str], layout: Layout) -> np.ndarray | None:
    """Return a column's numbers, None where a field is none."""
    numbers = [number_of(value, layout) for value in column]
    return None if any(number is None for number in numbers) else np.array(numbers, float)


def _all_words(column: Sequence[str], layout: Layout) -> bool:
    """Tell whether no field of a column is a number and some are words."""
    numbers = [number_of(value, layout) for value in column]
    return any(number is None for number in numbers) and all(number is None or np.isnan(number) for number in numbers)


def _read_rows(path: Path, layout: Layout, names: list[str], plan: _Plan) -> _Rows:
    """Read all rows, as sparse blocks if the first is mostly zero."""
    rows, size, is_sparse = _Rows(), _rows_at_once(len(plan.values)), None
    for block in _blocks(path, layout, names, plan, rows, size):
        if is_sparse is None:
            is_sparse = np.count_nonzero(block) < block.size / 2
        rows.blocks.append(sparse.csr_matrix(block) if is_sparse else block)
    if not rows.blocks:
        raise InputError(f"{path}: a header and no rows of numbers; there is nothing to read")
    return rows


def _blocks(path: Path, layout: Layout, names: list[str], plan: _Plan, rows: _Rows, size: int) -> Iterator[np.ndarray]:
    """Yield the values of successive rows, float32 [<= size, n_values]; names and descriptions go into ``rows``."""
    block, filled = np.empty((size, len(plan.values)), np.float32), 0
    in_order = plan.ids == 0 and len(plan.values) == len(names) - 1
    for number, line in lines_of(path, layout):
        values = None
        if in_order and '"' not in line and "'" not in line:
            parts = line.split(None if layout.separator == " " else layout.separator, 1)
            name = parts[0].strip()
            if name not in plan.described_rows and len(parts) > 1:
                values = _fast(parts[1], layout, len(plan.values))
        if values is None:
            fields = checked_fields(path, layout, number, layout.split(line))
            name = str(len(rows.ids) + 1) if plan.ids is None else fields[plan.ids].strip()
            texts = [fields[place] for place in plan.values]
            if name in plan.described_rows:
                rows.above[name] = texts
                continue
            rows.described.append([fields[place] for place in plan.described])
            values = _fast(layout.separator.join(texts), layout, len(texts))
            if values is None:
                values = _slow(texts, layout, [names[place] for place in plan.values], f"{path}: row {name}")
        else:
            rows.described.append([])
        rows.ids.append(name)
        with np.errstate(over="ignore"):
            block[filled] = values
        filled += 1
        if filled == size:
            yield block
            block, filled = np.empty_like(block), 0
    if filled:
        yield block[:filled]


def _fast(text: str, layout: Layout, width: int) -> np.ndarray | None:
    """Read numbers with a point and nothing missing, float64 [width]; None where there is anything else."""
    if layout.decimal == ",":
        text = text.replace(",", ".")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(text, dtype=np.float64, sep=layout.separator)
    except (DeprecationWarning, ValueError):
        return None
    return values if len(values) == width else None


def _slow(texts: list[str], layout: Layout, names: list[str], place: str) -> np.ndarray:
    """Read numbers field by field, NaN where one is missing.

    Raises
    ------
    InputError
        If a field is not a number.
    """
    numbers = [number_of(text, layout) for text in texts]
    for name, text, number in zip(names, texts, numbers, strict=True):
        if number is None:
            raise InputError(
                f"{place}, column {name}: '{text[:60]}' is not a number; correct it, or name the column with "
                "label_key, group_key or treatment_key if it describes cells"
            )
    return np.array(numbers, float)


def _long_columns(layout: Layout) -> tuple[int, int, int] | None:
    """Return the places of gene, cell and value where the table has one row for each of their pairs."""
    names = [(layout.corner or "").lower(), *(name.lower() for name in layout.header)]
    if len(names) > MOST_LONG_COLUMNS:
        return None
    kinds = (GENE_COLUMNS, CELL_COLUMNS, VALUE_COLUMNS)
    found = [[place for place, name in enumerate(names) if name in known] for known in kinds]
    return (found[0][0], found[1][0], found[2][0]) if all(found) else None


def _read_long(path: Path, layout: Layout, places: tuple[int, int, int]) -> Contents:
    """Read rows of gene, cell and value; what occurs twice is added up."""
    gene, cell, value = places
    genes: dict[str, int] = {}
    cells: dict[str, int] = {}
    rows, columns, values = [], [], []
    for number, fields in rows_of(path, layout):
        found = number_of(fields[value], layout)
        if found is None:
            raise InputError(f"{path}: line {number}: '{fields[value][:60]}' is not a number; correct it")
        columns.append(genes.setdefault(fields[gene], len(genes)))
        rows.append(cells.setdefault(fields[cell], len(cells)))
        values.append(found)
    matrix = sparse.coo_matrix((np.array(values, np.float32), (rows, columns)), shape=(len(cells), len(genes)))
    n_given = matrix.nnz
    matrix = matrix.tocsr()
    notes = [f"the table has a row for each gene and cell: {len(cells)} cells, {len(genes)} genes"]
    if matrix.nnz < n_given:
        notes.append(f"{n_given - matrix.nnz} rows of a gene and cell that occur again are added up")
    obs, var = (pd.DataFrame(index=pd.Index(list(names), dtype=object)) for names in (cells, genes))
    return Contents(obs, [Candidate("X", in_memory(matrix), var)], notes=notes)
