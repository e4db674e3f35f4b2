"""PharmaCell: drug response of single cells by transfer from bulk cell lines."""

import importlib
from typing import Any

__version__ = "0.2.0"
_API = ("explain", "panel", "predict", "read")  # functions of pharmacell.api


def __getattr__(name: str) -> Any:
    # loaded when first used: what a command imports decides which of a run's tasks an edit repeats
    if name in _API:
        return getattr(importlib.import_module(f"{__name__}.api"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
