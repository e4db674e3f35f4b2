"""What the training part says of a cell type and of a compound: statistics of its values, reduced to components."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from typing_extensions import override

from pharmacell.perturbation.encodings.base import Encoded, Encoder, InputShape, categories, cell_shape, numbers
from pharmacell.perturbation.imitation import blocks

if TYPE_CHECKING:
    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable


N_COMPONENTS = 16
QUANTILES = (0.25, 0.5, 0.75)
N_BLOCKS = 5


@dataclass(frozen=True)
class TargetStatsEncoder(Encoder):
    """Mean, standard deviation and quartiles of a truncated SVD of y for the row's cell type and for its compound.

    A training row is described from other training rows only (five blocks, each described by the other four), or its
    own values would be in its input. Where new compounds (cell types) are to be predicted, a block holds compounds
    (cell types) whole, so that training shows what prediction will: zeros, and a flag that says unknown.

    Parameters
    ----------
    cell_types, compounds
        Of the training rows.
    of_cell_type, of_compound
        Statistics, float32 [n, 5 * n_components]; in units of the scores' standard deviation.
    unseen
        See :func:`pharmacell.perturbation.imitation.unseen_column`.
    """

    cell_types: list[str]
    compounds: list[str]
    of_cell_type: np.ndarray
    of_compound: np.ndarray
    unseen: str | None
    name: ClassVar[str] = "target_stats"

    @classmethod
    @override
    def fit(cls, train: "PerturbationTable", options: "FitOptions", unseen: str | None) -> Self:
        scores = components(train.y)
        return cls(
            categories(train.cell_type),
            categories(train.sm_name),
            statistics(scores, train.cell_type),
            statistics(scores, train.sm_name),
            unseen,
        )

    @override
    def shape(self) -> InputShape:
        return cell_shape(self.cell_types, self.of_cell_type.shape[1] + self.of_compound.shape[1] + 2)

    @override
    def transform(self, keys: pd.DataFrame) -> Encoded:
        parts = []
        for values, known, table in (
            (keys["cell_type"], self.cell_types, self.of_cell_type),
            (keys["sm_name"], self.compounds, self.of_compound),
        ):
            found = numbers(values, known)
            with_unknown = np.concatenate([np.zeros((1, table.shape[1]), np.float32), table])
            parts += [with_unknown[found], (found > 0)[:, None]]
        tokens = numbers(keys["cell_type"], self.cell_types)[:, None]
        return Encoded(tokens, np.concatenate(parts, 1).astype(np.float32))

    @override
    def transform_training(self, train: "PerturbationTable") -> Encoded:
        scores = components(train.y)  # one basis for all blocks, or a feature would mean something else in each
        block = blocks(train.keys, self.unseen, N_BLOCKS)
        whole = self.transform(train.keys)
        vector = np.zeros_like(whole.vector)
        for number in np.unique(block):
            inside = block == number
            if inside.all():
                continue  # a single compound or cell type: nothing else can describe it
            cells, compounds = train.cell_type[~inside], train.sm_name[~inside]
            part = TargetStatsEncoder(
                categories(cells),
                categories(compounds),
                statistics(scores[~inside], cells),
                statistics(scores[~inside], compounds),
                None,
            )
            vector[inside] = part.transform(train.keys[inside]).vector
        return Encoded(whole.tokens, vector)


def components(y: np.ndarray) -> np.ndarray:
    """Return the scores of the rows on the first components of a truncated SVD, float32 [n_rows, n_components].

    Parameters
    ----------
    y
        Targets, float32 [n_rows, n_genes].
    """
    from sklearn.decomposition import TruncatedSVD

    n_components = min(N_COMPONENTS, len(y) - 1, y.shape[1] - 1)
    if n_components < 1:
        return y[:, :1] / max(float(y[:, :1].std()), 1e-6)
    scores = TruncatedSVD(n_components, random_state=0).fit_transform(y)
    return (scores / max(float(scores.std()), 1e-6)).astype(np.float32)


def statistics(scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return mean, standard deviation and quartiles of the scores of each group, in the groups' order.

    Parameters
    ----------
    scores
        [n_rows, n_components].
    groups
        Number of the group of each row, int64 [n_rows].

    Returns
    -------
    numpy.ndarray
        float32, [n_groups, 5 * n_components].
    """
    rows = [scores[groups == group] for group in np.unique(groups)]
    found = [np.concatenate([own.mean(0), own.std(0), *np.quantile(own, QUANTILES, axis=0)]) for own in rows]
    return np.array(found, dtype=np.float32)
