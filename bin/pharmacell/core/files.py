"""Files that appear whole or not at all."""

import os
from collections.abc import Iterator
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
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: str | Path, content: dict) -> None:
    """Write a dictionary as indented json, whole or not at all; a NaN becomes null, as json has none.

    Parameters
    ----------
    path
        Of the file.
    content
        May hold NumPy scalars.
    """
    import json
    import math

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        if hasattr(value, "item"):  # a NumPy scalar
            value = value.item()
        return None if isinstance(value, float) and not math.isfinite(value) else value

    with whole_file(path) as partial:
        partial.write_text(json.dumps(plain(content), indent=2, allow_nan=False) + "\n")
