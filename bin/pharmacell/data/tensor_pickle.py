"""Read a pickled dictionary of tensors without running anything that a pickle may ask for."""

import collections
import io
import pickle
from typing import IO, Any

import numpy as np

from pharmacell.core.errors import InputError


def read_tensor_dict(file: IO[bytes], name: str) -> dict[str, np.ndarray]:
    """Read ``{text: tensor}``.

    Parameters
    ----------
    file
        An open pickle.
    name
        What to call it in a message.

    Returns
    -------
    dict
        One array per key.

    Raises
    ------
    InputError
        If the pickle asks for anything but the rebuilding of tensors, or is not such a dictionary.

    Notes
    -----
    Only three globals are answered; the inner bytes of a tensor, themselves a pickle, go through ``torch.load`` with
    ``weights_only=True``, which is restricted in the same way.
    """
    import torch

    allowed = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
        ("torch.storage", "_load_from_bytes"): lambda data: torch.load(io.BytesIO(data), weights_only=True),
    }

    class TensorUnpickler(pickle.Unpickler):
        def find_class(self, module: str, symbol: str) -> Any:
            if (module, symbol) not in allowed:
                raise pickle.UnpicklingError(f"it asks for {module}.{symbol}")
            return allowed[module, symbol]

        def persistent_load(self, pid: Any) -> Any:
            raise pickle.UnpicklingError("it asks for a persistent object")

    try:
        content = TensorUnpickler(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it is cut short"
        raise InputError(f"{name}: not a plain dictionary of tensors ({reason}); it was not read") from None
    if not isinstance(content, dict) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise InputError(f"{name}: not a plain dictionary of tensors; it was not read")
    return {str(key): value.numpy() for key, value in content.items()}
