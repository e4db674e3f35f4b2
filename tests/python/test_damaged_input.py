"""Damaged files end in one line, and random valid ones come back as they were."""

import io
import shutil
import tarfile
import tempfile
import warnings

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from any_input import (
    CELLS,
    COUNTS,
    GENES,
    annotated,
    folder_10x,
    h5_10x,
    h5ad,
    loom,
    no_picture,
    tar,
    text,
    zip_file,
    zip_folder,
)
from any_input import table as wide
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.sample import prepare_sample
from pharmacell.data.settings import Limits, Request

N_DAMAGED = 500
NO_LIMITS = Limits(min_genes=0, min_cells=0, max_mt_percent=100)
N = len(CELLS)


@pytest.fixture(autouse=True)
def _no_picture(monkeypatch):
    """Leave the UMAP out, which costs more than all else and has tests of its own."""
    monkeypatch.setattr("pharmacell.data.sample.embed", no_picture)


def whole_files(folder):
    """One file of each format, with annotation of several types."""
    for name in ("h5ad", "h5", "loom", "csv", "tsv", "zarr", "tar", "gz"):
        (folder / name).mkdir()
    sample = annotated()
    sample.obs["word"] = pd.Categorical(["a", "b", "c"] * (N // 3))
    sample.obs["number"] = np.arange(N) / 7
    sample.layers["counts"] = sample.X.copy()
    sample.write_zarr(folder / "zarr" / "s.zarr")
    return [
        h5ad(folder / "h5ad", sample),
        h5_10x(folder / "h5" / "s.h5"),
        loom(folder / "loom" / "s.loom", "CellID", "Gene"),
        text(folder / "csv" / "s.csv", wide()),
        zip_file(text(folder / "tsv" / "s.tsv", wide().T, sep="\t")),
        zip_folder(folder / "s.zarr.zip", folder / "zarr" / "s.zarr"),
        tar(folder / "s.tar.gz", folder_10x(folder / "tar" / "in")),
        zip_file(h5ad(folder / "gz", sample)),
        folder_10x(folder / "folder", zipped=False),
    ]


def damage(content: bytes, rng) -> bytes:
    """Cut a file, or change some of its bytes or bits."""
    if rng.random() < 0.4:
        return content[: rng.integers(1, len(content))]
    changed = np.frombuffer(content, np.uint8).copy()
    places = rng.integers(0, len(changed), rng.integers(1, 30))
    changed[places] ^= (1 << rng.integers(0, 8, len(places))).astype(np.uint8)
    if rng.random() < 0.3:
        start = rng.integers(0, len(changed))
        changed[start : start + 64] = rng.integers(0, 256, len(changed[start : start + 64]))
    return changed.tobytes()


def test_damaged_files_end_in_one_line(tmp_path):
    rng, messages = np.random.default_rng(7), []
    (tmp_path / "whole").mkdir()
    files = whole_files(tmp_path / "whole")
    for number in range(N_DAMAGED):
        file = files[number % len(files)]
        path = tmp_path / f"damaged{''.join(file.suffixes)}"
        if file.is_dir():
            shutil.copytree(file, path, dirs_exist_ok=True)
            part = sorted(path.iterdir())[rng.integers(3)]
            part.write_bytes(damage((file / part.name).read_bytes(), rng))
        else:
            path.write_bytes(damage(file.read_bytes(), rng))
        out = tmp_path / "out"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                prepare_sample(Request("s", path), NO_LIMITS, 0, out)
        except InputError as error:
            messages.append(str(error))
            assert not out.exists()
        else:  # the damage lies where nothing is read, or made other numbers
            assert ad.read_h5ad(out / "s.h5ad").n_obs
            shutil.rmtree(out)
    assert len(messages) > N_DAMAGED / 3
    assert all(str(tmp_path) in message and len(message.splitlines()) == 1 for message in messages)


@pytest.mark.parametrize("filtered", [True, False], ids=["Python's filter", "a Python without one"])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE], ids=["path", "link"])
def test_nothing_of_a_tar_lands_outside_its_folder(tmp_path, monkeypatch, filtered, kind):
    if not filtered:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    elif not hasattr(tarfile, "data_filter"):
        pytest.skip("this Python has no filter of tar archives")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    member = tarfile.TarInfo("../evil.csv" if kind == tarfile.REGTYPE else "s.csv")
    member.type, member.linkname, member.size = kind, "/etc/hostname", 4 if kind == tarfile.REGTYPE else 0
    with tarfile.open(tmp_path / "s.tar.gz", "w:gz") as archive:
        archive.addfile(member, io.BytesIO(b"a,b\n"))
    with pytest.raises(InputError, match=r"s\.tar\.gz"):
        prepare_sample(Request("s", tmp_path / "s.tar.gz"), NO_LIMITS, 0, tmp_path / "out")
    assert not list(tmp_path.rglob("evil.csv"))
    assert not (tmp_path / "out").exists()


DTYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float16", "float32", "float64")
COLUMNS = {
    "numpy": lambda values: np.array(values),
    "Int64": lambda values: pd.array([None if value == 3 else value for value in values], dtype="Int64"),
    "float32": lambda values: np.array(values, np.float32),
    "boolean": lambda values: pd.array([None if value == 3 else value > 1 for value in values], dtype="boolean"),
    "bool": lambda values: np.array(values) > 1,
    "string": lambda values: pd.array([None if value == 3 else f"w{value}" for value in values], dtype="string"),
    "object": lambda values: [f"é {value}" for value in values],
    "categorical": lambda values: pd.Categorical([f"c{value}" for value in values], [f"c{i}" for i in range(9)]),
    "numeric categorical": lambda values: pd.Categorical(values),
    "ordered": lambda values: pd.Categorical(values, sorted(set(values)), ordered=True),
}
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="/"), min_size=1, max_size=8)


@st.composite
def samples(draw):
    """A valid AnnData of any dtype, form and annotation, its counts, and where they lie."""
    values = draw(st.sampled_from([COUNTS, COUNTS % 5, COUNTS + 1]))
    n_cells = draw(st.integers(3, N))
    values = values[:n_cells].astype(draw(st.sampled_from(DTYPES)))
    forms = [np.asarray] if values.dtype == np.float16 else [sparse.csr_matrix, sparse.csc_matrix, np.asarray]
    form = draw(st.sampled_from(forms))
    ids = draw(st.lists(NAMES, min_size=n_cells, max_size=n_cells))
    sample = ad.AnnData(form(values), obs=pd.DataFrame(index=ids), var=pd.DataFrame(index=GENES))
    numbers = draw(st.lists(st.integers(0, 5), min_size=n_cells, max_size=n_cells))
    for name, kind in draw(st.dictionaries(NAMES, st.sampled_from(sorted(COLUMNS)), max_size=4)).items():
        if name != "_index":
            sample.obs[name] = COLUMNS[kind](numbers)
    place = draw(st.sampled_from(["X", "layer", "raw"]))
    if place == "layer":
        sample.layers["counts"], sample.X = sample.X, None
    elif place == "raw":
        sample.raw = sample
        sample.X = np.log1p(values.astype(np.float32) * 3.3)
    return sample, values.astype(np.float32)


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(samples())
def test_any_valid_anndata_comes_back(tmp_path_factory, drawn):
    sample, values = drawn
    folder = tmp_path_factory.mktemp("any")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = h5ad(folder, sample)
        prepare_sample(Request("s", path), NO_LIMITS, 0, folder / "out")
    written = ad.read_h5ad(folder / "out" / "s.h5ad")
    assert written.obs_names.is_unique
    if sample.obs_names.is_unique:
        assert list(written.obs_names) == list(sample.obs_names)
    np.testing.assert_array_equal(written[:, GENES].layers["counts"].toarray(), values)
    assert {name for name in written.obs if not name.startswith("pharmacell_")} == set(sample.obs)
    for name in sample.obs:
        given_column, found = sample.obs[name], written.obs[name]
        assert found.isna().tolist() == given_column.isna().tolist()
        if pd.api.types.is_numeric_dtype(found):
            np.testing.assert_array_equal(
                found.to_numpy(float), given_column.astype(object).fillna(np.nan).to_numpy(float)
            )
    shutil.rmtree(folder)
