"""The file of scores under permuted bulk responses, which FINETUNE_SC writes and PREDICT reads."""

from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.data.input_file import check_file, reason
from pharmacell.response.columns import CELL_ID


def write_null(null: np.ndarray, cells: pd.Index, path: str | Path) -> None:
    """Write the scores under permuted bulk responses, one row a cell, whole or not at all.

    Parameters
    ----------
    null
        float32 [n_permutations, n_cells].
    cells
        The sample's cells.
    path
        The parquet file.
    """
    names = [f"permutation_{number + 1}" for number in range(len(null))]
    with whole_file(path) as partial:
        pd.DataFrame(null.T, cells, names).rename_axis(CELL_ID).to_parquet(partial)


def read_null(path: str | Path, cells: pd.Index) -> np.ndarray:
    """Read the scores under permuted bulk responses, float32 [n_permutations, n_cells].

    Parameters
    ----------
    path
        ``SAMPLE.null.parquet`` of FINETUNE_SC.
    cells
        The sample's cells.

    Raises
    ------
    InputError
        If the file is missing, damaged or of other cells.
    """
    check_file(Path(path), [".parquet"])
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a table of null scores ({reason(error)}); run finetune_sc again") from error
    if not table.index.astype(str).equals(cells.astype(str)):
        raise InputError(f"{path}: its cells are not those of the sample; give the file that finetune_sc wrote for it")
    return table.to_numpy(np.float32).T
