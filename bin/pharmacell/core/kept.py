"""Folders of results that are kept between runs, each named by a hash of everything that its content depends on."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pharmacell.core.errors import InputError
from pharmacell.core.files import json_values, write_json
from pharmacell.core.progress import say

FACTS = "made_from.json"  # in the folder, beside the result


@dataclass(frozen=True)
class MadeFrom:
    """Everything that a result depends on.

    Attributes
    ----------
    step
        Name of the command.
    code
        Digest of the code that the command runs; None where it is not known, and then nothing is kept.
    data
        Digest of the data.
    settings
        By name.
    seed
        The user's.
    device
        Such as ``cpu``.
    threads
        On which it computes.
    """

    step: str
    code: str | None
    data: str
    settings: Mapping[str, Any]
    seed: int
    device: str
    threads: int

    def facts(self) -> dict[str, Any]:
        """Return all of it as json has it, with a digest of the installed packages."""
        return json_values(asdict(self) | {"packages": packages_digest()})

    def key(self) -> str:
        """Return the hash that names a kept folder: 32 hexadecimal digits."""
        return hashlib.sha256(json.dumps(self.facts(), sort_keys=True).encode()).hexdigest()[:32]


@cache
def packages_digest() -> str:
    """Return a hash of the names and versions of all installed packages, and Python's."""
    import platform
    from importlib.metadata import distributions

    found = sorted({f"{each.metadata['Name']}=={each.version}" for each in distributions()})
    return hashlib.sha256("\n".join([platform.python_version(), *found]).encode()).hexdigest()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside ``path``, which is gone when the block ends, unless it was renamed.

    Parameters
    ----------
    path
        Of a folder.

    Raises
    ------
    OSError
        If the folder around it cannot be made or written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.uname().nodename}-{os.getpid()}-{path.name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def keep(result: Path, kept: Path) -> None:
    """Copy a result to its place among the kept ones; where another run was first, its copy stays.

    Parameters
    ----------
    result, kept
        The folders.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    with new_folder(kept) as folder:
        shutil.copytree(result, folder, dirs_exist_ok=True)
        try:
            folder.rename(kept)
        except OSError:
            if not kept.is_dir():
                raise


def files_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder but :data:`FACTS`, by its path there.

    Parameters
    ----------
    folder
        Of the result.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != FACTS)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def read_facts(folder: Path) -> dict[str, Any] | None:
    """Return what a kept or published result says that it was made from; None where the folder holds no whole result.

    Parameters
    ----------
    folder
        Of the result.
    """
    try:
        facts = json.loads((folder / FACTS).read_text())
        whole = facts.pop("files") == files_digests(folder)
    except (OSError, ValueError, KeyError):
        return None
    return facts if whole else None


def make_or_take(target: Path, source: MadeFrom, store: Path | None, make: Callable[[Path], None]) -> None:
    """Fill a folder with a result: the one that an earlier run kept or, without one, a new one, which is kept then.

    Two runs may do so at once: a folder of the store appears whole, under its name, or not at all. A store that cannot
    be written to is no error.

    Parameters
    ----------
    target
        The folder; it is made.
    source
        Everything that the result depends on.
    store
        Folder of the kept results; None to keep none.
    make
        Computes the result and writes it into the folder that it is given.
    """
    kept = store / source.key() if store and source.code else None
    if kept and read_facts(kept):
        say(f"{source.step}: the result of an earlier run is used, from {kept}")
        shutil.copytree(kept, target, dirs_exist_ok=True)
        return
    with new_folder(target) as folder:
        make(folder)
        write_json(folder / FACTS, source.facts() | {"files": files_digests(folder)})
        shutil.copytree(folder, target, dirs_exist_ok=True)
        if kept:
            try:
                shutil.rmtree(kept, ignore_errors=True)  # not whole, or it would have been taken
                keep(folder, kept)
            except OSError as error:
                say(
                    f"{source.step}: the result is not kept for later runs: {kept} cannot be written ({error.strerror})"
                )


def reuse(target: Path, source: MadeFrom, model: Path) -> list[str]:
    """Fill a folder with a result that an earlier run published.

    Parameters
    ----------
    target
        The folder; it is made.
    source
        What the result would be made from now.
    model
        The published folder.

    Returns
    -------
    list of str
        What differs from a result that would be made now and does not forbid its use, one line each.

    Raises
    ------
    InputError
        If the folder holds no such result, or one of other bulk data.
    """
    found = read_facts(model)
    if found is None or found.get("step") != source.step:
        raise InputError(
            f"--model {model}: holds no whole result of {source.step}; give the folder that it was published in"
        )
    wanted = source.facts()
    if found["data"] != wanted["data"]:
        raise InputError(
            f"--model {model}: was made from other bulk data or with other lines excluded; give those, or leave "
            "--model out"
        )
    settings = {
        name: (found["settings"].get(name), wanted["settings"].get(name))
        for name in sorted({*found["settings"], *wanted["settings"]})
    }
    settings |= {name: (found[name], wanted[name]) for name in ("seed", "device", "threads")}
    differing = [f"{name} {there} (not {here})" for name, (there, here) in settings.items() if there != here]
    notes = [f"--model {model}: it was made with {', '.join(differing)}"] if differing else []
    if found["code"] != wanted["code"]:
        notes.append(f"--model {model}: another version of the code made it")
    shutil.copytree(model, target, dirs_exist_ok=True)
    return notes
