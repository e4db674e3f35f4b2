"""What the classical models know about a (cell type, compound), and what they predict: a few components."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.data.fingerprints import morgan_counts
from pharmacell.perturbation.singular_vectors import right_singular_vectors

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.perturbation.table import PerturbationTable

N_COMPONENTS = 32
N_BITS = 1024


@dataclass(frozen=True)
class Features:
    """Numbers that stand for rows.

    Attributes
    ----------
    known, asked
        Of the training rows and of those to predict, float32 [n_rows, n_features].
    """

    known: np.ndarray
    asked: np.ndarray


@dataclass(frozen=True)
class Components:
    """Principal components of the training targets.

    Attributes
    ----------
    centre
        Mean of each gene, [n_genes].
    basis
        Orthonormal rows, [n_components, n_genes].
    """

    centre: np.ndarray
    basis: np.ndarray

    @classmethod
    def fit(cls, y: np.ndarray) -> "Components":
        """Fit to the training part only; at most 32, fewer when there are fewer rows or genes.

        Parameters
        ----------
        y
            Targets, float32 [n_rows, n_genes].
        """
        centre = y.mean(axis=0)
        n_components = min(N_COMPONENTS, *(np.array(y.shape) - 1).clip(1))
        return cls(centre, right_singular_vectors(y - centre, n_components))

    def reduce(self, y: np.ndarray) -> np.ndarray:
        """Return the components of targets, [n_rows, n_components].

        Parameters
        ----------
        y
            Targets, [n_rows, n_genes].
        """
        return (y - self.centre) @ self.basis.T

    def expand(self, reduced: np.ndarray) -> np.ndarray:
        """Return targets from their components, float32 [n_rows, n_genes].

        Parameters
        ----------
        reduced
            [n_rows, n_components].
        """
        return (reduced @ self.basis + self.centre).astype(np.float32)


def make_features(
    train: "PerturbationTable", keys: "pd.DataFrame", reduced: np.ndarray, with_effects: bool
) -> Features:
    """Describe rows by cell type, structure and, if wanted, what is known of the compound's effect.

    Parameters
    ----------
    train
        The training rows.
    keys
        Rows to predict.
    reduced
        Components of the training targets, [n_train, n_components].
    with_effects
        Add the compound's mean effect in other training rows. Leave them out for compounds that were never seen: a
        model that leans on them knows nothing without.
    """
    names = np.unique(train.cell_type)
    cells = [(column[:, None] == names).astype(np.float32) for column in (train.cell_type, _texts(keys, "cell_type"))]
    prints = [np.log1p(morgan_counts(column, N_BITS)) for column in (train.smiles, _texts(keys, "SMILES"))]
    varies = prints[0].std(axis=0) > 0
    blocks = [cells, [part[:, varies] for part in prints]]
    if with_effects:
        blocks.append(compound_effects(train, keys, reduced))
    return Features(*(np.concatenate(part, axis=1).astype(np.float32) for part in zip(*blocks, strict=True)))


def compound_effects(train: "PerturbationTable", keys: "pd.DataFrame", reduced: np.ndarray) -> list[np.ndarray]:
    """Return the mean effect of each row's compound, in the training rows other than the row itself.

    An effect is the difference from the cell type's mean, in components. The mean over n rows is shrunk by
    ``n / (n + 1)``; a compound without other rows gets 0. A row's own target is never among its features, or a model
    would learn to read it off.

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    reduced
        Targets of the training rows on the components, [n_train, n_components].

    Returns
    -------
    list
        Of the training rows, [n_train, n_components], and of the asked rows, [n_asked, n_components].
    """
    cells = np.unique(train.cell_type, return_inverse=True)[1]
    effect = reduced - _group_mean(cells, reduced)[cells]
    compounds, codes = np.unique(train.sm_name, return_inverse=True)
    member = codes == np.arange(len(compounds))[:, None]
    total, count = member @ effect, member.sum(axis=1, keepdims=True)
    known = (total[codes] - effect) / count[codes]  # n - 1 other rows, and one of the prior
    asked = _texts(keys, "sm_name")
    place = np.searchsorted(compounds, asked).clip(max=len(compounds) - 1)
    seen = (compounds[place] == asked)[:, None]
    return [known, np.where(seen, total[place] / (count[place] + 1), 0.0)]


def is_seen(train: "PerturbationTable", keys: "pd.DataFrame") -> np.ndarray:
    """Tell which asked rows have a compound that stands in the training rows, bool [n_asked].

    Parameters
    ----------
    train
        The training rows.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    """
    return np.isin(_texts(keys, "sm_name"), train.sm_name)


def _group_mean(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    member = codes == np.arange(codes.max() + 1)[:, None]
    return member @ values / member.sum(axis=1, keepdims=True)


def _texts(keys: "pd.DataFrame", column: str) -> np.ndarray:
    return keys[column].to_numpy(str)
