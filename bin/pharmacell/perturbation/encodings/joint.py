"""What the training part says of a compound beside its chemistry, in one vector."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
from typing_extensions import override

from pharmacell.perturbation.encodings.base import Encoded, Encoder, InputShape, categories, cell_shape, numbers
from pharmacell.perturbation.encodings.embedding import EmbeddingEncoder
from pharmacell.perturbation.encodings.fingerprint import FingerprintEncoder
from pharmacell.perturbation.features import Components, compound_effects

if TYPE_CHECKING:
    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable


@dataclass(frozen=True)
class JointEncoder(Encoder):
    """The compound's mean effect in other training rows, its fingerprint and descriptors, and its embedding if given.

    A training row is described from other training rows only, and where new compounds are to be predicted by no effect
    at all, so that training shows what prediction will.

    Parameters
    ----------
    compounds
        Of the training rows.
    effects
        Mean effect of each compound on 32 components of each layer, in units of the scores' standard deviation, float32
        [n_compounds, n_layers * n_components]; see :func:`pharmacell.perturbation.features.compound_effects`.
    unseen
        See :func:`pharmacell.perturbation.imitation.unseen_column`.
    fingerprint, embedding
        Encoders of the chemistry; the second is None without ``--compound_embedding``.
    """

    compounds: list[str]
    effects: np.ndarray
    unseen: str | None
    fingerprint: FingerprintEncoder
    embedding: EmbeddingEncoder | None
    name: ClassVar[str] = "joint"

    @classmethod
    @override
    def fit(cls, train: "PerturbationTable", options: "FitOptions", unseen: str | None) -> Self:
        compounds, _, effects = effects_of(train)
        fingerprint = FingerprintEncoder.fit(train, options, unseen)
        embedding = EmbeddingEncoder.fit(train, options, unseen) if options.compound_embedding else None
        return cls(compounds, effects, unseen, fingerprint, embedding)

    @override
    def shape(self) -> InputShape:
        widths = [part.shape().n_features for part in (self.fingerprint, self.embedding) if part]
        return cell_shape(self.fingerprint.cell_types, self.effects.shape[1] + 1 + sum(widths))

    @override
    def transform(self, keys: pd.DataFrame) -> Encoded:
        place = numbers(keys["sm_name"], self.compounds)
        return self.beside_chemistry(
            keys, np.concatenate([np.zeros_like(self.effects[:1]), self.effects])[place], place > 0
        )

    @override
    def transform_training(self, train: "PerturbationTable") -> Encoded:
        _, of_others, _ = effects_of(train)
        if self.unseen == "sm_name":
            return self.beside_chemistry(train.keys, np.zeros_like(of_others), np.zeros(len(train), bool))
        return self.beside_chemistry(train.keys, of_others, np.ones(len(train), bool))

    def beside_chemistry(self, keys: pd.DataFrame, effects: np.ndarray, seen: np.ndarray) -> Encoded:
        """Put effects and chemistry of rows into one vector.

        Parameters
        ----------
        keys
            Of the rows.
        effects
            Of their compounds, float32 [n_rows, n_components].
        seen
            Whether an effect is known, bool [n_rows].
        """
        chemistry = self.fingerprint.transform(keys)
        vectors = [effects, seen[:, None], chemistry.vector]
        if self.embedding:
            vectors.append(self.embedding.transform(keys).vector)
        given = [vector for vector in vectors if vector is not None]
        return Encoded(chemistry.tokens, np.concatenate(given, axis=1).astype(np.float32))


def effects_of(train: "PerturbationTable") -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return compounds, what other rows say of each training row's compound, and what all rows say of each compound.

    Of two layers the effects stand side by side, each on components of its own.

    Parameters
    ----------
    train
        The training rows.
    """
    compounds = categories(train.sm_name)
    of_others, of_all = [], []
    for layer in train.layers:
        reduced = Components.fit(layer.y).reduce(layer.y)
        scale = max(float(reduced.std()), 1e-6)
        others, every = compound_effects(layer, pd.DataFrame({"sm_name": compounds}), reduced)
        of_others.append((others / scale).astype(np.float32))
        of_all.append((every / scale).astype(np.float32))
    return compounds, np.concatenate(of_others, axis=1), np.concatenate(of_all, axis=1)
