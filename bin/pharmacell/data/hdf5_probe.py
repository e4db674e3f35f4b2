"""Try a file on the HDF5 library in a process of its own.

On some damaged files the library neither returns nor raises: it loops for ever or ends the process. Nothing here
could then say so, so a copy of it goes first.
"""

import faulthandler
import os
import resource
from pathlib import Path
from typing import IO, Any

from pharmacell.core.errors import InputError

CPU_SECONDS = 3  # for a small file, of which a whole one takes a hundredth
BYTES_PER_SECOND = 10_000_000  # added to it, far below what a whole file takes
SOME = 100_000  # texts read at once


def require_sound(file: Path | IO[bytes], path: Path) -> None:
    """Read names, attributes and texts of an HDF5 file in another process, and see whether that comes back.

    Parameters
    ----------
    file
        The file, or an open one.
    path
        Its path, for the message.

    Raises
    ------
    InputError
        If the other process had to be ended, or ended itself.
    """
    seconds = CPU_SECONDS + path.stat().st_size // BYTES_PER_SECOND
    child = os.fork()
    if child == 0:
        try:
            faulthandler.disable()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
            resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds))
            _walk(file)
        finally:  # what it raises is found, and told, by the reader
            os._exit(0)
    if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        raise InputError(f"{path}: the HDF5 library cannot cope with it; the file is damaged, copy or write it again")


def _walk(file: Path | IO[bytes]) -> None:
    """Read attributes and texts of everything in the file; numbers are left to the reader."""
    import h5py

    def look(_name: str, node: Any) -> None:
        try:
            for key in node.attrs:
                node.attrs[key]
            if isinstance(node, h5py.Dataset) and node.dtype.kind == "O" and node.ndim == 1:
                for start in range(0, len(node), SOME):
                    node[start : start + SOME]
        except Exception:  # found again by the reader, if it needs this part
            return

    with h5py.File(file, "r") as root:
        look("", root)
        root.visititems(look)
