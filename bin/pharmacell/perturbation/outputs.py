"""What a network predicts: the genes themselves, or the components of a truncated SVD of the training rows."""

from dataclasses import dataclass

import numpy as np

from pharmacell.core.errors import InputError


@dataclass(frozen=True)
class Outputs:
    """A map between genes and what is predicted.

    Parameters
    ----------
    components
        Right singular vectors of y, without centring, float32 [n_components, n_genes]; None predicts genes.
    scale
        Scores are divided by this, so that all tables train alike at one learning rate.
    """

    components: np.ndarray | None = None
    scale: float = 1.0

    @classmethod
    def fit(cls, y: np.ndarray, n_components: int | None) -> "Outputs":
        """Learn the components from the training rows, [n_rows, n_genes].

        Parameters
        ----------
        y
            Targets, float32 [n_rows, n_genes].
        n_components
            Components of a truncated SVD; None: predict genes.

        Raises
        ------
        InputError
            If there are fewer rows or genes than components.
        """
        if n_components is None:
            return cls()
        if n_components >= min(y.shape):
            raise InputError(
                f"--n_components {n_components}: a training part of {y.shape[0]} rows and {y.shape[1]} "
                f"genes has fewer; take at most {min(y.shape) - 1}"
            )
        from sklearn.decomposition import TruncatedSVD

        svd = TruncatedSVD(n_components, random_state=0)
        scores = svd.fit_transform(y)
        return cls(svd.components_.astype(np.float32), max(float(scores.std()), 1e-6))

    def encode(self, y: np.ndarray) -> np.ndarray:
        """Return what is to be predicted for y, float32 [n_rows, n_outputs].

        Parameters
        ----------
        y
            Targets, float32 [n_rows, n_genes].
        """
        return y if self.components is None else y @ self.components.T / np.float32(self.scale)

    def decode(self, predicted: np.ndarray) -> np.ndarray:
        """Return genes from what was predicted, [..., n_outputs].

        Parameters
        ----------
        predicted
            [..., n_outputs].
        """
        return predicted if self.components is None else predicted * np.float32(self.scale) @ self.components
