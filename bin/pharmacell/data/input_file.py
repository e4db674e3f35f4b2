"""Cheap checks of an input path, before anything heavy is imported or read."""

from collections.abc import Iterable
from pathlib import Path

from pharmacell.core.errors import InputError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
HDF5_SUFFIXES = (".h5ad", ".h5", ".hdf5", ".h5mu", ".loom")
USER_BLOCKS = (0, 512, 1024, 2048, 4096)  # bytes that may stand before the signature; MuData writes 512
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".rds", ".rdata")


def suffix_of(path: Path) -> str:
    """Return the suffix that tells the format, without ``.gz``, in lower case.

    Parameters
    ----------
    path
        The file.
    """
    return Path(path.name.lower().removesuffix(".gz")).suffix


def is_hdf5(path: Path) -> bool:
    """Tell whether a file is HDF5, by its signature.

    Parameters
    ----------
    path
        A file.
    """
    with path.open("rb") as file:
        for place in USER_BLOCKS:
            file.seek(place)
            if file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE:
                return True
    return False


def check_file(path: Path, suffixes: Iterable[str]) -> None:
    """Check that a file is there, has something in it, and is of a kind that can be read.

    Parameters
    ----------
    path
        The file.
    suffixes
        Allowed, with the dot, such as ``.csv``; ``.gz`` may follow.

    Raises
    ------
    InputError
        If it is not so.
    """
    suffixes = tuple(suffixes)
    if not path.exists():
        raise InputError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise InputError(f"{path}: a folder where a file was expected ({', '.join(suffixes)})")
    if suffix_of(path) not in suffixes:
        why = "may run code when opened, so it is never read" if suffix_of(path) in PICKLES else "is not known"
        raise InputError(f"{path}: this kind of file {why}; give one of {', '.join(suffixes)}")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    with path.open("rb") as file:
        start = file.read(8)
    if path.suffix.lower() in HDF5_SUFFIXES and not is_hdf5(path):
        raise InputError(f"{path}: not an HDF5 file, whatever its name says; write it again")
    if path.name.lower().endswith(".gz") and start[:2] != b"\x1f\x8b":
        raise InputError(f"{path}: not a gzip file, whatever its name says; unpack it or rename it")


def reason(error: BaseException) -> str:
    """Return the first line of an error's text, or its type where there is none.

    Parameters
    ----------
    error
        What was raised.
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
