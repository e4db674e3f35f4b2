"""Every encoding by name, and how one is stored: arrays as arrays, everything else as json."""

from dataclasses import fields

import numpy as np

from pharmacell.perturbation.encodings.base import Encoder
from pharmacell.perturbation.encodings.embedding import EmbeddingEncoder
from pharmacell.perturbation.encodings.fingerprint import FingerprintEncoder
from pharmacell.perturbation.encodings.ordinal import OrdinalEncoder
from pharmacell.perturbation.encodings.smiles import SmilesEncoder
from pharmacell.perturbation.encodings.target_stats import TargetStatsEncoder

ENCODERS: dict[str, type[Encoder]] = {
    encoder.name: encoder
    for encoder in (OrdinalEncoder, SmilesEncoder, FingerprintEncoder, EmbeddingEncoder, TargetStatsEncoder)
}


def parts_of(encoder: Encoder) -> tuple[dict, dict[str, np.ndarray]]:
    """Return what json can hold of an encoder, and its arrays.

    Parameters
    ----------
    encoder
        A fitted one.
    """
    values = {field.name: getattr(encoder, field.name) for field in fields(encoder)}  # type: ignore[arg-type]  # all are dataclasses
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    return {name: value for name, value in values.items() if name not in arrays}, arrays


def from_parts(name: str, content: dict, arrays: dict[str, np.ndarray]) -> Encoder:
    """Make an encoder again; see :func:`parts_of`.

    Parameters
    ----------
    name
        Of the encoding.
    content
        What json can hold of it.
    arrays
        The rest of it.
    """
    return ENCODERS[name](**content, **arrays)
