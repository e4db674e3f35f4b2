"""Files that appear whole or not at all."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; rename it to ``path`` when the block ends without an error.

    The temporary name keeps the suffix, because some writers choose the format by it.

    Parameters
    ----------
    path
        Of the file; its folder is made.

    Raises
    ------
    OSError
        If the folder cannot be made or written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield partial
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)  # as any new file: safetensors gives nobody else a right to read
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def json_values(value: Any) -> Any:
    """Return the same in types that json has: NumPy's numbers become Python's, tuples lists, and a NaN None.

    Parameters
    ----------
    value
        A number, word or truth value, or lists and dictionaries of them.
    """
    if isinstance(value, Mapping):
        return {str(key): json_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_values(item) for item in value]
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a dictionary as indented json, whole or not at all; a NaN becomes null, as json has none.

    Parameters
    ----------
    path
        The file.
    content
        See :func:`json_values`.
    """
    with whole_file(path) as partial:
        partial.write_text(json.dumps(json_values(content), indent=2, allow_nan=False) + "\n")
