"""Cheap checks of an input path, before anything heavy is imported or read."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pharmacell.core.errors import InputError
from pharmacell.data.foreign_files import START, by_content, by_suffix

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
HDF5_SUFFIXES = (".h5ad", ".h5", ".hdf5", ".h5mu", ".loom")
USER_BLOCKS = (0, 512, 1024, 2048, 4096)  # bytes that may stand before the signature; MuData writes 512
PACKINGS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
FOREIGN_BUT_ASKED_FOR = {".parquet": b"PAR1", ".json": b"{"}  # how files begin that are refused where a table is due
PACKED = (".gz", ".bz2", ".xz")
DAMAGED = (EOFError, OSError, lzma.LZMAError)  # what unpacking a damaged file gives, with zlib's error


def plain_name(path: Path) -> str:
    """Return a file's name without ``.gz``, ``.bz2`` or ``.xz``, in lower case.

    Parameters
    ----------
    path
        The file.
    """
    name = path.name.lower()
    return next((name.removesuffix(packed) for packed in PACKED if name.endswith(packed)), name)


def suffix_of(path: Path) -> str:
    """Return the suffix that tells the format, without that of a packing, in lower case.

    Parameters
    ----------
    path
        The file.
    """
    return Path(plain_name(path)).suffix


def is_packed(path: Path) -> bool:
    """Tell by its content whether a file is packed by gzip, bzip2 or xz.

    Parameters
    ----------
    path
        A file.
    """
    return opener_of(path) is not Path.open


def opener_of(path: Path) -> Callable[..., Any]:
    """Return what opens a file as its unpacked bytes, by its content and not by its name.

    Parameters
    ----------
    path
        A file.
    """
    with path.open("rb") as file:
        start = file.read(6)
    return next((opener for magic, opener in PACKINGS.items() if start.startswith(magic)), Path.open)


def start_of(path: Path) -> bytes:
    """Return the first bytes of a file, unpacked; none where they cannot be.

    Parameters
    ----------
    path
        A file.
    """
    try:
        with opener_of(path)(path, "rb") as file:
            return file.read(START)
    except (*DAMAGED, zlib.error):
        return b""


def is_hdf5(path: Path) -> bool:
    """Tell whether a file is HDF5, by its signature.

    Parameters
    ----------
    path
        A file.
    """
    with path.open("rb") as file:
        return starts_hdf5(file.read(START))


def starts_hdf5(start: bytes) -> bool:
    """Tell whether the first bytes of a file are those of HDF5.

    Parameters
    ----------
    start
        At least 4104 bytes, where there are so many.
    """
    return any(start.startswith(HDF5_SIGNATURE, place) for place in USER_BLOCKS)


def check_file(path: Path, suffixes: Iterable[str]) -> None:
    """Check that a file is there, has something in it, and is of a kind that can be read.

    Parameters
    ----------
    path
        The file.
    suffixes
        Allowed, with the dot, such as ``.csv``; ``.gz``, ``.bz2`` or ``.xz`` may follow.

    Raises
    ------
    InputError
        If it is not so.
    """
    suffixes = tuple(suffixes)
    if path.is_symlink() and not path.exists():
        raise InputError(f"{path}: a link to {path.readlink()}, where there is nothing; check the path")
    if not path.exists():
        raise InputError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise InputError(f"{path}: a folder where a file was expected ({', '.join(suffixes)})")
    suffix = suffix_of(path)
    if suffix not in suffixes:
        if known := by_suffix(suffix):
            raise InputError(f"{path}: {known}")
        raise InputError(
            f"{path}: this kind of file is not known; give one of {', '.join(suffixes)} (if it is one of these, "
            "rename it)"
        )
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    start = start_of(path)
    foreign = by_content(start)
    if foreign and not start.lstrip().startswith(FOREIGN_BUT_ASKED_FOR.get(suffix, ())):
        raise InputError(f"{path}: {foreign}")
    if suffix in HDF5_SUFFIXES and start and not starts_hdf5(start):
        raise InputError(f"{path}: not an HDF5 file, whatever its name says; write it again")


def reason(error: BaseException) -> str:
    """Return the first line of an error's text, or its type where there is none.

    Parameters
    ----------
    error
        What was raised.
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
