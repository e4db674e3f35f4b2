"""How much memory a stack of folds will take, and how much one took."""

import re
import resource

import torch

from pharmacell.benchmark.base import ComparedModel
from pharmacell.core.errors import InputError

UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
LIBRARIES = 700 * 2**20  # of a process that has imported torch and what stands beside it
COPIES_OF_LINES = 12  # as read, without test lines, standardised, within lines, thinned three times, and in passing


def parse_memory(text: str) -> int:
    """Return bytes for a size such as ``4.GB``, ``4 GB``, ``512M``.

    Parameters
    ----------
    text
        As given.

    Raises
    ------
    InputError
        If it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)[ .]?([KMG])i?B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise InputError(f"--max_stack_memory {text}: not a size; give one such as 4GB or 512MB")
    return int(float(match[1]) * UNITS[match[2].upper()])


def fold_limit(model: ComparedModel, bulk: tuple[int, int], n_train: int, n_test: int, most_bytes: int) -> int:
    """Return how many folds may be stacked.

    Parameters
    ----------
    model
        Predicts what one fold takes.
    bulk
        Lines and genes.
    n_train, n_test
        Cells of the largest fold.
    most_bytes
        For the whole process.

    Raises
    ------
    InputError
        If one fold alone would take more.
    """
    n_lines, n_genes = bulk
    shared = LIBRARIES + 4 * n_genes * (COPIES_OF_LINES * n_lines + n_train + n_test)
    each = 4 * n_genes * (n_train + n_test) + model.stack_bytes(n_genes, n_train, n_test)
    if shared + each > most_bytes:
        raise InputError(
            f"--max_stack_memory: one fold takes about {(shared + each) / 2**30:.3f} GB and "
            f"{most_bytes / 2**30:.3f} GB are allowed; allow more, or use a smaller network"
        )
    return int((most_bytes - shared) // each)


def peak_bytes(device: torch.device) -> int:
    """Return the most memory that this process has taken: on the GPU if it trains there, else of the machine.

    Parameters
    ----------
    device
        Where the process trains.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 2**10
