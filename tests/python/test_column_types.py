"""Columns of any type that pandas or anndata knows come through QC as numbers, booleans or words, in any file."""

import warnings

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import zarr
from anndata._io.specs.registry import IORegistryError
from any_input import CELLS, GENES, annotated, h5ad, no_picture, run_qc

from pharmacell.data.frames import plain_frame

N = len(CELLS)
HALF = N // 2
DAYS = pd.to_datetime(["2020-01-01", None] * HALF)


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch):
    """Leave the UMAP out, which costs more than all else and has tests of its own."""
    monkeypatch.setattr("pharmacell.data.sample.embed", no_picture)


def arrow(values, kind):
    return pd.array(values * HALF, dtype=pd.ArrowDtype(kind))


def arrow_dictionary():
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(["a", None] * HALF).dictionary_encode())).array


KINDS = {  # a column, and the first two of its values afterwards; None where it is missing
    "string[python]": (pd.array(["a", None] * HALF, dtype="string[python]"), ["a", None]),
    "string[pyarrow]": (pd.array(["a", None] * HALF, dtype="string[pyarrow]"), ["a", None]),
    "Arrow string": (arrow(["a", None], pa.string()), ["a", None]),
    "Arrow large string": (arrow(["a", None], pa.large_string()), ["a", None]),
    "Arrow dictionary": (arrow_dictionary(), ["a", None]),
    "int64[pyarrow]": (arrow([1, None], pa.int64()), [1.0, None]),
    "int64[pyarrow], none missing": (arrow([1, 2], pa.int64()), [1, 2]),
    "double[pyarrow]": (arrow([1.5, None], pa.float64()), [1.5, None]),
    "bool[pyarrow]": (arrow([True, None], pa.bool_()), ["True", None]),
    "bool[pyarrow], none missing": (arrow([True, False], pa.bool_()), [True, False]),
    "timestamp[pyarrow]": (pd.array(DAYS, dtype="timestamp[ns][pyarrow]"), ["2020-01-01 00:00:00", None]),
    "datetime": (DAYS, ["2020-01-01 00:00:00", None]),
    "datetime with a zone": (DAYS.tz_localize("UTC"), ["2020-01-01 00:00:00+00:00", None]),
    "timedelta": (pd.to_timedelta([90, None] * HALF, unit="min"), ["0 days 01:30:00", None]),
    "period": (pd.PeriodIndex(["2020-01", None] * HALF, freq="M"), ["2020-01", None]),
    "interval": (pd.arrays.IntervalArray.from_breaks(range(N + 1)), ["(0, 1]", "(1, 2]"]),
    "mixed": (np.array(["a", 1] * HALF, object), ["a", "1"]),
    "mixed with None": (np.array([2.5, None] * HALF, object), [2.5, None]),
    "numbers and booleans": (np.array([2.5, True] * HALF, object), ["2.5", "True"]),
    "bytes": (np.array([b"a", b"b"] * HALF), ["a", "b"]),
    "Int64": (pd.array([1, None] * HALF, dtype="Int64"), [1.0, None]),
    "UInt8, none missing": (pd.array([1, 2] * HALF, dtype="UInt8"), [1, 2]),
    "Int64, all missing": (pd.array([None, None] * HALF, dtype="Int64"), [None, None]),
    "Float32": (pd.array([1.5, None] * HALF, dtype="Float32"), [1.5, None]),
    "boolean": (pd.array([True, None] * HALF, dtype="boolean"), ["True", None]),
    "boolean, none missing": (pd.array([True, False] * HALF, dtype="boolean"), [True, False]),
    "int64 beyond 2^53": (np.array([2**60 + 1, 0] * HALF), [2**60 + 1, 0]),
    "uint64": (np.array([2**63 + 5, 0] * HALF, np.uint64), [2**63 + 5, 0]),
    "complex": (np.array([1j, 2] * HALF), ["1j", "(2+0j)"]),
    "sparse": (pd.arrays.SparseArray([0, 2] * HALF), [0, 2]),
    "category of dates": (pd.Categorical(DAYS), ["2020-01-01 00:00:00", None]),
    "category of booleans": (pd.Categorical([True, None] * HALF), ["True", None]),
    "category of Int64": (pd.Categorical(pd.array([1, None] * HALF, dtype="Int64")), ["1", None]),
}


