"""One seed in, an independent stream for each purpose out."""

import zlib

import numpy as np


def seed_sequence(seed: int, purpose: str) -> np.random.SeedSequence:
    """Return the seed sequence of one purpose.

    Parameters
    ----------
    seed
        The user's seed, >= 0.
    purpose
        A name such as ``"split"`` or ``"initial weights"``; another name gives an independent stream.
    """
    return np.random.SeedSequence([seed, zlib.crc32(purpose.encode())])


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return a NumPy generator for one purpose.

    Parameters
    ----------
    seed, purpose
        As in :func:`seed_sequence`.
    """
    return np.random.default_rng(seed_sequence(seed, purpose))


def integer(seed: int, purpose: str) -> int:
    """Return a 32-bit seed for one purpose, for libraries that take an integer (scanpy, igraph, imbalanced-learn).

    Parameters
    ----------
    seed, purpose
        As in :func:`seed_sequence`.
    """
    return int(seed_sequence(seed, purpose).generate_state(1)[0])
