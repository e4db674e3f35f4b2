"""What a file of single cells holds, before anything is chosen from it."""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pharmacell.data.matrices import Matrix


@dataclass(frozen=True)
class Candidate:
    """A matrix of a file.

    Attributes
    ----------
    name
        ``X``, ``raw`` or the name of a layer.
    matrix
        Cells x genes.
    var
        Annotation of its genes as read; the index holds their names.
    """

    name: str
    matrix: Matrix
    var: pd.DataFrame

    @property
    def words(self) -> str:
        """How to call it in a sentence."""
        return self.name if self.name in ("X", "raw") else f"layers['{self.name}']"


@dataclass
class Contents:
    """All that was read of a file.

    Attributes
    ----------
    obs
        Annotation of the cells as read; the index holds their ids.
    candidates
        The matrices that it holds.
    simulated
        Whether the file says that its cells are simulated.
    notes
        What was decided.
    keep
        What must live as long as the matrices do, such as a folder of unpacked files.
    """

    obs: pd.DataFrame
    candidates: list[Candidate]
    simulated: bool = False
    notes: list[str] = field(default_factory=list)
    keep: Any = None
