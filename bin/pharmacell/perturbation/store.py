"""A trained stack on disk: arrays as safetensors, everything else as json beside it; never pickle."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file, write_json
from pharmacell.data.input_file import reason

if TYPE_CHECKING:
    import torch

    from pharmacell.perturbation.models.stacked_network import FittedNetwork


def save(weights: dict[str, np.ndarray], config: dict, path: Path) -> None:
    """Write ``<name>.safetensors`` and ``<name>.json``, each whole or not at all.

    Parameters
    ----------
    weights
        Arrays by name.
    config
        What json can hold.
    path
        Of the weights; the json stands beside it.
    """
    from safetensors.numpy import save_file

    with whole_file(path) as partial:
        save_file({name: np.ascontiguousarray(value) for name, value in weights.items()}, partial)
    write_json(path.with_suffix(".json"), config)


def load(path: Path, device: "torch.device") -> tuple["FittedNetwork", dict]:
    """Read a stack and its json.

    Parameters
    ----------
    path
        Of the weights.
    device
        Where they go.

    Raises
    ------
    InputError
        If a file is missing, damaged or does not belong to the other.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from pharmacell.perturbation.models.stacked_network import FittedNetwork

    for file in (path, path.with_suffix(".json")):
        if not file.is_file():
            raise InputError(f"{file}: no such file; a model is a .safetensors and a .json of the same name")
    try:
        config = json.loads(path.with_suffix(".json").read_text())
        return FittedNetwork.from_parts(load_file(path), config, device), config
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise InputError(f"{path}: not a model of kaggle_train ({reason(error)}); train it again") from error
