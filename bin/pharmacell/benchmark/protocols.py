"""Which cells a fold tests, and which cell labels a fit may use."""

import re
from dataclasses import dataclass

import numpy as np

from pharmacell.benchmark.fold import FEWEST_LABELLED
from pharmacell.core.errors import InputError
from pharmacell.core.seeds import generator, integer

FORMS = "labels, transfer, few_shot:N (N labelled cells of each class), leave_group_out or leave_line_out"
PLAIN = ("labels", "transfer", "leave_group_out", "leave_line_out")


@dataclass(frozen=True)
class Protocol:
    """A protocol of evaluation.

    Attributes
    ----------
    name
        ``labels``: the labels of all training cells may be used (the paper). ``transfer``: no cell label is ever used.
        ``few_shot``: those of a few training cells. ``leave_group_out``: as labels, but each fold tests one group.
        ``leave_line_out``: folds are of bulk lines, and no cell has a part in it.
    n_shots
        Labelled cells of each class, for ``few_shot``.
    """

    name: str
    n_shots: int = 0

    @classmethod
    def parse(cls, text: str) -> "Protocol":
        """Read ``--protocol``.

        Parameters
        ----------
        text
            As given.

        Raises
        ------
        InputError
            If there is no such protocol.
        """
        if text in PLAIN:
            return cls(text)
        if match := re.fullmatch(r"few_shot:([1-9]\d*)", text):
            return cls("few_shot", int(match[1]))
        raise InputError(f"--protocol {text}: no such protocol; give {FORMS}")

    def __str__(self) -> str:
        return f"few_shot:{self.n_shots}" if self.name == "few_shot" else self.name

    @property
    def gives_enough_labels(self) -> bool:
        """Whether a fit may use so many labelled cells that it can do without bulk lines."""
        return self.name in ("labels", "leave_group_out") or self.n_shots >= FEWEST_LABELLED

    @property
    def of_lines(self) -> bool:
        """Whether bulk lines are tested, in place of cells."""
        return self.name == "leave_line_out"

    @property
    def repeats_folds(self) -> bool:
        """Whether all repeats have the same folds, so that a repeat adds a seed and no independent test."""
        return self.name == "leave_group_out"

    def assign(self, truth: np.ndarray, groups: np.ndarray | None, n_folds: int, repeat: int, seed: int) -> np.ndarray:
        """Assign each cell to the fold that tests it, int64 [n_cells].

        Random folds are stratified by class and differ between repeats; the folds of ``leave_group_out`` are the
        groups, in every repeat the same.

        Parameters
        ----------
        truth
            1 or 0, [n_cells].
        groups
            Group of each cell, where the sample has groups.
        n_folds
            Of random folds.
        repeat, seed
            Number of the repeat, and the user's seed.
        """
        if self.name == "leave_group_out":
            assert groups is not None  # see check
            return np.unique(groups, return_inverse=True)[1].astype(np.int64)
        from sklearn.model_selection import StratifiedKFold

        splitter = StratifiedKFold(
            n_folds, shuffle=True, random_state=integer(seed, f"cell folds of repeat {repeat}") % 2**31
        )
        folds = np.empty(len(truth), np.int64)
        for fold, (_, test) in enumerate(splitter.split(np.zeros(len(truth)), truth)):
            folds[test] = fold
        return folds

    def check(self, truth: np.ndarray, groups: np.ndarray | None, n_folds: int, sample: str) -> None:
        """Check that every fold can be trained and scored.

        Parameters
        ----------
        truth
            1 or 0, [n_cells].
        groups
            Group of each cell, where the sample has groups.
        n_folds
            Of random folds.
        sample
            Its name, for messages.

        Raises
        ------
        InputError
            If a class has fewer cells than there are folds or labels asked for, or a group has one class only.
        """
        counts = np.bincount(truth, minlength=2)
        if self.name == "leave_group_out":
            self.check_groups(truth, groups, sample)
            return
        if counts.min() < n_folds:
            what = "lines" if self.of_lines else "cells"
            raise InputError(
                f"{sample}: class {counts.argmin()} has {counts.min()} {what}, fewer than the {n_folds} "
                f"folds; use --folds {max(2, counts.min())} or fewer, or a sample with more {what}"
            )
        left = counts - -(-counts // n_folds)  # the largest test fold takes so many
        if left.min() < self.n_shots:
            raise InputError(
                f"{sample}: --protocol {self} needs {self.n_shots} labelled cells of each class, but a "
                f"training part has {left.min()} cells of class {left.argmin()}; use fewer"
            )

    @staticmethod
    def check_groups(truth: np.ndarray, groups: np.ndarray | None, sample: str) -> None:
        """Check that there are groups and that each has cells of both classes; see :meth:`check`.

        Parameters
        ----------
        truth, groups, sample
            See :meth:`check`.
        """
        if groups is None:
            raise InputError(
                f"{sample}: --protocol leave_group_out needs groups; name their column in the sheet "
                "(group_key) or use another protocol"
            )
        names = np.unique(groups)
        if len(names) < 2:
            raise InputError(
                f"{sample}: --protocol leave_group_out needs two groups or more, and all cells are in "
                f"'{names[0]}'; use another protocol"
            )
        for name in names:
            classes = np.unique(truth[groups == name])
            if len(classes) < 2:
                raise InputError(
                    f"{sample}: group '{name}' has cells of class {classes[0]} only, so that a fold of it "
                    "cannot be scored; use --protocol labels or transfer, or a coarser group_key"
                )

    def visible(self, truth: np.ndarray, seed: int) -> np.ndarray:
        """Return the labels of training cells that a fit may use, -1 for the others, int64 [n_train].

        Parameters
        ----------
        truth
            Of the training cells.
        seed
            Of the fit.
        """
        if self.name == "transfer":
            return np.full(len(truth), -1, np.int64)
        if self.name != "few_shot":
            return truth.astype(np.int64)
        labels, rng = np.full(len(truth), -1, np.int64), generator(seed, "labelled cells")
        for label in (0, 1):
            labels[rng.choice(np.flatnonzero(truth == label), self.n_shots, replace=False)] = label
        return labels