def first_two(column) -> list:
    return [None if pd.isna(value) else value for value in column[:2]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_comes_through(kind, tmp_path):
    """Through the command, where an anndata of today writes the type; else as a reader of tomorrow would give it."""
    values, wanted = KINDS[kind]
    obs = pd.DataFrame(index=CELLS)
    obs["c"] = values
    plain, _ = plain_frame(obs, "cells")
    assert first_two(plain["c"]) == wanted
    plain = ad.AnnData(obs=plain)
    plain.write_h5ad(tmp_path / "plain.h5ad")
    assert first_two(ad.read_h5ad(tmp_path / "plain.h5ad").obs["c"]) == wanted

    sample = annotated()
    sample.obs["c"] = values
    for way in (h5ad, in_zarr):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                path = way(tmp_path, sample)
            except (TypeError, IORegistryError):  # anndata writes no such column
                continue
        found = run_qc(path, tmp_path / way.__name__)[0].obs["c"]
        assert [str(value) for value in first_two(found)] == [str(value) for value in wanted]


def in_zarr(folder, sample):
    sample.write_zarr(folder / "s.zarr")
    return folder / "s.zarr"


def other_encodings(folder):
    """Columns as writers beside anndata leave them, and as a newer one may."""
    path = h5ad(folder, annotated())
    with h5py.File(path, "r+") as file:
        obs = file["obs"]
        times = np.array(["2020-01-01T00:00", "NaT"] * HALF, "M8[ns]")
        obs["opaque"] = times.astype(h5py.opaque_dtype(times.dtype))
        obs["enumerated"] = np.array([True, False] * HALF)  # HDF5 has no booleans
        obs["fixed_length"] = np.array([b"a", b"b"] * HALF)
        obs["utf8"] = np.array(["ä", "b"] * HALF, dtype=h5py.string_dtype("utf-8"))
        obs.create_dataset("record", data=np.zeros(N, [("a", "i4"), ("b", "f4")]))
        obs.create_dataset("half", data=np.array([1.5, 2] * HALF, "f2"))
        obs.create_dataset("two", data=np.zeros((N, 2)))
        for name, kind in (("number", "nullable-integer"), ("word", "nullable-string-array")):
            group = obs.create_group(name)
            values = [3, 1] * HALF if name == "number" else ["x", ""] * HALF
            group["values"] = np.array(values, None if name == "number" else h5py.string_dtype())
            group["mask"] = np.array([False, True] * HALF)
            for part, form in (("values", "array" if name == "number" else "string-array"), ("mask", "array")):
                group[part].attrs.update({"encoding-type": form, "encoding-version": "0.2.0"})
            group.attrs.update({"encoding-type": kind, "encoding-version": "0.1.0", "na-value": "NA"})
        later = obs.create_group("later")
        later.attrs.update({"encoding-type": "arrow-array", "encoding-version": "0.1.0"})
        if "column-order" in obs.attrs:
            obs.attrs["column-order"] = np.array([], h5py.string_dtype())
    return path


def test_columns_of_other_writers(tmp_path):
    written, notes = run_qc(other_encodings(tmp_path), tmp_path / "out")
    wanted = {
        "enumerated": [True, False],
        "fixed_length": ["a", "b"],
        "utf8": ["ä", "b"],
        "half": [1.5, 2.0],
        "number": [3.0, None],
        "word": ["x", None],
        "opaque": ["2020-01-01 00:00:00", None],
    }
    assert {name: first_two(written.obs[name]) for name in wanted} == wanted
    left_out = next(note for note in notes.splitlines() if "cannot be read" in note)
    for name in ("later", "two", "record"):
        assert name in left_out
    assert set(written.var_names) == set(GENES)


@pytest.mark.parametrize("form", [2, 3])
def test_both_forms_of_zarr(form, tmp_path):
    with ad.settings.override(zarr_write_format=form):
        annotated().write_zarr(tmp_path / "s.zarr")
    assert zarr.open(tmp_path / "s.zarr").metadata.zarr_format == form
    assert list(run_qc(tmp_path / "s.zarr", tmp_path / "out")[0].obs_names) == CELLS


def test_index_of_dates_and_of_fractions(tmp_path):
    sample = annotated(cells=[str(day) for day in pd.date_range("2020-01-01", periods=N)])
    assert run_qc(h5ad(tmp_path, sample), tmp_path / "a")[0].obs_names[0] == "2020-01-01 00:00:00"
    sample = annotated()
    path = h5ad(tmp_path, sample)
    with h5py.File(path, "r+") as file:
        del file["obs/_index"]
        file["obs/_index"] = np.arange(N) + 0.5
        file["obs/_index"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    assert run_qc(path, tmp_path / "b")[0].obs_names[0] == "0.5"
