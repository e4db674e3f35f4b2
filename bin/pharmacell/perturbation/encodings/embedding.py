"""Compound vectors computed elsewhere, such as those of a chemical language model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from typing_extensions import override

from pharmacell.core.errors import InputError
from pharmacell.data.input_file import check_file, reason, suffix_of
from pharmacell.data.molecules import canonical_smiles, unparsable
from pharmacell.perturbation.encodings.base import Encoded, InputShape, KeyEncoder, categories, cell_shape, numbers
from pharmacell.perturbation.table import texts_of
from pharmacell.perturbation.text_files import TEXT_SUFFIXES, check_columns, read_text, without_row_names

if TYPE_CHECKING:
    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable


COMPOUND_KEYS = ("SMILES", "sm_name", "sm_lincs_id")


@dataclass(frozen=True)
class EmbeddingEncoder(KeyEncoder):
    """The vector of each compound, standardised over the training compounds.

    Parameters
    ----------
    cell_types
        Of the training rows.
    column
        Which key names a compound in the table.
    compounds
        All compounds of the table.
    vectors
        float32, [n_compounds, n_features].
    mean, std
        Over the training compounds, float32 [n_features].
    """

    cell_types: list[str]
    column: str
    compounds: list[str]
    vectors: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    name: ClassVar[str] = "embedding"

    @classmethod
    @override
    def fit(cls, train: "PerturbationTable", options: "FitOptions", unseen: str | None) -> Self:
        if options.compound_embedding is None:
            raise InputError("--encoding embedding: there is no table of compound vectors; add --compound_embedding")
        column, compounds, vectors = read_vectors(options.compound_embedding)
        seen = vectors[places(train.keys[column].unique(), compounds, column)]
        std = seen.std(0)
        return cls(categories(train.cell_type), column, compounds, vectors, seen.mean(0), np.where(std < 1e-6, 1, std))

    @override
    def shape(self) -> InputShape:
        return cell_shape(self.cell_types, self.vectors.shape[1])

    @override
    def transform(self, keys: pd.DataFrame) -> Encoded:
        vector = (self.vectors[places(keys[self.column], self.compounds, self.column)] - self.mean) / self.std
        return Encoded(numbers(keys["cell_type"], self.cell_types)[:, None], vector.astype(np.float32))


def read_vectors(path: Path) -> tuple[str, list[str], np.ndarray]:
    """Read a parquet, csv or tsv: one column SMILES, sm_name or sm_lincs_id, all other columns numbers.

    Parameters
    ----------
    path
        A table of precomputed compound vectors.
    """
    check_file(path, (".parquet", *TEXT_SUFFIXES))
    if suffix_of(path) == ".parquet":
        import pyarrow.parquet as pq

        try:  # compounds may have been an index of pandas
            frame = without_row_names(pq.read_table(path).to_pandas(ignore_metadata=True))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read ({reason(error)}); write it again") from error
        check_columns(path, list(frame.columns))
    else:
        frame = read_text(path)
    column = next((key for key in COMPOUND_KEYS if key in frame), None)
    if column is None:
        raise InputError(f"{path}: no column names the compounds; add one of {', '.join(COMPOUND_KEYS)}")
    values = frame.drop(columns=[key for key in COMPOUND_KEYS if key in frame])
    text = [str(name) for name, kind in values.dtypes.items() if kind.kind not in "fiu"]
    if text or not values.shape[1]:
        raise InputError(
            f"{path}: {f'column {text[0]} holds text' if text else 'there are no numbers'}; beside the "
            "compound's name every column has to be a number"
        )
    frame[column] = names_of(path, frame[column])
    if frame[column].duplicated().any():
        twice = frame[column][frame[column].duplicated()].iloc[0]
        raise InputError(f"{path}: {twice} stands there twice; keep one row")
    vectors = values.to_numpy(np.float32)
    if not np.isfinite(vectors).all():
        bad = int(np.flatnonzero(~np.isfinite(vectors).all(1))[0])
        raise InputError(f"{path}: the vector of {frame[column].iloc[bad]} is not finite; correct it")
    return column, frame[column].tolist(), vectors


def names_of(path: Path, column: pd.Series) -> list[str]:
    """Return the compounds that a table names, structures in their canonical spelling.

    Parameters
    ----------
    path
        The table, for messages.
    column
        Its first column.

    Raises
    ------
    InputError
        If a name is missing, or a structure is none.
    """
    names = texts_of(path, column).tolist()
    if column.name != "SMILES":
        return names
    if bad := unparsable(names):
        raise InputError(f"{path}: rdkit cannot parse the SMILES {bad[0]}; correct it")
    return [canonical_smiles(name) or "" for name in names]


def places(wanted: Sequence[str] | np.ndarray, compounds: list[str], column: str) -> np.ndarray:
    """Return where each compound stands in the table.

    Parameters
    ----------
    wanted
        Compound of each row.
    compounds
        Those of the table.
    column
        Of the keys that names the compounds.
    """
    place = {compound: number for number, compound in enumerate(compounds)}
    missing = [str(one) for one in dict.fromkeys(wanted) if str(one) not in place]
    if missing:
        raise InputError(
            f"--compound_embedding: no vector for {column} {missing[0]} and {len(missing) - 1} more; "
            "add them to the table"
        )
    return np.array([place[str(one)] for one in wanted], dtype=np.int64)
