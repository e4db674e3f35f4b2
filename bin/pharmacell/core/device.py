"""The device that a command trains on."""

import torch

from pharmacell.core.errors import InputError
from pharmacell.core.progress import say


def resolve_device(wanted: str) -> torch.device:
    """Return the device that training and prediction run on.

    Parameters
    ----------
    wanted
        ``auto`` (a GPU where torch sees one), ``cpu`` or ``cuda``.

    Raises
    ------
    InputError
        If ``cuda`` is asked for and torch sees no GPU.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError(
            f"--device cuda: torch {torch.__version__} sees {torch.cuda.device_count()} GPUs "
            f"(built for CUDA {torch.version.cuda or 'none'}); check the driver or use --device cpu"
        )
    if wanted == "auto":
        if torch.cuda.is_available():
            wanted = "cuda"
            say(f"device: cuda ({torch.cuda.get_device_name()})")
        else:
            wanted = "cpu"
            say(f"device: cpu (torch {torch.__version__} sees no GPU)")
    return torch.device(wanted)


def use_threads(threads: int) -> None:
    """Let torch use this many CPU threads.

    Parameters
    ----------
    threads
        At least 1.
    """
    torch.set_num_threads(threads)
