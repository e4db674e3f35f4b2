"""Annotation of any pandas or anndata type, brought to what every anndata from 0.8 on reads."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pharmacell.data.columns import PREFIX

NO_GROUP = "not known"  # of cells without a value in the group's column
RESERVED = {"_index", "__categories", "_index_"}


def plain_text(value: object) -> str:
    """Return a value as text that HDF5 can hold: bytes decoded, whole floats as integers, no NUL, valid UTF-8.

    Parameters
    ----------
    value
        Anything.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    return str(value).replace("\0", "").encode("utf-8", errors="replace").decode("utf-8")


def group_names(values: pd.Series) -> list[str]:
    """Return the names of cells' groups; cells without one are together.

    Parameters
    ----------
    values
        The user's column.
    """
    names = ["" if missing else plain_text(value).strip() for value, missing in zip(values, values.isna(), strict=True)]
    return [name or NO_GROUP for name in names]


def plain_index(values: Iterable) -> pd.Index:
    """Return ids as text.

    Parameters
    ----------
    values
        Ids of any type.
    """
    return pd.Index([plain_text(value) for value in values], dtype=object)


def unique_ids(ids: pd.Index) -> tuple[pd.Index, list[str]]:
    """Make ids unique with -1, -2 and so on; return them and a sentence where some occurred more than once.

    Parameters
    ----------
    ids
        Text.
    """
    if ids.is_unique:
        return ids, []
    doubled = ids[ids.duplicated()]
    taken, made = set(ids), []
    seen: dict[str, int] = {}
    for name in ids:
        if name not in seen:
            seen[name] = 0
            made.append(name)
            continue
        while (other := f"{name}-{seen[name] + 1}") in taken:
            seen[name] += 1
        taken.add(other)
        made.append(other)
    note = f"{len(doubled)} cell ids occur more than once (such as {doubled[0]}); made unique with -1, -2"
    return pd.Index(made, dtype=object), [note]


def plain_column(column: pd.Series) -> np.ndarray | pd.Categorical:
    """Return a column as numbers, booleans, or categories of text; what is missing is NaN.

    Parameters
    ----------
    column
        Of any type.
    """
    if isinstance(column.dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _categories(column.cat.categories, np.asarray(column.cat.codes), bool(column.cat.ordered))
    missing = np.asarray(column.isna(), bool)
    if pd.api.types.is_bool_dtype(column.dtype) and not missing.any():
        return column.to_numpy(bool)
    is_number = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    if is_number and not pd.api.types.is_complex_dtype(column.dtype):
        return _numbers(column, missing)
    given = column.astype(object)
    kinds = {type(value) for value in given[~missing]}
    if kinds and kinds <= {int, float, np.int64, np.float64, np.float32, np.int32}:
        return _numbers(given, missing)
    if kinds and kinds <= {bool, np.bool_} and not missing.any():
        return given.to_numpy(bool)
    codes, words = pd.factorize(given.map(plain_text, na_action="ignore"))
    return _categories(words, codes, False)


def _numbers(column: pd.Series, missing: np.ndarray) -> np.ndarray:
    """Return numbers of a type that HDF5 and old readers know: int64 or float64, float32 where it was given."""
    if missing.any() or pd.api.types.is_float_dtype(column.dtype) or column.dtype == object:
        values = column.to_numpy(np.float64, na_value=np.nan)
        whole = column.dtype == object and not missing.any() and all(isinstance(v, (int, np.integer)) for v in column)
        if whole and np.abs(values).max(initial=0) < 2**53:
            return values.astype(np.int64)
        return values.astype(np.float32) if str(column.dtype) in ("float32", "float16") else values
    values = column.to_numpy()
    return values.astype(np.int64) if values.dtype.kind in "iu" and values.max(initial=0) < 2**63 else values


def _categories(words: Iterable, codes: np.ndarray, ordered: bool) -> pd.Categorical:
    """Return categories of text, without those that do not occur; words that become the same are one."""
    text, there = [plain_text(word) for word in words], set(np.unique(codes).tolist())
    used = [place for place in range(len(text)) if place in there]
    names = list(dict.fromkeys(text[place] for place in used))
    place_of = {name: place for place, name in enumerate(names)}
    new = np.full(len(text) + 1, -1)  # the last one stands for a code of -1
    for place in used:
        new[place] = place_of[text[place]]
    return pd.Categorical.from_codes(new[codes], pd.Index(names, dtype=object), ordered=ordered)


def plain_frame(frame: pd.DataFrame, kind: str) -> tuple[pd.DataFrame, list[str]]:
    """Bring annotation to plain columns with names that can be written.

    Parameters
    ----------
    frame
        As read; its index becomes text.
    kind
        ``cells`` or ``genes``, for sentences.

    Returns
    -------
    frame : pandas.DataFrame
        Numbers, booleans, categories of text; the index has no name.
    notes : list of str
        Which columns have another name or are left out.
    """
    notes, columns = [], {}
    taken = {str(name) for name in frame.columns}
    renamed, dropped = [], []
    for place, given in enumerate(frame.columns):
        name = plain_text(given)
        if name.startswith(PREFIX):
            dropped.append(name)
            continue
        wanted = name.replace("/", "_").strip() or "unnamed"
        wanted = f"{wanted.strip('_') or 'unnamed'}_column" if wanted in RESERVED else wanted
        new, number = wanted, 0
        while new in columns or (new != name and new in taken):
            number += 1
            new = f"{wanted}_{number}"
        if new != name:
            renamed.append(f"'{name}' is now '{new}'")
        columns[new] = plain_column(frame.iloc[:, place])
    if renamed:
        notes.append(f"columns of the {kind} whose names cannot be written are renamed: {', '.join(renamed[:8])}")
    if dropped:
        notes.append(f"columns of the {kind} from an earlier run are left out: {', '.join(dropped)}")
    return pd.DataFrame(columns, index=plain_index(frame.index)), notes
