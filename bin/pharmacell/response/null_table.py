"""The file of scores under permuted bulk responses, which FINETUNE_SC writes and PREDICT reads."""

from pathlib import Path

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.data.input_file import check_file, reason
from pharmacell.response.permuted_null import Null


def write_null(null: Null, n_cells: int, path: str | Path) -> None:
    """Write the scores under permuted bulk responses, whole or not at all.

    Its size depends on the genes, not on the cells: PREDICT makes the cells' scores of it, some at a time.

    Parameters
    ----------
    null
        What to write.
    n_cells
        Cells of the sample.
    path
        The safetensors file.
    """
    from safetensors.numpy import save_file

    tensors = {name: np.ascontiguousarray(value) for name, value in vars(null).items() if value is not None}
    with whole_file(path) as partial:
        save_file(tensors, partial, metadata={"n_cells": str(n_cells)})


def read_null(path: str | Path, n_cells: int, n_genes: int) -> Null:
    """Read what :func:`write_null` wrote.

    Parameters
    ----------
    path
        ``SAMPLE.null.safetensors`` of FINETUNE_SC.
    n_cells, n_genes
        Cells of the sample, and genes of the model.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another sample.
    """
    from safetensors import SafetensorError, safe_open

    check_file(Path(path), [".safetensors"])
    try:
        with safe_open(path, "numpy") as file:
            written = int((file.metadata() or {})["n_cells"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
        null = Null(tensors["weights"], tensors.get("network"), tensors["positions"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: no scores under permuted responses ({reason(error)}); run finetune_sc again"
        ) from error
    if written != n_cells or null.weights.shape[1] != n_genes:
        raise InputError(
            f"{path}: made for {written} cells and {null.weights.shape[1]} genes, not for {n_cells} and "
            f"{n_genes}; give the file that finetune_sc wrote for this sample"
        )
    return null
