"""The device that a command trains on."""

import torch

from pharmacell.errors import InputError
from pharmacell.progress import say


def resolve_device(wanted: str) -> torch.device:
    """Return the device for ``auto``, ``cpu`` or ``cuda``.

    Raises
    ------
    InputError
        If ``cuda`` is asked for and torch sees no GPU.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError(f"--device cuda: torch {torch.__version__} sees {torch.cuda.device_count()} GPUs "
                         f"(built for CUDA {torch.version.cuda or 'none'}); check the driver or use --device cpu")
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
        say(f"device: {wanted}")
    return torch.device(wanted)


def use_threads(threads: int) -> None:
    """Let torch use this many CPU threads."""
    torch.set_num_threads(threads)
