"""The front door: a file of single cells of any kind, brought to one checked form."""

import logging
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.command import is_out_of_memory
from pharmacell.core.errors import InputError
from pharmacell.data.assays import genes_of, without_genome
from pharmacell.data.contents import Contents
from pharmacell.data.foreign_files import SPREADSHEET
from pharmacell.data.frames import plain_frame, plain_text, unique_ids
from pharmacell.data.genes import is_count_up, map_names
from pharmacell.data.input_file import (
    HDF5_SUFFIXES,
    PACKED,
    check_file,
    is_hdf5,
    opener_of,
    plain_name,
    reason,
    start_of,
    starts_hdf5,
)
from pharmacell.data.matrices import Matrix, by_columns
from pharmacell.data.matrix_choice import choose_matrix
from pharmacell.data.text_table import TEXT_SUFFIXES

ARCHIVES = (".tar", ".tgz", ".zip")
SUFFIXES = (*HDF5_SUFFIXES, *TEXT_SUFFIXES, ".mtx", *ARCHIVES)
ENOUGH_NAMES = 2000  # to tell which of several columns holds gene names
CLEARLY_BETTER = 0.05  # share of matching names by which a column beats the index


@dataclass(frozen=True)
class Reading:
    """What the user says about how a file is to be read.

    Attributes
    ----------
    orientation
        Of a text table: ``cells_by_genes``, ``genes_by_cells``, or ``auto``: whichever way the names match genes.
    annotations
        Columns of a text table that describe cells rather than genes.
    matrix
        ``X``, ``raw`` or the name of a layer; None to choose by what they hold.
    species
        ``human``, ``mouse`` or ``auto``; tells which of several genomes is read.
    scale
        What the values are, or ``auto``; of several matrices one on this scale comes first.
    """

    orientation: str = "auto"
    annotations: tuple[str, ...] = ()
    matrix: str | None = None
    species: str = "auto"
    scale: str = "auto"


@dataclass(frozen=True)
class Cells:
    """A sample in its checked form.

    Attributes
    ----------
    x
        float32, csr without stored zeros or dense, in memory or on disk, [n_cells, n_genes].
    given
        Annotation of the cells as read, for labels and groups; the index holds unique ids.
    obs
        The same as numbers, booleans and categories of text, without names that are reserved.
    genes
        Names of the genes; not unique.
    simulated
        Whether the file says that its cells are simulated.
    keep
        What must live as long as ``x`` does.
    """

    x: Matrix
    given: pd.DataFrame
    obs: pd.DataFrame
    genes: pd.Index
    simulated: bool
    keep: Any = None


def check_sample(path: Path) -> None:
    """Check cheaply that a sample is there and of a kind that can be read.

    Parameters
    ----------
    path
        A file or a folder.

    Raises
    ------
    InputError
        If not.
    """
    if not path.is_dir():
        check_file(path, SUFFIXES)
    elif not is_zarr(path) and not folders_of_matrices(path):
        raise InputError(f"{path}: {_of_folder(path)}")


def _of_folder(path: Path) -> str:
    """Say what a folder without a matrix holds, and what to give instead."""
    names = sorted(file.name for file in path.iterdir() if not file.name.startswith("."))
    if {"obs.csv", "var.csv"} <= set(names):
        return "a folder of tables, as write_csvs makes it; write the cells with write_h5ad and give that file"
    files = [name for name in names if plain_name(Path(name)).endswith(SUFFIXES)]
    if files:
        return f"a folder without matrix.mtx; give a file of it, such as {', '.join(files[:3])}"
    held = f"it holds {', '.join(names[:5])}" if names else "it is empty"
    return f"a folder without matrix.mtx ({held}); give a file, a 10x folder with matrix.mtx(.gz), or a zarr store"


def folders_of_matrices(path: Path) -> set[Path]:
    """Return the folders at or below one that hold a matrix in Matrix Market, packed or not.

    Parameters
    ----------
    path
        The folder.
    """
    return {file.parent for ending in ("", *PACKED) for file in path.rglob(f"*.mtx{ending}") if file.is_file()}


def is_zarr(path: Path) -> bool:
    """Tell whether a folder is a zarr store.

    Parameters
    ----------
    path
        The folder.
    """
    return any((path / name).is_file() for name in (".zgroup", "zarr.json", ".zattrs"))


