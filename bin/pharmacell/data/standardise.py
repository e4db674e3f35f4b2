"""Gene-wise standardisation of one domain, so that bulk lines and cells meet on one scale."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

LIMIT = 5.0  # standardised values beyond it are clipped: one outlier must not steer a linear map


@dataclass(frozen=True)
class Standardiser:
    """Mean and standard deviation of each gene in one domain.

    Parameters
    ----------
    mean, std
        float32, [n_genes]; a gene that does not vary has std 1, so it becomes 0.
    """

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def fit(cls, blocks: Iterable[np.ndarray]) -> "Standardiser":
        """Fit on blocks of rows, each [n, n_genes], in one pass.

        Parameters
        ----------
        blocks
            Rows in pieces, each [n, n_genes].
        """
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        shift = np.zeros(0)
        for number, block in enumerate(blocks):
            block = block.astype(np.float64)
            shift = shift if number else block.mean(0)  # against cancellation in the sum of squares
            block -= shift
            count += len(block)
            total = total + block.sum(0)
            squares = squares + (block**2).sum(0)
        mean = total / count
        std = np.sqrt(np.maximum(squares / count - mean**2, 0))
        std[std < 1e-6] = 1.0
        return cls((mean + shift).astype(np.float32), std.astype(np.float32))

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Standardise rows [n, n_genes] and clip them at +-5.

        Parameters
        ----------
        x
            Rows, [n, n_genes].
        """
        return np.clip((x - self.mean) / self.std, -LIMIT, LIMIT, dtype=np.float32)
