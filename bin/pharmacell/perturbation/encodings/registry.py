"""Every encoding by name, and how one is stored: arrays as arrays, everything else as json."""

from dataclasses import fields

import numpy as np

from pharmacell.perturbation.encodings.base import Encoder, KeyEncoder
from pharmacell.perturbation.encodings.embedding import EmbeddingEncoder
from pharmacell.perturbation.encodings.fingerprint import FingerprintEncoder
from pharmacell.perturbation.encodings.joint import JointEncoder
from pharmacell.perturbation.encodings.ordinal import OrdinalEncoder
from pharmacell.perturbation.encodings.smiles import SmilesEncoder
from pharmacell.perturbation.encodings.target_stats import TargetStatsEncoder

ENCODERS: dict[str, type[Encoder]] = {
    encoder.name: encoder
    for encoder in (
        OrdinalEncoder,
        SmilesEncoder,
        FingerprintEncoder,
        EmbeddingEncoder,
        TargetStatsEncoder,
        JointEncoder,
    )
}
WITHIN = "encoding"  # key of the name of an encoder within another


def parts_of(encoder: Encoder) -> tuple[dict, dict[str, np.ndarray]]:
    """Return what json can hold of an encoder, and its arrays; those of an encoder within it are named ``field.array``.

    Parameters
    ----------
    encoder
        A fitted one.
    """
    content, arrays = {}, {}
    for field in fields(encoder):  # type: ignore[arg-type]  # all are dataclasses
        value = getattr(encoder, field.name)
        if isinstance(value, np.ndarray):
            arrays[field.name] = value
        elif isinstance(value, KeyEncoder):
            within, own = parts_of(value)
            content[field.name] = {WITHIN: value.name, "content": within}
            arrays |= {f"{field.name}.{name}": array for name, array in own.items()}
        else:
            content[field.name] = value
    return content, arrays


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
    made = dict(content)
    for field, value in content.items():
        if isinstance(value, dict) and WITHIN in value:
            own = {key.removeprefix(f"{field}."): array for key, array in arrays.items() if key.startswith(f"{field}.")}
            made[field] = from_parts(value[WITHIN], value["content"], own)
    return ENCODERS[name](**made, **{key: array for key, array in arrays.items() if "." not in key})