def read_sample(path: Path, reading: Reading | None = None) -> tuple[Cells, list[str]]:
    """Read a sample and bring it to its checked form.

    Parameters
    ----------
    path
        A file or a folder.
    reading
        What the user says about it.

    Returns
    -------
    cells : Cells
        The sample.
    notes : list of str
        What was decided.

    Raises
    ------
    InputError
        If the sample cannot be read, or has no cells or no genes.
    """
    reading, source = reading or Reading(), str(path)
    check_sample(path)
    contents = read_contents(path, reading)
    candidate, notes = choose_matrix(contents, reading.matrix, reading.scale, source)
    kept, names, gene_notes = genes_of(candidate.var, reading.species, source)
    n_cells, n_genes = candidate.matrix.shape
    if 0 in (n_cells, len(kept)):
        raise InputError(f"{path}: {n_cells} cells and {len(kept)} genes; there is nothing to read")
    x = candidate.matrix if len(kept) == n_genes else by_columns(candidate.matrix, kept)
    if isinstance(x, np.ndarray) and np.count_nonzero(x) < x.size / 2:
        x = sparse.csr_matrix(x)
    genes, name_notes = _gene_names(candidate.var.iloc[kept], names[kept])
    ids, id_notes = unique_ids(pd.Index([plain_text(name) for name in contents.obs.index], dtype=object))
    given = contents.obs.set_axis(ids, axis=0)
    obs, column_notes = plain_frame(given, "cells")
    notes = [*contents.notes, *notes, *gene_notes, *name_notes, *id_notes, *column_notes]
    return Cells(x, given, obs, genes, contents.simulated, contents.keep), notes


def read_contents(path: Path, reading: Reading) -> Contents:
    """Read what a file or a folder holds.

    Parameters
    ----------
    path
        A file or a folder that was checked.
    reading
        What the user says about it.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        if path.is_dir():
            return _read_folder(path, reading)
        if is_hdf5(path):
            return _read_hdf5(path, path)
        start = start_of(path)
        if starts_hdf5(start):
            return _read_packed_hdf5(path)
        if plain_name(path).endswith(".mtx"):
            from pharmacell.data.tenx import read_triple

            return read_triple(path)
        if start.startswith(b"PK\x03\x04"):
            return _read_zip(path, reading)
        if tarfile.is_tarfile(path):
            return _read_archive(path, reading, _unpack_tar)
        return _read_text(path, reading)
    except InputError:
        raise
    except Exception as error:  # whatever a library makes of a damaged file; they document none of it
        if is_out_of_memory(error):
            raise
        raise InputError(f"{path}: cannot be read ({reason(error)}); the file is damaged or of another kind") from None


def _read_text(path: Path, reading: Reading) -> Contents:
    """Read a text table."""
    from pharmacell.data.text_matrix import read_text

    return read_text(path, reading.orientation, reading.annotations)


def _read_hdf5(file: Path | IO[bytes], path: Path) -> Contents:
    """Read any kind of HDF5 file, by what it holds rather than by its name; large matrices stay on disk."""
    import h5py

    from pharmacell.data.containers import read_annotated, read_multimodal
    from pharmacell.data.hdf5_probe import require_sound
    from pharmacell.data.loom import read_loom
    from pharmacell.data.tenx import read_10x_h5

    require_sound(file, path)
    root = h5py.File(file, "r")
    if "mod" in root:
        contents = read_multimodal(root, path)
    elif "matrix" in root and hasattr(root["matrix"], "shape"):
        contents = read_loom(root, path)
    elif "obs" in root or "var" in root or "X" in root:
        contents = read_annotated(root, path)
    else:
        contents = read_10x_h5(root, path)
    contents.keep = (root, file)
    return contents


def _read_packed_hdf5(path: Path) -> Contents:
    """Unpack an HDF5 file to a place without a name, which is gone with the process."""
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115  (it must live as long as the matrices)
    with opener_of(path)(path, "rb") as packed:
        shutil.copyfileobj(packed, unpacked)
    contents = _read_hdf5(unpacked, path)
    contents.notes.insert(0, f"{path.name} was unpacked")
    return contents


def _read_zarr(store: Any, path: Path) -> Contents:
    """Read a zarr store."""
    import zarr

    from pharmacell.data.containers import read_zarr

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # zarr's tasks log what the readers handle
    contents = read_zarr(zarr.open_group(store, mode="r", use_consolidated=False), path)
    contents.keep = (contents.keep, store)
    return contents


def _read_zip(path: Path, reading: Reading) -> Contents:
    """Read a zipped zarr store, or unpack any other zip."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if "[Content_Types].xml" in names:
        raise InputError(f"{path}: {SPREADSHEET}")
    roots = sorted(
        (name for name in names if name.split("/")[-1] in (".zgroup", "zarr.json")), key=lambda n: n.count("/")
    )
    if roots and "/" not in roots[0]:
        from zarr.storage import ZipStore

        return _read_zarr(ZipStore(path, mode="r"), path)
    return _read_archive(path, reading, _unpack_zip)


def _read_archive(path: Path, reading: Reading, unpack: Callable[[Path, Path], None]) -> Contents:
    """Unpack an archive to a folder that is gone with the process, and read what is in it."""
    folder = tempfile.TemporaryDirectory()
    unpack(path, Path(folder.name))
    inside = Path(folder.name)
    try:
        contents = _read_unpacked(inside, reading)
    except InputError as error:
        raise InputError(str(error).replace(f"{inside}", str(path), 1).replace(f"{inside}/", "")) from None
    contents.keep = (contents.keep, folder)
    return contents


