"""Gene-wise standardisation of one domain, so that bulk lines and cells meet on one scale."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pharmacell.data.matrices import Rows

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
    def fit(cls, blocks: Iterable[Rows]) -> "Standardiser":
        """Fit on blocks of rows in one pass.

        Parameters
        ----------
        blocks
            Rows in pieces, all sparse or all dense, each [n, n_genes].
        """
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        shift = np.zeros(0)
        for number, rows in enumerate(blocks):
            block = rows.astype(np.float64)
            if not number:  # against cancellation in the sum of squares; most values of sparse rows are 0 already
                shift = block.mean(0) if isinstance(block, np.ndarray) else np.zeros(block.shape[1])
            if isinstance(block, np.ndarray):
                block -= shift
                square = block**2
            else:
                square = block.power(2)
            count += block.shape[0]
            total = total + np.asarray(block.sum(0)).ravel()
            squares = squares + np.asarray(square.sum(0)).ravel()
        mean = total / count
        std = np.sqrt(np.maximum(squares / count - mean**2, 0))
        std[std < 1e-6] = 1.0
        return cls((mean + shift).astype(np.float32), std.astype(np.float32))

    def apply(self, x: Rows) -> np.ndarray:
        """Standardise rows and clip them at +-5; dense, float32 [n, n_genes].

        Parameters
        ----------
        x
            Rows, [n, n_genes]; of sparse ones only the values that are not zero are computed one by one.
        """
        if isinstance(x, np.ndarray):
            return np.clip((x - self.mean) / self.std, -LIMIT, LIMIT, dtype=np.float32)
        found = np.empty(x.shape, np.float32)
        found[:] = self.apply(np.zeros((1, x.shape[1]), np.float32))
        values = np.clip((x.data - self.mean[x.indices]) / self.std[x.indices], -LIMIT, LIMIT, dtype=np.float32)
        found[np.repeat(np.arange(x.shape[0]), np.diff(x.indptr)), x.indices] = values
        return found
