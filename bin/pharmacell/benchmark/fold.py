"""What one fit of the benchmark may see."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pharmacell.data.lines import Lines

FEWEST_LABELLED = 10  # labelled cells of each class from which a model can learn without bulk lines


@dataclass(frozen=True, eq=False)
class Fold:
    """All that one fit may see of bulk lines and cells, and the cells that it must predict; no test label.

    Attributes
    ----------
    key
        Repeat and fold, each from 0.
    genes
        Genes that bulk and cells share, [n_genes].
    bulk
        Bulk lines that may be learnt from, standardised on themselves, float32 [n_lines, n_genes].
    bulk_labels
        1 sensitive, 0 resistant, int64 [n_lines].
    bulk_response
        Minus the standardised response, so that higher means more sensitive, [n_lines].
    bulk_groups
        Database and tissue of each line, str [n_lines].
    train
        Cells of the training folds, standardised with their own mean and deviation, float32 [n_train, n_genes].
    train_labels
        1 or 0 where the protocol lets the label be used, -1 elsewhere, int64 [n_train].
    test
        Cells to predict, standardised with mean and deviation of the training cells, float32 [n_test, n_genes].
    smiles
        Structure of the drug, where known.
    seed
        Of this fit; differs between repeats and folds.
    lines, split
        The same bulk lines as they stand in the bulk file, and ``train`` or ``validation`` for each, for models that
        simulate cells from lines.
    """

    key: tuple[int, int]
    genes: list[str]
    bulk: np.ndarray
    bulk_labels: np.ndarray
    bulk_response: np.ndarray
    bulk_groups: np.ndarray
    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    smiles: str | None
    seed: int
    lines: Lines | None = None
    split: pd.Series | None = None

    def lines_as_read(self) -> tuple[Lines, pd.Series]:
        """Return the bulk lines as they stand in the bulk file, and ``train`` or ``validation`` for each.

        Raises
        ------
        ValueError
            If the fold was made without them.
        """
        if self.lines is None or self.split is None:
            raise ValueError("the fold holds no bulk lines as they stand in the bulk file")
        return self.lines, self.split

    def enough_labels(self) -> bool:
        """Tell whether at least 10 cells of each class are labelled."""
        return all(int((self.train_labels == label).sum()) >= FEWEST_LABELLED for label in (0, 1))

    def supervised_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and labels for a model that knows no transfer.

        Returns
        -------
        rows, labels
            The labelled training cells where there are enough; else bulk lines and whatever cells are labelled.
            float32 [n, n_genes] and int64 [n].
        """
        labelled = self.train_labels >= 0
        if self.enough_labels():
            return self.train[labelled], self.train_labels[labelled]
        return (
            np.concatenate([self.bulk, self.train[labelled]]),
            np.concatenate([self.bulk_labels, self.train_labels[labelled]]),
        )