def _read_unpacked(folder: Path, reading: Reading) -> Contents:
    """Read the one sample of an unpacked archive."""
    stores = [file.parent for name in (".zgroup", "zarr.json") for file in folder.rglob(name)]
    stores = [store for store in stores if not any(other in store.parents for other in stores)]
    if len(stores) == 1:
        return read_contents(stores[0], reading)
    if folders_of_matrices(folder):
        return _read_folder(folder, reading)
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.startswith((".", "__"))]
    if len(files) != 1:
        listed = ", ".join(file.name for file in files[:8]) or "nothing"
        raise InputError(f"{folder}: an archive with {listed}; it should hold one 10x folder, zarr store or file")
    check_file(files[0], SUFFIXES)
    return read_contents(files[0], reading)


def _unpack_tar(path: Path, folder: Path) -> None:
    """Unpack tar, compressed or not; links and paths out of the folder are refused."""
    with tarfile.open(path) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
            return
        for member in archive:  # Python 3.11 before 3.11.4 knows no filter
            inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
            if not inside or not (member.isfile() or member.isdir()):
                raise tarfile.ReadError(f"{member.name} is a link, a device or a path out of the archive")
            archive.extract(member, folder)


def _unpack_zip(path: Path, folder: Path) -> None:
    """Unpack zip; the library keeps paths inside the folder."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)


def _read_folder(path: Path, reading: Reading) -> Contents:
    """Read a zarr store, or a folder with one triple of matrix, barcodes and features, or with one such folder."""
    from pharmacell.data.tenx import MATRIX, read_triple, triples

    if is_zarr(path):
        return _read_zarr(str(path), path)
    found = {folder: triples(folder) for folder in sorted(folders_of_matrices(path)) if triples(folder)}
    notes: list[str] = []
    if path in found:
        found = {path: found[path]}
    elif len(found) > 1:
        found, notes = _one_folder(path, found, reading.species)
    if not found:
        raise InputError(f"{path}: no matrix.mtx or matrix.mtx.gz in it; a 10x folder has one")
    folder, matrices = next(iter(found.items()))
    if len(matrices) > 1:
        listed = ", ".join(file.name for _, file in sorted(matrices.items())[:8])
        raise InputError(
            f"{path}: {len(matrices)} matrices in one folder ({listed}); give the one to read, or put the three files "
            "of each sample into a folder of its own and give each its row"
        )
    matrix_file = next(iter(matrices.values()))
    contents = read_triple(matrix_file)
    if folder != path and not notes:
        notes = [f"the folder {folder.relative_to(path)} is read"]
    others = sorted(file.name for file in folder.iterdir() if MATRIX.fullmatch(file.name) and file != matrix_file)
    others = [name for name in others if not name.startswith(".")]
    if others:
        notes = [*notes, f"{matrix_file.name} is read, not {', '.join(others)}"]
    contents.notes = [*notes, *contents.notes]
    return contents


def _one_folder(path: Path, found: dict[Path, dict], species: str) -> tuple[dict[Path, dict], list[str]]:
    """Choose among folders: those that were filtered, of genomes the one of the species, STARsolo's count of genes."""
    from pharmacell.data.assays import of_species

    chosen = [folder for folder in found if "filtered" in str(folder.relative_to(path))] or list(found)
    if len(chosen) > 1:
        named = of_species([folder.name for folder in chosen], species)
        chosen = [folder for folder in chosen if folder.name in named] or chosen
    if len(chosen) > 1:
        chosen = [folder for folder in chosen if "Gene" in (folder.name, folder.parent.name)] or chosen
    if len(chosen) != 1:
        listed = ", ".join(str(folder.relative_to(path)) for folder in chosen[:8])
        raise InputError(f"{path}: {len(chosen)} folders with a matrix ({listed}); give one of them")
    others = ", ".join(str(folder.relative_to(path)) for folder in found if folder not in chosen)
    return {chosen[0]: found[chosen[0]]}, [f"the folder {chosen[0].relative_to(path)} is read, not {others}"]


def _gene_names(var: pd.DataFrame, index: pd.Index) -> tuple[pd.Index, list[str]]:
    """Take as gene names the column of var that matches best, if it beats the index."""
    rows = np.linspace(0, len(var) - 1, min(len(var), ENOUGH_NAMES)).astype(int)

    def share(names: list[str]) -> float:
        if is_count_up(names):
            return 0.0
        some = [names[row] for row in rows]
        return map_names(some).share * len(set(some)) / len(some)  # a type that repeats names no gene

    best, chosen, texts = share([str(name) for name in index]) + CLEARLY_BETTER, None, {}
    for place, column in enumerate(var.columns):
        values = var.iloc[:, place]
        numeric = pd.api.types.is_numeric_dtype(values.dtype)
        if numeric and "entrez" not in str(column).lower():
            continue
        texts[place] = without_genome([plain_text(value) for value in values])
        found = share(texts[place])
        if found > best:
            best, chosen = found, place
    if chosen is None:
        return index, []
    return pd.Index(texts[chosen], dtype=object), [
        f"gene names are taken from the column '{var.columns[chosen]}' of var"
    ]
