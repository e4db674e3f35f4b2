"""What a network puts out: the standardised values of genes, or the scores of a few patterns of them."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.perturbation.cell_scale import CellScale
from pharmacell.perturbation.encodings.base import numbers
from pharmacell.perturbation.singular_vectors import right_singular_vectors
from pharmacell.perturbation.table import split_layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable


@dataclass(frozen=True)
class Outputs:
    """A map between genes and what the last layer of a network puts out.

    A gene is ``centre + scale * (score 1 * pattern 1 + score 2 * pattern 2 + ...)``; without patterns every gene has an
    output of its own, ``(y - centre) / scale``. Training begins with every output near 0, so at the centre.

    Parameters
    ----------
    cell_types
        That have a centre and a scale of their own; may be none.
    centre, scale
        float32 [1 + n_cell_types, n_genes]; row 0 is that of all other cell types.
    patterns
        Right singular vectors of the standardised training rows, times the root mean square of their scores, float32
        [n_patterns, n_genes]. None: genes.
    """

    cell_types: list[str]
    centre: np.ndarray
    scale: np.ndarray
    patterns: np.ndarray | None = None

    @classmethod
    def fit(cls, train: "PerturbationTable", options: "FitOptions") -> "Outputs":
        """Learn centres, scales and patterns from the training rows.

        Parameters
        ----------
        train
            The training rows.
        options
            What the command's user chose.
        """
        if options.start == "cell_type":
            fit = CellScale.fit(train)
            outputs = cls([str(name) for name in fit.cell_types], fit.centre, fit.scale)
        else:
            zeros = np.zeros((1, train.y.shape[1]), np.float32)
            centre = np.median(train.y, axis=0, keepdims=True) if options.start == "median" else zeros
            outputs = cls([], centre.astype(np.float32), np.ones_like(zeros))
        if options.n_components is None:
            return outputs
        y = outputs.standardised(train.y, train.cell_type)
        vectors = right_singular_vectors(y, min(options.n_components, *y.shape))
        sizes = np.sqrt(np.mean((y @ vectors.T) ** 2, axis=0))
        return replace(outputs, patterns=vectors * sizes[:, None])

    def shrunk(self, centre: float, effects: float) -> "Outputs":
        """Return outputs whose centre, and what a network puts out beside it, count in part.

        Parameters
        ----------
        centre, effects
            The part of each, from 0 to 1.
        """
        return replace(self, centre=self.centre * np.float32(centre), scale=self.scale * np.float32(effects))

    @property
    def n_outputs(self) -> int:
        """How wide the last layer is."""
        return self.n_genes if self.patterns is None else len(self.patterns)

    @property
    def n_genes(self) -> int:
        """How many genes it has."""
        return self.centre.shape[1]

    def groups(self, cell_type: np.ndarray) -> np.ndarray:
        """Return which centre and scale each row has, int64 [n_rows].

        Parameters
        ----------
        cell_type
            Of each row.
        """
        return numbers(cell_type, self.cell_types)

    def standardised(self, y: np.ndarray, cell_type: np.ndarray) -> np.ndarray:
        """Return ``(y - centre) / scale``, float32 [n_rows, n_genes].

        Parameters
        ----------
        y
            Targets, float32 [n_rows, n_genes].
        cell_type
            Of each row.
        """
        group = self.groups(cell_type)
        return (y - self.centre[group]) / self.scale[group]

    def decode(self, put_out: np.ndarray, cell_type: np.ndarray) -> np.ndarray:
        """Return genes from what was put out, float32 [..., n_rows, n_genes].

        Parameters
        ----------
        put_out
            float32 [..., n_rows, n_outputs].
        cell_type
            Of each row.
        """
        group = self.groups(cell_type)
        values = put_out if self.patterns is None else put_out @ self.patterns
        return values * self.scale[group] + self.centre[group]


@dataclass(frozen=True)
class LayerOutputs:
    """The outputs of each layer of a table side by side: what one network puts out, and its genes.

    Parameters
    ----------
    layers
        Each with centres, scales and patterns of its own.
    """

    layers: tuple[Outputs, ...]

    @classmethod
    def fit(cls, train: "PerturbationTable", options: "FitOptions") -> "LayerOutputs":
        """Learn centres, scales and patterns of each layer from the training rows.

        Parameters
        ----------
        train
            The training rows.
        options
            What the command's user chose.
        """
        return cls(tuple(Outputs.fit(one, options) for one in train.layers))

    def shrunk(self, shares: "Sequence[tuple[float, float]]") -> "LayerOutputs":
        """Return outputs that count in part; see :meth:`Outputs.shrunk`.

        Parameters
        ----------
        shares
            Of each layer: the part of the centre and of what is put out beside it.
        """
        return LayerOutputs(tuple(one.shrunk(*share) for one, share in zip(self.layers, shares, strict=True)))

    @property
    def widths(self) -> list[int]:
        """How many outputs each layer has."""
        return [one.n_outputs for one in self.layers]

    def standardised(self, y: np.ndarray, cell_type: np.ndarray) -> np.ndarray:
        """Return ``(y - centre) / scale`` of each layer, float32 [n_rows, n_layers * n_genes].

        Parameters
        ----------
        y
            Targets, float32 [n_rows, n_layers * n_genes].
        cell_type
            Of each row.
        """
        parts = zip(self.layers, split_layers(y, self.layers[0].n_genes), strict=True)
        return np.concatenate([one.standardised(part, cell_type) for one, part in parts], axis=1)

    def decode(self, put_out: np.ndarray, cell_type: np.ndarray) -> np.ndarray:
        """Return genes from what was put out, float32 [..., n_rows, n_layers * n_genes].

        Parameters
        ----------
        put_out
            float32 [..., n_rows, sum of the widths].
        cell_type
            Of each row.
        """
        parts = zip(self.layers, np.split(put_out, np.cumsum(self.widths)[:-1], axis=-1), strict=True)
        return np.concatenate([one.decode(part, cell_type) for one, part in parts], axis=-1)

    def centres(self, cell_type: np.ndarray) -> np.ndarray:
        """Return the centre of each row, float32 [n_rows, n_layers * n_genes].

        Parameters
        ----------
        cell_type
            Of each row.
        """
        return np.concatenate([one.centre[one.groups(cell_type)] for one in self.layers], axis=1)
