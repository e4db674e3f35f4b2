"""ATSDP-NET whose labels are shuffled: what it scores above chance is a leak of the main model's own steps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from typing_extensions import override

from pharmacell.benchmark.models.ensemble import CrossValidatedEnsemble
from pharmacell.core.seeds import generator, integer

if TYPE_CHECKING:
    import torch

    from pharmacell.benchmark.fold import Fold


@dataclass(frozen=True)
class PermutedATSDP(CrossValidatedEnsemble):
    """The main model, linear members included, after a permutation of the labels (Ojala and Garriga 2010, Test 1)::

        y'_i = y_s(i)

    with one random permutation s of the lines in each repeat, classes and responses together, and one of the labelled
    cells in each fold. Autoencoder, source model, penalties, weights and calibration are fitted anew for each repeat.
    """

    @override
    def fit_predict(self, folds: Sequence["Fold"], device: "torch.device") -> list[np.ndarray]:
        found: dict[tuple[int, int], np.ndarray] = {}
        for repeat, of_repeat in groupby(sorted(folds, key=lambda fold: fold.key), key=lambda fold: fold.key[0]):
            seed = integer(self.config.user_seed, f"permuted lines of repeat {repeat}")
            shuffled = [shuffled_fold(fold, seed) for fold in of_repeat]
            model = CrossValidatedEnsemble(replace(self.config, pretrained=None, user_seed=seed))
            keys = [(repeat, fold.key[1]) for fold in shuffled]
            found |= dict(zip(keys, model.fit_predict(shuffled, device), strict=True))
        return [found[fold.key] for fold in folds]


def shuffled_fold(fold: "Fold", seed: int) -> "Fold":
    """Return the fold, as one of the first repeat, with the labels of its lines and of its labelled cells shuffled.

    Parameters
    ----------
    fold
        What the fit may see.
    seed
        Of the permutation of the lines; folds that share lines must share it.
    """
    lines, split = fold.lines_as_read()
    order = generator(seed, "lines").permutation(len(lines.labels))
    taken = lines.take(order)
    names = lines.labels.index
    labels, labelled = fold.train_labels.copy(), np.flatnonzero(fold.train_labels >= 0)
    labels[labelled] = labels[generator(fold.seed, "permuted labels").permutation(labelled)]
    return replace(
        fold,
        key=(0, fold.key[1]),
        lines=replace(
            lines,
            labels=taken.labels.set_axis(names),
            response=taken.response.set_axis(names),
            panel=taken.panel,
        ),
        split=split,
        bulk_labels=fold.bulk_labels[order],
        bulk_response=fold.bulk_response[order],
        train_labels=labels,
    )
